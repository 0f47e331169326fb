"""`_sendgrid_assets.sync_runs`: what became of each collection in each run.

Belongs here: writing and reading that table. Does not: deciding the outcome.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING, Literal

import duckdb

from sendgrid_assets.catalog.bookkeeping import SCHEMA

from .sql import name, names

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

TABLE = name(SCHEMA, "sync_runs")

Status = Literal["ok", "refused", "failed"]
Mode = Literal["full", "incremental"]


def utc_now() -> dt.datetime:
    """The present instant as the warehouse keeps it: UTC, without a zone."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRun:
    """One row of `sync_runs`; its columns' comments say what each is."""

    run_id: str
    source: str
    table_name: str
    started_at: dt.datetime
    ended_at: dt.datetime
    status: Status
    complete: bool = False
    fetched: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    requests: int = 0
    waited_seconds: float = 0.0
    message: str | None = None
    mode: Mode = "full"
    since: dt.datetime | None = None


_COLUMNS = tuple(field.name for field in fields(SyncRun))


def synced(warehouse: Path) -> set[str]:
    """The sources of which some table was ever synced.

    Raises:
        duckdb.Error: the file is held by another process, or is no warehouse.
    """
    if not warehouse.exists():
        return set()
    with duckdb.connect(warehouse, read_only=True) as connection:
        try:
            rows = connection.execute(f"SELECT DISTINCT source FROM {TABLE} WHERE status = 'ok'").fetchall()
        except duckdb.CatalogException:
            return set()
    return {source for (source,) in rows}


def record(connection: DuckDBPyConnection, run: SyncRun) -> None:
    """Adds a row."""
    marks = ", ".join("?" for _ in _COLUMNS)
    connection.execute(f"INSERT INTO {TABLE} ({names(_COLUMNS)}) VALUES ({marks})", astuple(run))


def latest(connection: DuckDBPyConnection, source: str, table: str) -> SyncRun | None:
    """The last outcome of a collection."""
    row = connection.execute(
        f"SELECT {names(_COLUMNS)} FROM {TABLE} WHERE source = ? AND table_name = ?"
        " ORDER BY ended_at DESC LIMIT 1",
        [source, table],
    ).fetchone()
    if row is None:
        return None
    found = dict(zip(_COLUMNS, row, strict=True))
    return SyncRun(**found | {"mode": found["mode"] or "full"})


def newest_loaded(connection: DuckDBPyConnection, source: str, table: str) -> dt.datetime | None:
    """When the newest listing that was loaded had been begun."""
    return _of_loaded(connection, "max(started_at)", source, table)


def newest_full(connection: DuckDBPyConnection, source: str, table: str) -> dt.datetime | None:
    """When the newest listing had been begun that asked for everything and proved that all of it came."""
    # A row of an earlier release has no mode: all were full then.
    full = "max(started_at) FILTER (complete AND coalesce(mode, 'full') = 'full')"
    return _of_loaded(connection, full, source, table)


def furthest_back(connection: DuckDBPyConnection, source: str, table: str) -> dt.datetime | None:
    """How far back any listing reached that proved that all it asked for came."""
    return _of_loaded(connection, "min(since) FILTER (complete)", source, table)


def _of_loaded(connection: DuckDBPyConnection, aggregate: str, source: str, table: str) -> dt.datetime | None:
    row = connection.execute(
        f"SELECT {aggregate} FROM {TABLE} WHERE source = ? AND table_name = ? AND status = 'ok'",
        [source, table],
    ).fetchone()
    instant: dt.datetime | None = row[0] if row else None
    return instant
