"""What becomes of each event of a chunk: new, there already, a copy under another id, or in conflict.

Belongs here: comparing a chunk's events with each other and with the tables' rows. Does not: reading them
(`warehouse.event_batch`), writing them (`warehouse.append`).

A whole content is read only of those few events whose hashes are in the chunk or in the tables a second time,
and of those without an id, which get one made of it. A retried event has the timestamp it had, so only rows
between a chunk's lowest and highest timestamp are looked at, which zone maps find; a chunk's days that lie far
apart are looked up one by one.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from sendgrid_assets.catalog.bookkeeping import SCHEMA
from sendgrid_assets.catalog.events import EVENT_COLLECTIONS

from .event_row import CONTENT, content_in, content_of, kind_of, read
from .sql import literal, name, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duckdb import DuckDBPyConnection

REJECTED = name(SCHEMA, "rejected_events")

_GAP = dt.timedelta(days=1)
_MOST_RANGES = 32


def decide(connection: DuckDBPyConnection, source: str, schema: str, kinds: Mapping[int, set[str]]) -> None:
    """Makes `fates`, of the events that `events` alone does not tell of, and adds conflicts to `rejects`.

    `fates` has `n`, whether the event is `kept`, its `sg_event_id` where that is derived, and `duplicate_of`.

    Args:
        connection: the warehouse, with `events`, `lines` and `rejects`.
        source: whose events they are.
        schema: the source's schema.
        kinds: the types there are, with a sample of their fields.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE ranked AS {_NONE_RANKED}")
    _rank(connection, kinds, "i IS NULL")
    # From here on the derived ids are ids like others.
    connection.execute(
        "UPDATE events SET i = hash(r.sg_event_id, r.event) FROM ranked r WHERE r.n = events.n"
    )
    _look_up(connection, schema, kinds)
    _recall(connection, source)
    _rank(
        connection,
        kinds,
        "n NOT IN (SELECT n FROM ranked) AND (i IN (SELECT i FROM events GROUP BY i HAVING count(*) > 1)"
        " OR c IN (SELECT c FROM events GROUP BY c HAVING count(*) > 1)"
        " OR i IN (SELECT i FROM there WHERE same_id) OR c IN (SELECT c FROM there WHERE same_content)"
        " OR i IN (SELECT hash(sg_event_id, event) FROM disputed))",
    )
    _compare(connection, schema, kinds)


_NONE_RANKED = (
    "SELECT NULL::BIGINT AS n, NULL::INTEGER AS f, NULL::BIGINT AS l, NULL::VARCHAR AS sg_event_id,"
    " NULL::VARCHAR AS event, NULL::VARCHAR AS content, NULL::BOOLEAN AS derived WHERE false"
)
_NONE_THERE = (
    "SELECT NULL::UTINYINT AS kind, NULL::BIGINT AS row, NULL::UBIGINT AS i, NULL::UBIGINT AS c,"
    " NULL::BOOLEAN AS same_id, NULL::BOOLEAN AS same_content WHERE false"
)
_NONE_KNOWN = (
    "SELECT NULL::VARCHAR AS sg_event_id, NULL::VARCHAR AS event, NULL::VARCHAR AS content,"
    " NULL::BOOLEAN AS same_content WHERE false"
)


