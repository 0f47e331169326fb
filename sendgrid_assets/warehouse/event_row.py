"""SQL that reads one event, of a known type, into its table's columns.

Belongs here: columns, custom arguments and the content of a single event. Does not: which events are read
(`warehouse.event_batch`), nor what becomes of them.

The object is read once, into a struct `s` of texts. Of a type's many fields few come in practice: those that a
sample shows are removed from the custom arguments for every event, the others only where an event has one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sendgrid_assets.catalog.events import ACTIVITY_COLUMNS, EVENT_COLLECTIONS, EventCollection

from .casting import left_over, pointer, typed
from .sql import name, text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sendgrid_assets.catalog.column import Column

CONTENT = (
    *(column.name for column in ACTIVITY_COLUMNS if column.path and column.name != "sg_event_id"),
    "custom_args",
)
"""What two events must share to be one that was sent again under another id."""


def instant(value: str) -> str:
    """SQL for the instant in a text; ten digits, as nearly all are, without asking what else it might be."""
    return (
        f"CASE WHEN length({value}) = 10 AND TRY_CAST({value} AS BIGINT) BETWEEN 1000000000 AND 9999999999"
        f" THEN make_timestamp(CAST({value} AS BIGINT) * 1000000) ELSE sg_instant({value}) END"
    )


def kind_of(event: str) -> str:
    """SQL for the number of an event's collection in `EVENT_COLLECTIONS`, from SendGrid's word in lower case."""
    numbered = list(enumerate(EVENT_COLLECTIONS))
    known = " ".join(
        f"WHEN {event} IN ({', '.join(map(text, collection.events))}) THEN {number}"
        for number, collection in numbered
        if collection.events
    )
    (unknown,) = (number for number, collection in numbered if not collection.events)
    return f"(CASE {known} ELSE {unknown} END)::UTINYINT"


def read(collection: EventCollection, rows: str, kept: str, sample: Collection[str]) -> str:
    """A query for events of one type.

    Args:
        collection: the type.
        rows: a query that gives the events as `json`, all of this type, and what is kept.
        kept: columns of that query to keep, each followed by a comma.
        sample: top-level fields that events of the type may have. Any give the same result; the ones that most
            have give it soonest.

    Returns:
        A query for what is kept, the columns that SendGrid sends, `message_id` and `custom_args`.
    """
    columns = {column: _place(column) for column in collection.sent_columns}
    held = {column.path[0]: f"s.{name(column.path[0])}" for column in columns if len(column.path) > 1}
    usual = [(place, column) for column, place in columns.items() if column.path[0] in sample]
    every = [(place, column) for column, place in columns.items()]
    unusual = sorted({column.path[0] for column in columns} - set(sample))
    # A null leaves no trace in its column, but it does in what is left.
    keys = ", ".join(map(text, unusual))
    plain = " AND ".join(
        [
            f"(NOT contains(usual, 'null') OR NOT list_has_any(json_keys(usual), [{keys}]::VARCHAR[]))",
            *(f"s.{name(key)} IS NULL" for key in unusual),
        ]
    )
    names = ", ".join(name(column.name) for column in columns)
    given = ", ".join(f"{_typed(column, place)} AS {name(column.name)}" for column, place in columns.items())
    return (
        f"SELECT {kept} {names}, message_id, {_UNPACKED} AS custom_args"
        f" FROM (SELECT {kept} {names}, {_MESSAGE_ID} AS message_id,"
        f" CASE WHEN usual IS NULL OR {plain} THEN usual"
        f" ELSE {left_over(every, held=held)} END AS custom_args"
        f" FROM (SELECT *, {left_over(usual, held=held)} AS usual FROM (SELECT {kept} json, s, {given}"
        f" FROM (SELECT {kept} json, json_transform(json, {text(_struct(collection))}) AS s FROM ({rows})))))"
    )


def content_of(columns: Mapping[str, str | None]) -> str:
    """Digest of an event's content: equal for two events that differ in nothing but the id.

    Args:
        columns: every name of `CONTENT`, with the SQL that gives its value where that is not the name itself.
    """
    # Unit and record separators: no value holds them but inside JSON text, where they are escaped.
    parts = ", ".join(f"coalesce({columns[c] or name(c)}::VARCHAR, chr(30))" for c in CONTENT)
    return f"md5(concat_ws(chr(31), {parts}))"


def content_in(collection: EventCollection, alias: str) -> str:
    """The digest of a row that has the collection's columns only.

    Args:
        collection: whose row.
        alias: the row's name in the query.
    """
    held = {column.name for column in collection.columns}
    return content_of({c: f"{alias}.{name(c)}" if c in held else "NULL" for c in CONTENT})


def _place(column: Column) -> str:
    top = f"s.{name(column.path[0])}"
    return top if len(column.path) == 1 else f"json_extract_string({top}, {text(pointer(column.path[1:]))})"


def _typed(column: Column, place: str) -> str:
    if column.type == "TIMESTAMP":
        return instant(place)
    if column.type == "VARCHAR":
        # A number beyond 1e21 or below 1e-6 is written otherwise by `json_transform` than by all else that reads JSON.
        exact = f"json_extract_string(json, {text(pointer(column.path))})"
        may_be = f"contains({place}, 'e+') OR contains({place}, 'e-') AND length({place}) < {_LONGEST_NUMBER}"
        return typed(column, f"CASE WHEN {may_be} THEN {exact} ELSE {place} END")
    return typed(column, place, place)


def _struct(collection: EventCollection) -> str:
    """The struct's structure as `json_transform` reads it: texts, and JSON for what is or may be more."""
    return json.dumps(
        {
            column.path[0]: "JSON" if len(column.path) > 1 or column.type == "VARCHAR[]" else "VARCHAR"
            for column in collection.sent_columns
        }
    )


