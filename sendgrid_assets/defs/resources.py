"""Resources: the account that is asked, and the warehouse, which publishes itself when a run ends.

Belongs here: what lives as long as a run. Does not: what is done with it, nor what only a sync needs (`account`): every
run is a process that imports this.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from sendgrid_assets.warehouse import spacing, sync_log
from sendgrid_assets.warehouse.file import Warehouse
from sendgrid_assets.warehouse.known import known
from sendgrid_assets.warehouse.publish import Published, is_due, publish
from sendgrid_assets.warehouse.schema import schemas_of
from sendgrid_assets.warehouse.stage import remove_leftovers

from . import names
from .insight_report import report_insights

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sendgrid_assets.api.known import Known
    from sendgrid_assets.catalog.collection import ObjectCollection
    from sendgrid_assets.settings import Settings, SourceSettings

    from .account import Account

log = logging.getLogger(__name__)

SENSOR_TAG, PARENT_TAG = "dagster/sensor_name", "dagster/parent_run_id"
"""Dagster's own tags of a run: the sensor that asked for it, and the run that it repeats."""

RUN_SECONDS = 10.0
"""About what a run costs that only publishes: a wait that is shorter would save nothing."""


@dataclass(frozen=True)
class WarehouseResource:
    """The warehouse and the file published from it.

    Attributes:
        warehouse: the file that only the pipeline opens.
        published: the file to query; None where none is wanted.
        scratch: folder for staging files.
    """

    warehouse: Warehouse
    published: Path | None
    scratch: Path

    def publish(self) -> Published | None:
        """Replaces the published file if anything was committed since; None if nothing was."""
        return publish(self.warehouse, self.published)

    def record(self, run: sync_log.SyncRun) -> None:
        """Notes the outcome of a listing of which no row was kept."""
        with self.warehouse.open() as connection:
            sync_log.record(connection, run)

    def known(self, source: SourceSettings, collection: ObjectCollection, now: dt.datetime) -> Known:
        """What of a collection need not be read again."""
        with self.warehouse.open() as connection:
            return known(
                connection,
                source=source.name,
                schema=source.schema_name,
                collection=collection,
                start_date=source.start_date,
                now=now,
            )

    def is_due(self) -> bool:
        """Whether anything was committed since the last publish."""
        return self.published is not None and is_due(self.warehouse, self.published)

    def wait_seconds(self) -> float:
        """For how long the last publish is still so recent that another is not worth its cost."""
        if self.published is None or not self.published.exists():
            return 0.0
        return spacing.wait_seconds(self.warehouse)


def account_resource(source: SourceSettings) -> dg.ResourceDefinition:
    """The resource that asks one account; its key is no part of any config."""

    def open_account(_context: dg.InitResourceContext) -> Iterator[Account]:
        # A third of a second to import, which a drain is spared.
        from .account import Account

        account = Account(source)
        try:
            yield account
        finally:
            account.close()

    return dg.ResourceDefinition(open_account, description=f"The SendGrid account of source {source.name}.")


def warehouse_resource(settings: Settings) -> dg.ResourceDefinition:
    """The resource that holds the warehouse.

    It is closed after all steps of a run, failed ones too: there it publishes, so that the published file is
    current however the run ended. Only a drain that the landing sensor asked for leaves that to the sensor while the
    last publish is recent.
    """
    resource = make_warehouse(settings)
    drains = {names.drain_job(source.name): names.landing_sensor(source.name) for source in settings.sources}

    def open_warehouse(context: dg.InitResourceContext) -> Iterator[WarehouseResource]:
        remove_leftovers(resource.scratch)
        try:
            yield resource
        finally:
            try:
                published = (
                    None if _leaves_it_to_the_sensor(context, drains, resource) else resource.publish()
                )
            except Exception as error:
                # Dagster notes a failed teardown in passing; the landing sensor asks for another publish.
                if context.log:
                    context.log.error("Nothing was published: %s", error)  # noqa: TRY400 - it is raised
                raise
            if published and context.instance:
                context.instance.report_runless_asset_event(
                    dg.AssetMaterialization(names.PUBLISHED, metadata=published_metadata(published))
                )
                report_insights(context, published, settings.sources)

    return dg.ResourceDefinition(
        open_warehouse, description="The DuckDB warehouse; publishes what was committed when the run ends."
    )


def _leaves_it_to_the_sensor(
    context: dg.InitResourceContext, drains: Mapping[str, str], resource: WarehouseResource
) -> bool:
    """Whether the run need not publish: its sensor asked for it, and looks again."""
    run = context.run
    if run is None or drains.get(run.job_name) != run.tags.get(SENSOR_TAG, ""):
        return False
    # Who starts it again by hand wants to see what it did.
    if PARENT_TAG in run.tags:
        return False
    wait = resource.wait_seconds()
    if wait <= RUN_SECONDS:
        return False
    if context.log:
        context.log.info("Published only a moment ago: the next publish is due in %.0f s.", wait)
    return True


def make_warehouse(settings: Settings) -> WarehouseResource:
    """The warehouse the settings name."""
    return WarehouseResource(
        Warehouse(settings.warehouse.absolute(), schemas_of(settings)),
        settings.published.absolute() if settings.published else None,
        (settings.data_dir / "staging").absolute(),
    )


def published_metadata(published: Published) -> dict[str, Any]:
    """What Dagster shows of a publish."""
    return {
        "path": dg.MetadataValue.path(str(published.path)),
        "dagster/size_bytes": published.size,
        "seconds": published.seconds,
    }
