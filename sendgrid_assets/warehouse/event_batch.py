"""A chunk of events, typed and reduced, in temporary tables: what is done before the transaction.

Belongs here: from JSON lines to the tables `ranked` (all events), `batch` (one row per event id and type) and
`rejects`.
Does not: comparing with rows already loaded (`warehouse.append`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendgrid_assets.catalog.events import ACTIVITY_COLUMNS, EVENT_COLLECTIONS, EventCollection
from sendgrid_assets.webhook.event_line import MAX_LINE

from .casting import left_over, typed, values
from .sql import name, names, text
from .stage import largest_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from sendgrid_assets.catalog.column import Column

LARGEST_LINE = 6 * MAX_LINE + 4096
"""A landed line whose every byte is a control character, which six bytes stand for in JSON, and what we add."""

SENT = tuple(column for column in ACTIVITY_COLUMNS if column.path)
"""What SendGrid sends, over all event types."""

CONTENT = (*(column.name for column in SENT if column.name != "sg_event_id"), "custom_args")
"""What two events must share to be one that was sent again under another id."""

_NUMBER = {column.name: number for number, column in enumerate(SENT, 1)}
_CARRIERS = {
    column.name: tuple(c.table for c in EVENT_COLLECTIONS if column.name in {k.name for k in c.sent_columns})
    for column in SENT
}


def stage(connection: DuckDBPyConnection, events: Path, rejects: Path) -> None:
    """Fills the temporary tables `ranked` and `rejects`.

    Args:
        connection: the warehouse.
        events: NDJSON of {f: file number, l: line, e: the event}.
        rejects: NDJSON of {f, l, reason, raw}.
    """
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE rejects AS SELECT * FROM {_read(rejects, _REJECT_COLUMNS)}"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE events AS {_typed(events)}")
    connection.execute(_UNPACK_UNIQUE_ARGS)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE ranked AS SELECT * REPLACE (coalesce(nullif(sg_event_id, ''),"
        " 'derived-' || content) AS sg_event_id) FROM (SELECT *,"
        f" {content_of(dict.fromkeys(CONTENT))} AS content FROM events WHERE flaw IS NULL)"
    )
    connection.execute("INSERT INTO rejects SELECT f, l, flaw, json FROM events WHERE flaw IS NOT NULL")


def reduce(connection: DuckDBPyConnection) -> None:
    """Makes `batch`: of the events in `ranked` that share id and type, the first."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE batch AS SELECT * FROM ranked"
        " QUALIFY row_number() OVER (PARTITION BY sg_event_id, event ORDER BY f, l) = 1"
    )


def content_of(columns: Mapping[str, str | None]) -> str:
    """Digest of an event's content: equal for two events that differ in nothing but the id.

    Args:
        columns: every name of `CONTENT`, with the SQL that gives its value where that is not the name itself.
    """
    # Unit and record separators: no value holds them but inside JSON text, where they are escaped.
    parts = ", ".join(f"coalesce({columns[c] or name(c)}::VARCHAR, chr(30))" for c in CONTENT)
    return f"md5(concat_ws(chr(31), {parts}))"


_REJECT_COLUMNS = "{f: 'INTEGER', l: 'BIGINT', reason: 'VARCHAR', raw: 'VARCHAR'}"
_EVENT_COLUMNS = "{f: 'INTEGER', l: 'BIGINT', e: 'JSON'}"


def _read(path: Path, columns: str) -> str:
    return (
        f"read_json({text(path)}, columns = {columns}, format = 'newline_delimited',"
        f" maximum_object_size = {largest_object(path, LARGEST_LINE)})"
    )


def _typed(events: Path) -> str:
    event, timestamp = f"v[{_NUMBER['event']}]", f"v[{_NUMBER['timestamp']}]"
    columns = ", ".join(f"{_of_its_type(column)} AS {name(column.name)}" for column in SENT)
    others = " ".join(
        f"WHEN {text(collection.table)} THEN {_custom_args(collection)}" for collection in EVENT_COLLECTIONS
    )
    return (
        f"SELECT * EXCLUDE (v), {_MESSAGE_ID} AS message_id,"
        f" CASE kind {others} END AS custom_args, CASE WHEN nullif(trim({event}), '') IS NULL THEN 'no_event'"
        f" WHEN {timestamp} IS NULL THEN 'no_timestamp'"
        f" WHEN {name('timestamp')} IS NULL THEN 'bad_timestamp' END AS flaw"
        f" FROM (SELECT f, l, json, v, kind, {columns}"
        f" FROM (SELECT f, l, json, v, CASE {_kinds(f'lower(trim({event}))')} END AS kind"
        f" FROM (SELECT f, l, e AS json, {values(SENT).replace('(json', '(e')} AS v"
        f" FROM {_read(events, _EVENT_COLUMNS)})))"
    )


def _kinds(event: str) -> str:
    known = " ".join(
        f"WHEN {event} IN ({', '.join(map(text, collection.events))}) THEN {text(collection.table)}"
        for collection in EVENT_COLLECTIONS
        if collection.events
    )
    return f"{known} ELSE 'other_event'"


def _of_its_type(column: Column) -> str:
    """The column's value, where the event's type has the column: else the field is a custom argument."""
    value = typed(column, _NUMBER[column.name])
    carriers = _CARRIERS[column.name]
    if len(carriers) == len(EVENT_COLLECTIONS):
        return value
    return f"CASE WHEN kind IN ({', '.join(map(text, carriers))}) THEN {value} END"


def _custom_args(collection: EventCollection) -> str:
    return left_over([(_NUMBER[column.name], column) for column in collection.sent_columns])


_RAW_ID = f"trim(v[{_NUMBER['sg_message_id']}])"
_MESSAGE_ID = (
    # Old ids have dots in the message's part, so `.filter` and `.recvd` come before the first dot.
    f"CASE WHEN regexp_matches({_RAW_ID}, '^(filter|recvd|$)') THEN NULL"
    f" WHEN regexp_matches({_RAW_ID}, '\\.(filter|recvd)')"
    f" THEN nullif(regexp_extract({_RAW_ID}, '^(.*?)\\.(filter|recvd)', 1), '')"
    f" ELSE nullif(split_part({_RAW_ID}, '.', 1), '') END"
)

_UNIQUE = "json_extract(custom_args, '/unique_args')"
_REST = "json_merge_patch(custom_args, '{\"unique_args\":null}')"
_UNPACK_UNIQUE_ARGS = (
    # Documented as an object though sent flat: its content is custom arguments. Joined as text: exact.
    f"UPDATE events SET custom_args = CASE WHEN {_REST} = '{{}}' THEN nullif({_UNIQUE}, '{{}}')"
    f" WHEN {_UNIQUE} = '{{}}' THEN {_REST} ELSE left({_UNIQUE}::VARCHAR, -1) || ',' || substr({_REST}::VARCHAR, 2) END"
    f" WHERE contains(custom_args::VARCHAR, '\"unique_args\":{{') AND json_type({_UNIQUE}) = 'OBJECT'"
    f" AND NOT list_has_any(json_keys({_UNIQUE}), json_keys({_REST}))"
)

TABLE_COLUMNS = {
    collection.table: names(column.name for column in collection.columns) for collection in EVENT_COLLECTIONS
}
"""Quoted columns of each event table, in order."""
