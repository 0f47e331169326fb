"""Asset checks on the synced tables: what is checked, and how it is found.

Belongs here: what must hold of a table after it was synced. Does not: when that is (`sync_assets`: with the sync
itself, in its own transaction, which spares a step and an opening of the warehouse for each table).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from sendgrid_assets.warehouse import sync_log
from sendgrid_assets.warehouse.count import repeated_keys, unmodelled_fields

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from sendgrid_assets.catalog.collection import ObjectCollection

READABLE, UNIQUE, COMPLETE, MODELLED = "readable", "key_is_unique", "complete", "every_field_has_a_column"


def check_specs(key: dg.AssetKey, collection: ObjectCollection) -> list[dg.AssetCheckSpec]:
    """The checks of one object table."""
    described = {
        READABLE: "Whether SendGrid lets this key and account read the collection.",
        UNIQUE: f"No two rows have the same {' and '.join(collection.key)}.",
        COMPLETE: "All that the last sync asked for was proven to have come; else no deletions are marked.",
        MODELLED: "No row has fields in `extra`: SendGrid sends none without a column that holds it.",
    }
    return [dg.AssetCheckSpec(name, asset=key, description=sentence) for name, sentence in described.items()]


def readable(refusal: str | None) -> dg.AssetCheckResult:
    """The result of the first check.

    Args:
        refusal: what SendGrid's refusal means; None where it refused nothing.
    """
    return dg.AssetCheckResult(
        check_name=READABLE,
        passed=refusal is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=refusal,
    )


def evaluated(
    connection: DuckDBPyConnection, source: str, schema: str, collection: ObjectCollection
) -> list[dg.AssetCheckResult]:
    """The results of the other checks, as the table and the record of its syncs now are."""
    repeated = repeated_keys(connection, schema, collection.table, collection.key)
    unmodelled = unmodelled_fields(connection, schema, collection.table)
    last = sync_log.latest(connection, source, collection.table)
    return [
        dg.AssetCheckResult(check_name=UNIQUE, passed=repeated == 0, metadata={"repeated_keys": repeated}),
        dg.AssetCheckResult(
            check_name=COMPLETE,
            passed=last is not None and last.complete,
            severity=dg.AssetCheckSeverity.WARN,
            description=last.message if last else "It was never synced.",
        ),
        dg.AssetCheckResult(
            check_name=MODELLED,
            passed=not unmodelled,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"In `extra`: {', '.join(unmodelled)}." if unmodelled else None,
            metadata={"fields": list(unmodelled)},
        ),
    ]
