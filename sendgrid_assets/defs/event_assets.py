"""The event collections as assets: one step drains the landing directory into all of them.

Belongs here: the asset and what it reports. Does not: the drain (`warehouse.drain`), when it runs (`automation`).
"""

import datetime as dt
from collections.abc import Iterator, Mapping

import dagster as dg
from duckdb import DuckDBPyConnection

from sendgrid_assets.catalog.events import (
    ACTIVITY_COLUMNS,
    ACTIVITY_DESCRIPTION,
    EVENT_COLLECTIONS,
    EVENT_DOCS,
)
from sendgrid_assets.settings import Settings, SourceSettings
from sendgrid_assets.warehouse.count import row_count
from sendgrid_assets.warehouse.drain import Drained, drain
from sendgrid_assets.warehouse.errors import WarehouseError
from sendgrid_assets.warehouse.misfits import misfits, rejects
from sendgrid_assets.warehouse.sync_log import utc_now
from sendgrid_assets.webhook.landing import Landing, LandingError

from . import names
from .event_checks import Finding, misfit_finding, reject_finding, tell
from .resources import WarehouseResource
from .table_metadata import described, table_metadata

GROUP = "events"
ACTIVITY = "activity"


def event_assets(settings: Settings, source: SourceSettings) -> dg.AssetsDefinition:
    """The event tables of a source and their union; materializing any one of them drains them all."""
    specs = _specs(source)

    @dg.multi_asset(
        name=f"{source.name}_events",
        specs=specs,
        can_subset=True,
        required_resource_keys={names.WAREHOUSE},
        description="Loads what waits in the landing directory, each event once.",
    )
    def events(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        resource: WarehouseResource = getattr(context.resources, names.WAREHOUSE)
        landing = Landing(settings.landing_dir.absolute(), source.name)
        began, counts, found = utc_now(), dict[str, int](), list[Finding]()

        def look(connection: DuckDBPyConnection, done: Drained) -> None:
            counts.update(_counts(connection, source, done))
            found.extend(_findings(connection, source, done, began))

        try:
            drained = drain(
                resource.warehouse,
                landing,
                scratch=resource.scratch,
                retention_days=settings.done_retention_days,
                retention_bytes=settings.done_retention_bytes,
                is_published=settings.published is not None,
                look=look,
            )
        except (LandingError, WarehouseError) as error:
            raise dg.Failure(str(error)) from error
        context.log.info(_told(drained))
        for finding in found:
            tell(context.instance, source, finding)
        reports = _reports(drained, counts)
        if context.job_name != names.drain_job(source.name):
            # Asked for by hand, perhaps with what depends on them: Dagster skips what follows a table left out.
            tables = [*(collection.table for collection in EVENT_COLLECTIONS), ACTIVITY]
            asked = {
                table
                for table in tables
                if names.table_key(source.name, table) in context.selected_asset_keys
            }
            reports = {
                table: reports.get(table, {"rows_appended": 0})
                for table in tables
                if table in asked | reports.keys()
            }
        for table, metadata in reports.items():
            key = names.table_key(source.name, table)
            if key in context.selected_asset_keys:
                yield dg.MaterializeResult(asset_key=key, metadata=metadata)
            else:
                context.log_event(dg.AssetMaterialization(key, metadata=metadata))

    return events


def landing_spec(settings: Settings, source: SourceSettings) -> dg.AssetSpec:
    """The landing directory, at the left edge of the lineage."""
    return dg.AssetSpec(
        names.landing_key(source.name),
        description=(
            "Files of webhook events, put into `new/` by the receiver or by any other program: "
            f"`POST /webhooks/{source.name}` or {settings.landing_dir / source.name}."
        ),
        group_name="sendgrid",
        kinds={"json"},
    )


def _specs(source: SourceSettings) -> list[dg.AssetSpec]:
    tables = [
        dg.AssetSpec(
            names.table_key(source.name, collection.table),
            deps=[names.landing_key(source.name)],
            group_name=GROUP,
            description=described(collection.description, source.schema_name, collection.table),
            metadata=table_metadata(
                source.schema_name, collection.table, collection.columns, docs=EVENT_DOCS
            ),
            kinds={"twilio", "duckdb"},
            skippable=True,
        ).with_io_manager_key(names.TABLES)
        for collection in EVENT_COLLECTIONS
    ]
    union = dg.AssetSpec(
        names.table_key(source.name, ACTIVITY),
        deps=[names.table_key(source.name, collection.table) for collection in EVENT_COLLECTIONS],
        group_name=GROUP,
        description=described(ACTIVITY_DESCRIPTION, source.schema_name, ACTIVITY),
        metadata=table_metadata(source.schema_name, ACTIVITY, ACTIVITY_COLUMNS, docs=EVENT_DOCS),
        kinds={"duckdb", "view"},
        skippable=True,
    ).with_io_manager_key(names.TABLES)
    return [*tables, union]


def _counts(connection: DuckDBPyConnection, source: SourceSettings, drained: Drained) -> dict[str, int]:
    """How many rows those tables now have that got any, and their union."""
    tables = [*drained.rows, ACTIVITY] if drained.rows else []
    return {table: row_count(connection, source.schema_name, table) for table in tables}


def _findings(
    connection: DuckDBPyConnection, source: SourceSettings, drained: Drained, since: dt.datetime
) -> list[Finding]:
    """What the checks find in what came since."""
    if not drained.rows and not drained.rejected:
        return []
    return [
        misfit_finding(misfits(connection, source.schema_name, since, drained.rows)),
        reject_finding(rejects(connection, source.name, since) if drained.rejected else {}),
    ]


def _reports(drained: Drained, counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """What to show of each table that got rows, and of their union."""
    if not drained.rows:
        return {}
    reports = {
        table: {"rows_appended": appended, "dagster/row_count": counts[table]}
        for table, appended in drained.rows.items()
    }
    reports[ACTIVITY] = {
        "rows_appended": drained.rows.total(),
        "rows_marked_duplicate": drained.duplicates,
        "events_repeated": drained.repeated,
        "events_rejected": drained.rejected,
        "files_loaded": drained.files,
        "files_unreadable": drained.unreadable,
        "bytes_loaded": drained.bytes,
        "dagster/row_count": counts[ACTIVITY],
    }
    return reports


def _told(drained: Drained) -> str:
    return (
        f"{drained.rows.total()} rows from {drained.files} files; {drained.repeated} events were there already, "
        f"{drained.rejected} lines rejected, {drained.unreadable} files set aside."
    )
