"""Asset checks on the tables, made from the catalog.

Belongs here: what must hold of a table after it was synced. Does not: whether it could be read at all, which its
asset says (`sync_assets.READABLE`).
"""

from collections.abc import Iterator

import dagster as dg

from sendgrid_assets.catalog.collection import ObjectCollection
from sendgrid_assets.settings import SourceSettings
from sendgrid_assets.warehouse import sync_log
from sendgrid_assets.warehouse.count import repeated_keys

from . import names
from .resources import WarehouseResource

KEY_IS_UNIQUE, COMPLETE = "key_is_unique", "complete"


def table_checks(source: SourceSettings, collection: ObjectCollection) -> dg.AssetChecksDefinition:
    """The checks of one object table."""
    key = names.table_key(source.name, collection.table)

    @dg.multi_asset_check(
        name=f"{source.name}__{collection.table}_checks",
        specs=[
            dg.AssetCheckSpec(
                KEY_IS_UNIQUE,
                asset=key,
                description=f"No two rows have the same {' and '.join(collection.key)}.",
            ),
            dg.AssetCheckSpec(
                COMPLETE,
                asset=key,
                description="The last listing was proven complete; else no deletions are marked.",
            ),
        ],
        required_resource_keys={names.WAREHOUSE},
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        resource: WarehouseResource = getattr(context.resources, names.WAREHOUSE)
        with resource.warehouse.open() as connection:
            repeated = repeated_keys(connection, source.schema_name, collection.table, collection.key)
            last = sync_log.latest(connection, source.name, collection.table)
        yield dg.AssetCheckResult(
            check_name=KEY_IS_UNIQUE,
            asset_key=key,
            passed=repeated == 0,
            metadata={"repeated_keys": repeated},
        )
        yield dg.AssetCheckResult(
            check_name=COMPLETE,
            asset_key=key,
            passed=last is not None and last.complete,
            severity=dg.AssetCheckSeverity.WARN,
            description=last.message if last else "It was never synced.",
        )

    return checks
