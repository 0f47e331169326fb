"""`_sendgrid_assets.published`: how fresh a published file is, and what it is made from.

Belongs here: writing that row, reading it, and telling one warehouse's files from another's. Does not: copying
(`publish`).
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import duckdb

from sendgrid_assets.catalog.bookkeeping import SCHEMA

from .file import transaction
from .sql import literal, name
from .sync_log import utc_now

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from duckdb import DuckDBPyConnection

_TABLE = name(SCHEMA, "published")
_VERSIONS = name(SCHEMA, "schema_version")

_FRESHNESS = f"""
    WITH synced AS (
        SELECT source, max(ended_at) AS synced_at FROM {name(SCHEMA, "sync_runs")} WHERE status = 'ok' GROUP BY source
    ), loaded AS (
        SELECT source, max(loaded_at) AS loaded_at FROM {name(SCHEMA, "loaded_files")} GROUP BY source
    ), of_source AS (
        SELECT source, synced_at, loaded_at FROM synced FULL JOIN loaded USING (source)
        WHERE source IS NOT NULL ORDER BY source
    )
    SELECT max(synced_at) AS synced_at, max(loaded_at) AS loaded_at,
        coalesce(json_group_object(source, json_object('synced_at', synced_at, 'loaded_at', loaded_at)), '{{}}')
            AS sources
    FROM of_source"""


def write(connection: DuckDBPyConnection, warehouse: Path, previous_seconds: float | None) -> None:
    """Writes the row of the publish that is under way.

    Args:
        connection: to the warehouse, outside of a transaction.
        warehouse: its file.
        previous_seconds: how long the publish before took, if that is known.
    """
    told: dict[str, str | float | dt.datetime | None] = {
        "published_at": utc_now(),
        "warehouse": str(warehouse),
        "sendgrid_assets_version": version("sendgrid_assets"),
        "duckdb_version": duckdb.__version__,
        "previous_seconds": previous_seconds,
    }
    columns = ", ".join(f"{literal(value)} AS {name(column)}" for column, value in told.items())
    with transaction(connection):
        connection.execute(f"DELETE FROM {_TABLE}")
        connection.execute(f"INSERT INTO {_TABLE} BY NAME SELECT * FROM ({_FRESHNESS}), (SELECT {columns})")


def published_at(connection: DuckDBPyConnection) -> dt.datetime | None:
    """When the file was published (UTC); None where a release wrote it that did not say."""
    try:
        row = connection.execute(f"SELECT published_at FROM {_TABLE}").fetchone()
    except duckdb.CatalogException:
        return None
    instant: dt.datetime | None = row[0] if row else None
    return instant


def is_of(connection: DuckDBPyConnection, file: Path) -> bool:
    """Whether a file is an earlier copy of the connected warehouse: the first of its structures is the same."""
    first = f"SELECT min(applied_at) FROM {_VERSIONS}"
    try:
        with duckdb.connect(file, read_only=True) as other:
            there = other.execute(first).fetchone()
    except duckdb.Error:
        return False
    return there == connection.execute(first).fetchone()
