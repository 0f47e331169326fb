"""Values of events that did not fit their column, and lines that were no events: what a check tells of.

Belongs here: counting them over what was loaded of late. Does not: where such values are kept (`event_batch`), what is
made of the counts (`defs`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendgrid_assets.catalog.events import EVENT_COLLECTIONS

from .casting import pointer
from .event_fate import REJECTED
from .sql import literal, name, text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from duckdb import DuckDBPyConnection

    from sendgrid_assets.catalog.column import Column
    from sendgrid_assets.catalog.events import EventCollection


def misfits(
    connection: DuckDBPyConnection, schema: str, since: dt.datetime, tables: Iterable[str] | None = None
) -> dict[str, int]:
    """How many values did not fit, by `table.column`: each is in `custom_args` by its own name, the column NULL.

    Args:
        connection: the warehouse.
        schema: the source's schema.
        since: only rows committed since are looked at (UTC, without a zone).
        tables: only these event tables; all by default.
    """
    wanted = None if tables is None else set(tables)
    found: dict[str, int] = {}
    for collection in EVENT_COLLECTIONS:
        if wanted is None or collection.table in wanted:
            found |= _in_table(connection, schema, collection, since)
    return found


def rejects(connection: DuckDBPyConnection, source: str, since: dt.datetime) -> dict[str, int]:
    """How many lines went to `rejected_events` since (UTC, without a zone), by reason."""
    return dict(
        connection.execute(
            f"SELECT reason, count(*) FROM {REJECTED} WHERE source = {text(source)}"
            f" AND rejected_at >= {literal(since)} GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    )


def _in_table(
    connection: DuckDBPyConnection, schema: str, collection: EventCollection, since: dt.datetime
) -> dict[str, int]:
    columns = collection.sent_columns
    # Parsed once a row, and only where there are members of such a name.
    members = ", ".join(dict.fromkeys(text(column.path[0]) for column in columns))
    first = {column.path[0]: column for column in reversed(columns)}
    counts = ", ".join(
        f"count(*) FILTER ({_is_misfit(column, stands_for_all=first[column.path[0]] is column)})"
        for column in columns
    )
    row = connection.execute(
        f"SELECT {counts} FROM (SELECT *, json_keys(custom_args) AS members"
        f" FROM {name(schema, collection.table)} WHERE loaded_at >= {literal(since)} AND custom_args IS NOT NULL)"
        f" WHERE list_has_any(members, [{members}])"
    ).fetchone()
    return {
        f"{collection.table}.{column.name}": count
        for column, count in zip(columns, row or (), strict=True)
        if count
    }


def _is_misfit(column: Column, *, stands_for_all: bool) -> str:
    is_there = f"list_contains(members, {text(column.path[0])})"
    if len(column.path) > 1:
        within = f"json_exists(custom_args, {text(pointer(column.path))})"
        if stands_for_all:
            # No object at all: one value, counted at one column.
            within += (
                f" OR json_type(custom_args, {text(pointer(column.path[:1]))}) NOT IN ('OBJECT', 'NULL')"
            )
        is_there += f" AND ({within})"
    return f"{name(column.name)} IS NULL AND {is_there}"
