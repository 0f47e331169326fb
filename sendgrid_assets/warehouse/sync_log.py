"""`_sendgrid_assets.sync_runs`: what became of each collection in each run.

Belongs here: writing and reading that table. Does not: deciding the outcome.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING, Literal

from sendgrid_assets.catalog.bookkeeping import SCHEMA

from .sql import name, names

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLE = name(SCHEMA, "sync_runs")

Status = Literal["ok", "refused", "failed"]


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


_COLUMNS = tuple(field.name for field in fields(SyncRun))


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
    return SyncRun(**dict(zip(_COLUMNS, row, strict=True))) if row else None


def newest_loaded(connection: DuckDBPyConnection, source: str, table: str) -> dt.datetime | None:
    """When the newest listing that was loaded had been begun."""
    row = connection.execute(
        f"SELECT max(started_at) FROM {TABLE} WHERE source = ? AND table_name = ? AND status = 'ok'",
        [source, table],
    ).fetchone()
    began: dt.datetime | None = row[0] if row else None
    return began
