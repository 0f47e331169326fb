"""A chunk of events in temporary tables, with as little read of each as tells them apart.

Belongs here: from staged lines to `files`, `rejects`, `lines` and `events`. Does not: which events are new
(`warehouse.event_fate`), a type's columns (`warehouse.event_row`).

`lines` has each event's JSON and type; its row id is the number `n` that the event has in other tables, and their
order. `events` has what is known of those that may be loaded: `i`, a hash of id and type, NULL where there is no
id, and `c`, a hash of type, instant and address, which all events of one content share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendgrid_assets.webhook.event_line import MAX_LINE

from .event_row import instant, kind_of
from .sql import text
from .stage import largest_object

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from .event_stage import StagedEvents

_ROOM = 4 * 1024 * 1024
_SAMPLE = 20_000

# A line whose every byte is a control character, which six bytes stand for in JSON, and what we add.
_LARGEST_REJECT = 6 * MAX_LINE + 4096


def note_files(
    connection: DuckDBPyConnection, staged: StagedEvents, ledger: str, source: str, *, again: bool
) -> int:
    """Makes `files`, each name and content once.

    Args:
        connection: the warehouse.
        staged: the chunk.
        ledger: the table of loaded files.
        source: whose files they are.
        again: whether to take those that are in the ledger too.

    Returns:
        How many there are.
    """
    columns = (
        "{f: 'INTEGER', name: 'VARCHAR', size: 'BIGINT', sha256: 'VARCHAR', received_at: 'TIMESTAMP',"
        " ended: 'BOOLEAN'}"
    )
    loaded = (
        ""
        if again
        else f" ANTI JOIN (SELECT file AS name, size, sha256 FROM {ledger} WHERE source = {text(source)})"
        " USING (name, size, sha256)"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE files AS SELECT DISTINCT ON (name, size, sha256) *"
        f" FROM {_read(staged.files, columns)}{loaded} ORDER BY f"
    )
    found = connection.execute("SELECT count(*) FROM files").fetchone()
    return int(found[0]) if found else 0


def fill(connection: DuckDBPyConnection, staged: StagedEvents) -> None:
    """Makes `lines`, `events` and `rejects`, of the files in `files` only."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE rejects AS SELECT f, l, reason, raw"
        f" FROM {_read(staged.rejects, _REJECT_COLUMNS)} JOIN files USING (f)"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE lines AS {_lines(staged)}")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE events AS SELECT n, f, n - first + start AS l, kind, timestamp, i, c, flaw"
        " FROM (SELECT rowid AS n, * EXCLUDE (json) FROM lines)"
        f" ASOF JOIN (SELECT first, f, l AS start FROM {_read(staged.runs, _RUN_COLUMNS)}) ON n >= first"
        " SEMI JOIN files USING (f)"
    )
    connection.execute(
        "INSERT INTO rejects SELECT f, l, flaw, json(json)"
        " FROM (SELECT rowid AS n, json FROM lines WHERE flaw IS NOT NULL) JOIN events USING (n)"
    )
    connection.execute("DELETE FROM events WHERE flaw IS NOT NULL")


def kinds(connection: DuckDBPyConnection) -> dict[int, set[str]]:
    """The types there are, as numbers in `EVENT_COLLECTIONS`, with the fields that some of their events have."""
    found: dict[int, set[str]] = {
        kind: set() for (kind,) in connection.execute("SELECT DISTINCT kind FROM events").fetchall()
    }
    sampled = connection.execute(
        "SELECT DISTINCT kind, unnest(json_keys(json)) FROM lines"
        f" WHERE rowid % (SELECT 1 + count(*) // {_SAMPLE} FROM lines) = 0"
    ).fetchall()
    for kind, key in sampled:
        if kind in found:
            found[kind].add(key)
    return found


_REJECT_COLUMNS = "{f: 'INTEGER', l: 'BIGINT', reason: 'VARCHAR', raw: 'VARCHAR'}"
_RUN_COLUMNS = "{first: 'BIGINT', f: 'INTEGER', l: 'BIGINT'}"


def _read(path: Path, columns: str) -> str:
    return (
        f"read_json({text(path)}, columns = {columns}, format = 'newline_delimited',"
        f" maximum_object_size = {largest_object(path, _LARGEST_REJECT)})"
    )


def _lines(staged: StagedEvents) -> str:
    room = max(staged.longest + 1024, _ROOM)
    return (
        "SELECT json, kind, timestamp, CASE WHEN sent_id IS NOT NULL THEN hash(sent_id, event) END AS i,"
        " hash(event, timestamp, email) AS c,"
        " CASE WHEN coalesce(event, '') = '' THEN 'no_event' WHEN v[2] IS NULL THEN 'no_timestamp'"
        " WHEN timestamp IS NULL THEN 'bad_timestamp' END AS flaw, false AS kept, NULL::VARCHAR AS source_file,"
        " NULL::TIMESTAMP AS received_at, NULL::VARCHAR AS id, NULL::VARCHAR AS duplicate_of"
        f" FROM (SELECT json, v, event, {kind_of('event')} AS kind, {instant('v[2]')} AS timestamp, v[3] AS email,"
        " nullif(v[4], '') AS sent_id FROM (SELECT json, v, lower(trim(v[1])) AS event FROM (SELECT json,"
        " json_extract_string(json, ['/event', '/timestamp', '/email', '/sg_event_id']) AS v"
        f" FROM read_ndjson_objects({text(staged.events)}, maximum_object_size = {room}))))"
    )
