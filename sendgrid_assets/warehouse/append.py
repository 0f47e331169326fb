"""Append: a chunk of events into the event tables, exactly once, in one transaction.

Belongs here: what is already there, what is new, the inserts and the ledger. Does not: files
(`warehouse.drain`).

A retried event has the timestamp it had, so only rows between a chunk's lowest and highest timestamp are
looked at, which zone maps find; a chunk's days that lie far apart are looked up one by one.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sendgrid_assets.catalog.bookkeeping import SCHEMA
from sendgrid_assets.catalog.events import EVENT_COLLECTIONS

from .event_batch import CONTENT, TABLE_COLUMNS, content_of, reduce, stage
from .file import transaction
from .sql import name, text
from .sync_log import utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

LEDGER = name(SCHEMA, "loaded_files")
REJECTED = name(SCHEMA, "rejected_events")

_GAP = dt.timedelta(days=1)
_MOST_RANGES = 32


@dataclass(frozen=True, slots=True)
class FileToLoad:
    """A file's identity in the ledger, and when it came (UTC, without a zone)."""

    name: str
    size: int
    sha256: str
    received_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Appended:
    """What a chunk brought.

    Attributes:
        rows: rows appended to each table that got any.
        duplicates: of these, marked as copies under another id.
        repeated: events that were there already.
        rejected: lines new to `rejected_events`.
    """

    rows: dict[str, int]
    duplicates: int
    repeated: int
    rejected: int


def is_loaded(connection: DuckDBPyConnection, source: str, file: FileToLoad) -> bool:
    """Whether the ledger has the file: by source, name, size and digest."""
    found = connection.execute(
        f"SELECT 1 FROM {LEDGER} WHERE source = ? AND file = ? AND size = ? AND sha256 = ?",
        [source, file.name, file.size, file.sha256],
    ).fetchone()
    return found is not None


def append(
    connection: DuckDBPyConnection,
    *,
    source: str,
    schema: str,
    files: Sequence[tuple[int, FileToLoad]],
    events: Path,
    rejects: Path,
) -> Appended:
    """Loads a chunk and enters its files in the ledger: all of it or nothing.

    Args:
        connection: the warehouse.
        source: the source's name.
        schema: its schema.
        files: the chunk's files with the numbers their lines bear.
        events: NDJSON of {f, l, e}; lines of other files are passed over.
        rejects: NDJSON of {f, l, reason, raw}.
    """
    stage(connection, events, rejects)
    _note_files(connection, files)
    reduce(connection)
    _compare(connection, schema)
    now = _next_instant(connection, source)
    with transaction(connection):
        rows = {
            collection.table: count
            for collection in EVENT_COLLECTIONS
            if (count := _insert(connection, schema, collection.table, now))
        }
        rejected = _reject(connection, source, now)
        _enter(connection, source, now)
    counts = connection.execute(
        "SELECT count(*) FILTER (duplicate_of IS NOT NULL), (SELECT count(*) FROM ranked)"
        " - (SELECT count(*) FROM rejects WHERE reason = 'id_conflict') FROM fresh"
    ).fetchone()
    duplicates, read = counts or (0, 0)
    return Appended(rows, duplicates, read - sum(rows.values()), rejected)


def _next_instant(connection: DuckDBPyConnection, source: str) -> dt.datetime:
    """Now, or just after the source's last commit if the clock was set back: `loaded_at` only ever grows."""
    last = connection.execute(f"SELECT max(loaded_at) FROM {LEDGER} WHERE source = ?", [source]).fetchone()
    now = utc_now()
    return max(now, last[0] + dt.timedelta(microseconds=1)) if last and last[0] else now


def _note_files(connection: DuckDBPyConnection, files: Sequence[tuple[int, FileToLoad]]) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE files"
        " (f INTEGER, name VARCHAR, size BIGINT, sha256 VARCHAR, received_at TIMESTAMP)"
    )
    connection.executemany(
        "INSERT INTO files VALUES (?, ?, ?, ?, ?)",
        [(number, file.name, file.size, file.sha256, file.received_at) for number, file in files],
    )
    for table in ("rejects", "ranked"):
        connection.execute(f"DELETE FROM {table} WHERE f NOT IN (SELECT f FROM files)")