_RAW_ID = "trim(sg_message_id)"
_OLD_MESSAGE_ID = (
    # Old ids have dots in the message's part, so `.filter` and `.recvd` come before the first dot.
    f"CASE WHEN regexp_matches({_RAW_ID}, '^(filter|recvd|$)') THEN NULL"
    f" WHEN regexp_matches({_RAW_ID}, '\\.(filter|recvd)')"
    f" THEN nullif(regexp_extract({_RAW_ID}, '^(.*?)\\.(filter|recvd)', 1), '')"
    f" ELSE nullif(split_part({_RAW_ID}, '.', 1), '') END"
)
_LONGEST_NUMBER = 32
_FIRST = "substr(sg_message_id, 1, 22)"
_MESSAGE_ID = (
    # Today's ids, told by their shape alone because that is much faster: 22 characters, then `.recvd`.
    f"CASE WHEN substr(sg_message_id, 23, 6) = '.recvd' AND NOT contains({_FIRST}, '.')"
    f" AND NOT contains({_FIRST}, ' ') AND NOT contains({_FIRST}, chr(10))"
    f" AND NOT starts_with({_FIRST}, 'filter') AND NOT starts_with({_FIRST}, 'recvd')"
    f" THEN {_FIRST} ELSE {_OLD_MESSAGE_ID} END"
)

_UNIQUE = "json_extract(custom_args, '/unique_args')"
_REST = "json_merge_patch(custom_args, '{\"unique_args\":null}')"
_UNPACKED = (
    # Documented as an object though sent flat: its content is custom arguments. Joined as text: exact.
    f"CASE WHEN contains(custom_args, '\"unique_args\":{{') AND json_type({_UNIQUE}) = 'OBJECT'"
    f" AND NOT list_has_any(json_keys({_UNIQUE}), json_keys({_REST}))"
    f" THEN CASE WHEN {_REST} = '{{}}' THEN nullif({_UNIQUE}, '{{}}') WHEN {_UNIQUE} = '{{}}' THEN {_REST}"
    f" ELSE (left({_UNIQUE}::VARCHAR, -1) || ',' || substr({_REST}::VARCHAR, 2))::JSON END"
    " ELSE custom_args END"
)
