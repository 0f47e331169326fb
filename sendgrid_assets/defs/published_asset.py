"""The published file as an asset, downstream of every table.

Belongs here: the asset, for lineage and for publishing on demand. Does not: publishing at a run's end
(`resources`), which also covers runs in which something failed.
"""

from collections.abc import Sequence

import dagster as dg

from sendgrid_assets.settings import Settings

from . import names
from .resources import WarehouseResource, published_metadata


def published_asset(settings: Settings, upstream: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset of the published file."""
    assert settings.published is not None  # noqa: S101 - the caller leaves it out where nothing is published

    @dg.asset(
        key=names.PUBLISHED,
        deps=upstream,
        group_name="warehouse",
        kinds={"duckdb", "file"},
        required_resource_keys={names.WAREHOUSE},
        metadata={"dagster/uri": dg.MetadataValue.path(str(settings.published.absolute()))},
        description=(
            "The file to query: a copy of the warehouse, replaced atomically after each run. "
            f"Open it read-only: `duckdb -readonly {settings.published}`."
        ),
    )
    def published(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        resource: WarehouseResource = getattr(context.resources, names.WAREHOUSE)
        done = resource.publish()
        if done is None:
            return dg.MaterializeResult(metadata={"changed": False})
        return dg.MaterializeResult(metadata={"changed": True, **published_metadata(done)})

    return published