def _compare(connection: DuckDBPyConnection, schema: str) -> None:
    """Makes `fresh`: the rows to append, marked where their content is there under another id."""
    ranges = _ranges(connection)
    kinds = [row[0] for row in connection.execute("SELECT DISTINCT kind FROM batch").fetchall()]
    there = [
        (kind, f"t.timestamp BETWEEN TIMESTAMP {text(low)} AND TIMESTAMP {text(high)}")
        for kind in kinds
        for low, high in ranges
    ]
    nothing = (
        "SELECT NULL::VARCHAR AS sg_event_id, NULL::VARCHAR AS event, NULL::VARCHAR AS content WHERE false"
    )
    by_id = " UNION ALL ".join(
        [
            f"SELECT t.sg_event_id, t.event, {_content_in(kind)} AS content FROM {name(schema, kind)} t"
            f" SEMI JOIN batch b ON t.sg_event_id = b.sg_event_id AND t.event = b.event WHERE {within}"
            for kind, within in there
        ]
        or [nothing]
    )
    by_content = " UNION ALL ".join(
        [
            f"SELECT t.sg_event_id, t.event, {_content_in(kind)} AS content FROM {name(schema, kind)} t"
            f" SEMI JOIN batch b ON t.timestamp = b.timestamp AND t.event = b.event"
            f" AND t.email IS NOT DISTINCT FROM b.email WHERE {within} AND t.duplicate_of IS NULL"
            for kind, within in there
        ]
        or [nothing]
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE known AS {by_id}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE alike AS {by_content}")
    # What is there already is no conflict, whatever else came under its id before it in this chunk.
    connection.execute(
        "INSERT INTO rejects SELECT r.f, r.l, 'id_conflict', r.json"
        " FROM (FROM ranked ANTI JOIN known USING (sg_event_id, event, content)) r"
        " JOIN batch b ON b.sg_event_id = r.sg_event_id AND b.event = r.event WHERE b.content <> r.content"
        " OR EXISTS (FROM known k WHERE k.sg_event_id = r.sg_event_id AND k.event = r.event)"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE fresh AS SELECT b.*, coalesce(a.sg_event_id,"
        " CASE WHEN row_number() OVER same > 1 THEN first_value(b.sg_event_id) OVER same END) AS duplicate_of"
        " FROM (SELECT * FROM batch ANTI JOIN known USING (sg_event_id, event)) b"
        " LEFT JOIN (SELECT content, min(sg_event_id) AS sg_event_id FROM alike GROUP BY content) a"
        " ON a.content = b.content"
        " WINDOW same AS (PARTITION BY b.content ORDER BY b.f, b.l)"
    )


def _ranges(connection: DuckDBPyConnection) -> list[tuple[dt.datetime, dt.datetime]]:
    """The stretches of time the events cover, with gaps of more than a day between them."""
    days = connection.execute(
        "SELECT min(timestamp), max(timestamp) FROM ranked GROUP BY date_trunc('day', timestamp) ORDER BY 1"
    ).fetchall()
    ranges: list[tuple[dt.datetime, dt.datetime]] = []
    for low, high in days:
        if ranges and (low - ranges[-1][1] <= _GAP or len(ranges) == _MOST_RANGES):
            ranges[-1] = (ranges[-1][0], high)
        else:
            ranges.append((low, high))
    return ranges


def _content_in(kind: str) -> str:
    columns = next(c.columns for c in EVENT_COLLECTIONS if c.table == kind)
    held = {column.name for column in columns}
    return content_of({c: f"t.{name(c)}" if c in held else "NULL" for c in CONTENT})


def _insert(connection: DuckDBPyConnection, schema: str, table: str, now: dt.datetime) -> int:
    inserted = connection.execute(
        f"INSERT INTO {name(schema, table)} BY NAME SELECT {TABLE_COLUMNS[table]} FROM (SELECT fresh.*,"
        f" files.received_at, TIMESTAMP {text(now)} AS loaded_at, files.name AS source_file"
        f" FROM fresh JOIN files USING (f) WHERE kind = {text(table)})"
    ).fetchone()
    return int(inserted[0]) if inserted else 0


def _reject(connection: DuckDBPyConnection, source: str, now: dt.datetime) -> int:
    # The same text again, in whatever file, is the same reject: so a replay adds none.
    inserted = connection.execute(
        f"INSERT INTO {REJECTED} BY NAME SELECT {text(source)} AS source, files.name AS file, l AS line,"
        f" reason, raw, TIMESTAMP {text(now)} AS rejected_at FROM (SELECT DISTINCT ON (reason, raw) * FROM rejects"
        f" ORDER BY f, l) r JOIN files USING (f) WHERE NOT EXISTS (FROM {REJECTED} e WHERE"
        f" e.source = {text(source)} AND e.reason = r.reason AND e.raw = r.raw)"
    ).fetchone()
    return int(inserted[0]) if inserted else 0


def _enter(connection: DuckDBPyConnection, source: str, now: dt.datetime) -> None:
    connection.execute(
        f"INSERT INTO {LEDGER} BY NAME SELECT {text(source)} AS source, name AS file, size, sha256,"
        " coalesce(e.events, 0) AS events, coalesce(r.rejected, 0) AS rejected,"
        f" TIMESTAMP {text(now)} AS loaded_at FROM files"
        " LEFT JOIN (SELECT f, count(*) AS events FROM ranked GROUP BY f) e USING (f)"
        " LEFT JOIN (SELECT f, count(*) AS rejected FROM rejects GROUP BY f) r USING (f)"
    )
