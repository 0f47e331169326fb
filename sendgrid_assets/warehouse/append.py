"""Append: a chunk of events into the event tables, exactly once, in one transaction.

Belongs here: the inserts, the rejects and the ledger. Does not: files (`warehouse.drain`), which events are new
(`warehouse.event_fate`).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sendgrid_assets.catalog.bookkeeping import SCHEMA
from sendgrid_assets.catalog.events import EVENT_COLLECTIONS

from .event_batch import fill, kinds, note_files
from .event_fate import REJECTED, decide
from .event_row import read
from .file import bound_memory, transaction
from .sql import literal, name, names, text
from .sync_log import utc_now

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from .event_stage import StagedEvents

LEDGER = name(SCHEMA, "loaded_files")

_LARGE = 32 * 1024 * 1024
_LONGEST_LOG = "1MB"


@dataclass(frozen=True, slots=True)
class Appended:
    """What a chunk brought.

    Attributes:
        files: files newly entered in the ledger, or read again.
        bytes: their size.
        rows: rows appended to each table that got any.
        duplicates: of these, marked as copies under another id.
        repeated: events that were there already.
        rejected: lines new to `rejected_events`.
        unended: events and rejects there are so far of the file that goes on.
    """

    files: int
    bytes: int
    rows: dict[str, int]
    duplicates: int
    repeated: int
    rejected: int
    unended: tuple[int, int] = (0, 0)

    def __add__(self, other: Appended) -> Appended:
        """What both brought, one after the other."""
        rows = Counter(self.rows) + Counter(other.rows)
        return Appended(
            self.files + other.files,
            self.bytes + other.bytes,
            dict(rows),
            self.duplicates + other.duplicates,
            self.repeated + other.repeated,
            self.rejected + other.rejected,
            other.unended,
        )


def append(
    connection: DuckDBPyConnection,
    staged: StagedEvents,
    *,
    source: str,
    schema: str,
    again: bool = False,
    before: tuple[int, int] = (0, 0),
) -> Appended | None:
    """Loads a portion and enters the files that end in it in the ledger: all of it or nothing.

    Args:
        connection: the warehouse.
        staged: the portion.
        source: the source's name.
        schema: its schema.
        again: whether to read also what the ledger has; it keeps one entry of each.
        before: events and rejects that earlier portions had of the file that goes on in this one.

    Returns:
        None where the ledger has all of the files.
    """
    bound_memory(connection)
    if not note_files(connection, staged, LEDGER, source, again=again):
        return None
    fill(connection, staged)
    found = kinds(connection)
    decide(connection, source, schema, found)
    _place(connection)
    now = _next_instant(connection, source)
    if staged.bytes >= _LARGE:
        # Rows go into the file at once, instead of into the log, and into the file later.
        connection.execute(f"SET checkpoint_threshold = {text(_LONGEST_LOG)}")
        connection.execute("SET write_buffer_row_group_count = 1")
    with transaction(connection):
        rows = {
            EVENT_COLLECTIONS[kind].table: count
            for kind in sorted(found)
            if (count := _insert(connection, schema, kind, found[kind], now))
        }
        rejected = _reject(connection, source, now)
        _enter(connection, source, now, staged.began_before, before)
    counts = connection.execute(
        "SELECT (SELECT count(*) FROM fates WHERE kept AND duplicate_of IS NOT NULL), (SELECT count(*) FROM events)"
        " - (SELECT count(*) FROM rejects WHERE reason = 'id_conflict'), count(*),"
        " coalesce(sum(size), 0)::BIGINT FROM files WHERE ended"
    ).fetchone()
    duplicates, kept, files, size = counts or (0, 0, 0, 0)
    unended = _unended(connection, staged, before)
    return Appended(files, size, rows, duplicates, kept - sum(rows.values()), rejected, unended)


def _unended(
    connection: DuckDBPyConnection, staged: StagedEvents, before: tuple[int, int]
) -> tuple[int, int]:
    if staged.goes_on is None:
        return 0, 0
    here = connection.execute(
        f"SELECT (SELECT count(*) FROM events WHERE f = {staged.goes_on}),"
        f" (SELECT count(*) FROM rejects WHERE f = {staged.goes_on})"
    ).fetchone()
    events, rejected = here or (0, 0)
    earlier = before if staged.goes_on == staged.began_before else (0, 0)
    return events + earlier[0], rejected + earlier[1]


def _next_instant(connection: DuckDBPyConnection, source: str) -> dt.datetime:
    """Now, or just after the source's last commit if the clock was set back: `loaded_at` only ever grows."""
    last = connection.execute(f"SELECT max(loaded_at) FROM {LEDGER} WHERE source = {text(source)}").fetchone()
    now = utc_now()
    return max(now, last[0] + dt.timedelta(microseconds=1)) if last and last[0] else now


