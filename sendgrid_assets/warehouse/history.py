"""`_sendgrid_assets.changes`: what syncs found changed, row by row.

Belongs here: writing and trimming that table. Does not: finding the changes (`warehouse.merge`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sendgrid_assets.catalog.bookkeeping import SCHEMA
from sendgrid_assets.catalog.collection import KEEPING_COLUMNS

from .merge import AFTER, BATCH, BEFORE, KIND
from .sql import literal, name, text

if TYPE_CHECKING:
    import datetime as dt

    from duckdb import DuckDBPyConnection

    from sendgrid_assets.catalog.collection import ObjectCollection
    from sendgrid_assets.catalog.column import Column

TABLE = name(SCHEMA, "changes")

RETENTION_DAYS = 400
"""How long a change is kept."""

_EXTRA = next(column for column in KEEPING_COLUMNS if column.name == "extra")


def noted(collection: ObjectCollection) -> tuple[str, str]:
    """`BEFORE` and `AFTER`: the changed columns of a table's row `t` and a listing's row `s`; NULL if it is new."""
    columns = [column for column in (*collection.sent_columns, _EXTRA) if column.name not in collection.key]
    there = f"t.{name(collection.key[0])} IS NOT NULL"
    before, after = (
        f"CASE WHEN {there} THEN nullif('{{' || concat_ws(',', {_changed(columns, side)}) || '}}', '{{}}') END"
        for side in ("t", "s")
    )
    return f"{before} AS {name(BEFORE)}", f"{after} AS {name(AFTER)}"


def write(
    connection: DuckDBPyConnection, collection: ObjectCollection, *, source: str, table: str, now: dt.datetime
) -> None:
    """Notes what the merge just done found, and forgets what is too old.

    Args:
        connection: the warehouse, in the merge's transaction.
        collection: whose rows they are.
        source: the source's name.
        table: the quoted table.
        now: the instant that the merge noted.
    """
    keys = {column.name: column for column in collection.sent_columns if column.name in collection.key}
    key = ", ".join(f"{text(column)}, {_json(keys[column], name(column))}" for column in collection.key)
    instant = literal(now)
    common = f"{text(source)}, {text(collection.table)}, json_object({key}), {instant}"
    connection.execute(
        f"INSERT INTO {TABLE} (source, table_name, key, changed_at, kind, before, after)"
        f" SELECT {common}, {name(KIND)}, {name(BEFORE)}::JSON, {name(AFTER)}::JSON"
        f" FROM {BATCH} WHERE {name(KIND)} IS NOT NULL"
        f" UNION ALL SELECT {common}, 'delete', NULL, NULL FROM {table} WHERE deleted_at = {instant}"
    )
    outdated = f"source = {text(source)} AND changed_at < {instant} - INTERVAL {RETENTION_DAYS} DAY"
    if connection.execute(f"SELECT 1 FROM {TABLE} WHERE {outdated} LIMIT 1").fetchone():
        connection.execute(f"DELETE FROM {TABLE} WHERE {outdated}")


def _changed(columns: list[Column], side: str) -> str:
    """Members of a JSON object, as text, NULL where nothing changed."""
    return ", ".join(
        f"CASE WHEN t.{name(column.name)} IS DISTINCT FROM s.{name(column.name)} THEN"
        f" {text(json.dumps(column.name) + ':')}"
        f" || coalesce({_json(column, f'{side}.{name(column.name)}')}::VARCHAR, 'null') END"
        for column in columns
    )


def _json(column: Column, value: str) -> str:
    """A column's value as JSON: numbers as numbers, lists as lists, instants as ISO 8601."""
    match column.type:
        case "TIMESTAMP":
            return f"to_json(replace({value}::VARCHAR, ' ', 'T') || 'Z')"
        case "DOUBLE":
            # JSON has no number for these.
            return f"CASE WHEN isfinite({value}) THEN to_json({value}) ELSE to_json({value}::VARCHAR) END"
        case _:
            return f"to_json({value})"
