"""Asset checks on what landed: values that did not fit their column, and lines that were no events.

Belongs here: what is checked, and when a drain says so. Does not: counting (`warehouse.misfits`).

They are the landing directory's, which is never materialized: Dagster shows a result only as long as its asset is
not materialized again, and the event tables are with every drain.
A drain tells of what it loaded, by itself: planned checks would add to the history of every run, and a run's good
result would hide the one before it. Started by hand, the checks look at all that was loaded within a day.
"""

import datetime as dt
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dagster as dg

from sendgrid_assets.settings import SourceSettings
from sendgrid_assets.warehouse.errors import WarehouseError
from sendgrid_assets.warehouse.misfits import misfits, rejects
from sendgrid_assets.warehouse.sync_log import utc_now

from . import names
from .resources import WarehouseResource

FITS, ACCEPTED = "every_value_fits_its_column", "every_line_is_an_event"

STANDS = dt.timedelta(days=1)
"""For how long a warning stands, and how far back the checks look."""

AGAIN = dt.timedelta(hours=1)
"""How long the same warning is not repeated."""


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        check: its name.
        counts: how often, by what was found; nothing where all is well.
        sentence: what it means and what to do.
    """

    check: str
    counts: Mapping[str, int]
    sentence: str

    @property
    def description(self) -> str | None:
        """The sentence with the counts; None where all is well."""
        listed = ", ".join(f"{what} {count}" for what, count in self.counts.items())
        return f"{self.sentence}: {listed}." if listed else None

    @property
    def metadata(self) -> dict[str, int]:
        """The counts, with their sum."""
        return {"count": sum(self.counts.values()), **self.counts}


def misfit_finding(counts: Mapping[str, int]) -> Finding:
    """The first check's finding, from `table.column` to how many values did not fit."""
    return Finding(
        FITS,
        counts,
        "These values did not fit and are in `custom_args` under the column's name, the column NULL",
    )


def reject_finding(counts: Mapping[str, int]) -> Finding:
    """The second check's finding, from reason to how many lines were rejected for it."""
    return Finding(ACCEPTED, counts, "These lines are in `_sendgrid_assets.rejected_events`, by their reason")


def event_checks(source: SourceSettings) -> dg.AssetChecksDefinition:
    """The checks, as they run when started by hand."""
    key = names.landing_key(source.name)

    @dg.multi_asset_check(
        name=f"{source.name}_event_checks",
        specs=[
            dg.AssetCheckSpec(
                FITS,
                asset=key,
                description="Every value that SendGrid sent of late fits its column, in all event tables.",
            ),
            dg.AssetCheckSpec(
                ACCEPTED, asset=key, description="No line that landed of late was anything but an event."
            ),
        ],
        can_subset=True,
        required_resource_keys={names.WAREHOUSE},
        description="Looks at all events that were loaded within a day.",
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        resource: WarehouseResource = getattr(context.resources, names.WAREHOUSE)
        since = utc_now() - STANDS
        try:
            with resource.warehouse.open() as connection:
                found = [
                    misfit_finding(misfits(connection, source.schema_name, since)),
                    reject_finding(rejects(connection, source.name, since)),
                ]
        except WarehouseError as error:
            raise dg.Failure(str(error)) from error
        selected = context.selected_asset_check_keys
        for finding in found:
            if dg.AssetCheckKey(key, finding.check) in selected:
                yield dg.AssetCheckResult(
                    check_name=finding.check,
                    asset_key=key,
                    passed=not finding.counts,
                    severity=dg.AssetCheckSeverity.WARN,
                    description=finding.description,
                    metadata=finding.metadata,
                )

    return checks


def tell(instance: dg.DagsterInstance, source: SourceSettings, finding: Finding) -> None:
    """Notes what a drain found, unless the check says so already.

    Args:
        instance: where the check's results are.
        source: whose events they are.
        finding: what was found in what this drain loaded.
    """
    key = dg.AssetCheckKey(names.landing_key(source.name), finding.check)
    if _is_news(instance, key, finding):
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=key.asset_key,
                check_name=key.name,
                passed=not finding.counts,
                severity=dg.AssetCheckSeverity.WARN,
                description=finding.description,
                metadata=finding.metadata,
            )
        )


def _is_news(instance: dg.DagsterInstance, key: dg.AssetCheckKey, finding: Finding) -> bool:
    record = instance.get_latest_asset_check_evaluation_record(key)
    evaluation = record.evaluation if record else None
    # One that is under way holds what was planned instead.
    if record is None or not isinstance(evaluation, dg.AssetCheckEvaluation):
        return True
    if evaluation.passed:
        return bool(finding.counts)
    age = dt.timedelta(seconds=time.time() - record.create_timestamp)
    # The clock was set back where it is below nothing.
    if not finding.counts:
        return not dt.timedelta() <= age < STANDS
    return not dt.timedelta() <= age < AGAIN or not finding.counts.keys() <= evaluation.metadata.keys()