def _rank(connection: DuckDBPyConnection, kinds: Mapping[int, set[str]], which: str) -> None:
    """Adds events to `ranked`, with their content."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE chosen AS SELECT n, f, l, kind FROM events WHERE {which}"
    )
    chosen = connection.execute("SELECT DISTINCT kind FROM chosen").fetchall()
    for (kind,) in chosen:
        collection = EVENT_COLLECTIONS[kind]
        held = {column.name for column in collection.columns}
        content = content_of({c: None if c in held else "NULL" for c in CONTENT})
        rows = f"SELECT json, n, f, l FROM lines JOIN (SELECT * FROM chosen WHERE kind = {kind}) ON lines.rowid = n"
        connection.execute(
            "INSERT INTO ranked SELECT n, f, l, coalesce(nullif(sg_event_id, ''), 'derived-' || content), event,"
            " content, coalesce(sg_event_id, '') = ''"
            f" FROM (SELECT n, f, l, sg_event_id, event, {content} AS content"
            f" FROM ({read(collection, rows, 'n, f, l,', kinds[kind])}))"
        )


def _look_up(connection: DuckDBPyConnection, schema: str, kinds: Mapping[int, set[str]]) -> None:
    """Makes `there`: rows of the tables that may be the same event, or the first of the same content."""
    ranges = _ranges(connection)
    queries = [
        f"SELECT {kind} AS kind, *, i IN (SELECT i FROM events WHERE kind = {kind}) AS same_id,"
        f" duplicate IS NULL AND c IN (SELECT c FROM events WHERE kind = {kind}) AS same_content"
        " FROM (SELECT t.rowid AS row, hash(t.sg_event_id, t.event) AS i, hash(t.event, t.timestamp, t.email) AS c,"
        f" t.duplicate_of AS duplicate FROM {name(schema, EVENT_COLLECTIONS[kind].table)} t"
        f" WHERE t.timestamp BETWEEN {literal(low)} AND {literal(high)})"
        for kind in kinds
        for low, high in ranges
    ]
    found = " UNION ALL ".join(
        f"SELECT kind, row, i, c, same_id, same_content FROM ({query}) WHERE same_id OR same_content"
        for query in queries
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE there AS {found or _NONE_THERE}")


def _recall(connection: DuckDBPyConnection, source: str) -> None:
    """Makes `disputed`: what was rejected for another event under its id, of the ids that are in the chunk.

    Its other event may lie beyond the time that is looked up, or may be gone: it stays rejected all the same.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE recalled AS SELECT raw::JSON AS json, kind FROM (SELECT raw, event,"
        f" {kind_of('event')} AS kind, id FROM (SELECT raw, lower(trim(raw->>'event')) AS event,"
        f" raw->>'sg_event_id' AS id FROM {REJECTED} WHERE source = {text(source)} AND reason = 'id_conflict'))"
        " WHERE hash(id, event) IN (SELECT i FROM events)"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE disputed (sg_event_id VARCHAR, event VARCHAR, content VARCHAR)"
    )
    for (kind,) in connection.execute("SELECT DISTINCT kind FROM recalled").fetchall():
        collection = EVENT_COLLECTIONS[kind]
        held = {column.name for column in collection.columns}
        content = content_of({c: None if c in held else "NULL" for c in CONTENT})
        rows = f"SELECT json FROM recalled WHERE kind = {kind}"
        connection.execute(
            f"INSERT INTO disputed SELECT sg_event_id, event, {content}"
            f" FROM ({read(collection, rows, '', held)})"
        )


def _ranges(connection: DuckDBPyConnection) -> list[tuple[dt.datetime, dt.datetime]]:
    """The stretches of time the events cover, with gaps of more than a day between them."""
    days = connection.execute(
        "SELECT min(timestamp), max(timestamp) FROM events GROUP BY date_trunc('day', timestamp) ORDER BY 1"
    ).fetchall()
    ranges: list[tuple[dt.datetime, dt.datetime]] = []
    for low, high in days:
        if ranges and (low - ranges[-1][1] <= _GAP or len(ranges) == _MOST_RANGES):
            ranges[-1] = (ranges[-1][0], high)
        else:
            ranges.append((low, high))
    return ranges


def _compare(connection: DuckDBPyConnection, schema: str, kinds: Mapping[int, set[str]]) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE batch AS"
        " SELECT * FROM ranked ANTI JOIN disputed USING (sg_event_id, event, content)"
        " QUALIFY row_number() OVER (PARTITION BY sg_event_id, event ORDER BY n) = 1"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE known AS {_NONE_KNOWN}")
    for kind in kinds:
        collection = EVENT_COLLECTIONS[kind]
        connection.execute(
            f"INSERT INTO known SELECT t.sg_event_id, t.event, {content_in(collection, 't')},"
            " same_content FROM"
            f" {name(schema, collection.table)} t JOIN (SELECT row, bool_or(same_content) AS same_content FROM there"
            f" WHERE kind = {kind} GROUP BY row) ON t.rowid = row"
        )
    # What is there already is no conflict, whatever else came under its id before it in this chunk.
    connection.execute(
        "INSERT INTO rejects SELECT f, l, 'id_conflict', json(json) FROM lines JOIN (SELECT r.n, r.f, r.l"
        " FROM (FROM ranked ANTI JOIN known USING (sg_event_id, event, content)) r"
        " LEFT JOIN batch b ON b.sg_event_id = r.sg_event_id AND b.event = r.event WHERE b.content <> r.content"
        " OR EXISTS (FROM known k WHERE k.sg_event_id = r.sg_event_id AND k.event = r.event)"
        " OR EXISTS (FROM disputed d WHERE d.sg_event_id = r.sg_event_id AND d.event = r.event"
        " AND d.content = r.content)) ON lines.rowid = n"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE fresh AS SELECT b.n, coalesce(a.sg_event_id,"
        " CASE WHEN row_number() OVER same > 1 THEN first_value(b.sg_event_id) OVER same END) AS duplicate_of"
        " FROM (SELECT * FROM batch ANTI JOIN known USING (sg_event_id, event)) b"
        " LEFT JOIN (SELECT content, min(sg_event_id) AS sg_event_id FROM known WHERE same_content GROUP BY content) a"
        " ON a.content = b.content"
        " WINDOW same AS (PARTITION BY b.content ORDER BY b.n)"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE fates AS SELECT n, fresh.n IS NOT NULL AS kept,"
        " CASE WHEN derived THEN sg_event_id END AS sg_event_id, duplicate_of FROM ranked LEFT JOIN fresh USING (n)"
    )