def _place(connection: DuckDBPyConnection) -> None:
    """Writes beside each of `lines` what else its row holds: the inserts then join nothing, and so are in order."""
    connection.execute(
        "UPDATE lines SET kept = true, source_file = name, received_at = files.received_at"
        " FROM events JOIN files USING (f) WHERE n = lines.rowid"
    )
    connection.execute(
        "UPDATE lines SET kept = fates.kept, id = sg_event_id, duplicate_of = fates.duplicate_of"
        " FROM fates WHERE n = lines.rowid"
    )


def _insert(
    connection: DuckDBPyConnection, schema: str, kind: int, sample: set[str], now: dt.datetime
) -> int:
    collection = EVENT_COLLECTIONS[kind]
    rows = f"SELECT json, id, duplicate_of, source_file, received_at FROM lines WHERE kind = {kind} AND kept"
    columns = names(column.name for column in collection.columns)
    inserted = connection.execute(
        f"INSERT INTO {name(schema, collection.table)} BY NAME SELECT {columns} FROM (SELECT * REPLACE"
        f" (coalesce(id, sg_event_id) AS sg_event_id), {literal(now)} AS loaded_at"
        f" FROM ({read(collection, rows, 'id, duplicate_of, source_file, received_at,', sample)}))"
    ).fetchone()
    return int(inserted[0]) if inserted else 0


def _reject(connection: DuckDBPyConnection, source: str, now: dt.datetime) -> int:
    # The same text again, in whatever file, is the same reject: so a replay adds none.
    inserted = connection.execute(
        f"INSERT INTO {REJECTED} BY NAME SELECT {text(source)} AS source, files.name AS file, l AS line,"
        f" reason, raw, {literal(now)} AS rejected_at FROM (SELECT DISTINCT ON (reason, raw) * FROM rejects"
        f" ORDER BY f, l) r JOIN files USING (f) WHERE NOT EXISTS (FROM {REJECTED} e WHERE"
        f" e.source = {text(source)} AND e.reason = r.reason AND e.raw = r.raw)"
    ).fetchone()
    return int(inserted[0]) if inserted else 0


def _enter(
    connection: DuckDBPyConnection,
    source: str,
    now: dt.datetime,
    began_before: int | None,
    before: tuple[int, int],
) -> None:
    began = -1 if began_before is None else began_before
    events, rejected = (f"if(f = {began}, {count}, 0)" for count in before)
    connection.execute(
        f"INSERT INTO {LEDGER} BY NAME SELECT {text(source)} AS source, name AS file, size, sha256,"
        f" coalesce(e.events, 0) + {events} AS events, coalesce(r.rejected, 0) + {rejected} AS rejected,"
        f" {literal(now)} AS loaded_at FROM (FROM files WHERE ended) files ANTI JOIN"
        f" (SELECT file AS name, size, sha256 FROM {LEDGER} WHERE source = {text(source)}) USING (name, size, sha256)"
        " LEFT JOIN (SELECT f, count(*) AS events FROM events GROUP BY f) e USING (f)"
        " LEFT JOIN (SELECT f, count(*) AS rejected FROM rejects GROUP BY f) r USING (f)"
    )
