"""The insights as assets: views downstream of the tables they are made from.

Belongs here: the asset, for lineage and for materializing on demand. Does not: their SQL (`warehouse/insights`), nor
keeping them current, which every publish does (`warehouse.rollup`).
"""

from collections.abc import Iterator

import dagster as dg

from sendgrid_assets.catalog.events import EVENT_COLLECTIONS
from sendgrid_assets.catalog.insight import Insight
from sendgrid_assets.catalog.insights import INSIGHTS
from sendgrid_assets.catalog.metric_columns import GLOSSARY
from sendgrid_assets.settings import SourceSettings
from sendgrid_assets.warehouse.count import row_count
from sendgrid_assets.warehouse.errors import WarehouseError
from sendgrid_assets.warehouse.rollup import refresh

from . import names
from .resources import WarehouseResource
from .table_metadata import described, table_metadata

GROUP = "insights"
_VIEWS = tuple(insight.view for insight in INSIGHTS)


def insight_assets(source: SourceSettings) -> dg.AssetsDefinition:
    """The insights of a source; they are current without being materialized, which shows how many rows each has."""

    @dg.multi_asset(
        name=f"{source.name}_insights",
        specs=[_spec(source, insight) for insight in INSIGHTS],
        can_subset=True,
        required_resource_keys={names.WAREHOUSE},
        description="Brings the insights up to the events that are committed, and counts their rows.",
    )
    def insights(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        resource: WarehouseResource = getattr(context.resources, names.WAREHOUSE)
        try:
            with resource.warehouse.open() as connection:
                new = refresh(connection, resource.warehouse.schemas)
                context.log.info("%d events were new to the insights.", new)
                counts = {
                    insight.view: row_count(connection, source.schema_name, insight.view)
                    for insight in INSIGHTS
                    if names.table_key(source.name, insight.view) in context.selected_asset_keys
                }
        except WarehouseError as error:
            raise dg.Failure(str(error)) from error
        for view, rows in counts.items():
            yield dg.MaterializeResult(
                asset_key=names.table_key(source.name, view), metadata={"dagster/row_count": rows}
            )

    return insights


def _spec(source: SourceSettings, insight: Insight) -> dg.AssetSpec:
    # A collection that is not synced has an empty table and no asset.
    there = {*source.selected, *(collection.table for collection in EVENT_COLLECTIONS), *_VIEWS}
    return dg.AssetSpec(
        names.table_key(source.name, insight.view),
        deps=[names.table_key(source.name, table) for table in insight.reads if table in there],
        group_name=GROUP,
        description=described(insight.description, source.schema_name, insight.view),
        metadata={
            # Its key may hold NULL, unlike a table's.
            **table_metadata(source.schema_name, insight.view, insight.columns, docs=GLOSSARY),
            "primary_key": list(insight.key),
        },
        kinds={"duckdb", "view"},
    ).with_io_manager_key(names.TABLES)
