"""Views `<table>_with_custom_fields`: contacts with a typed column for each custom field of the account.

Belongs here: which tables have custom fields, and their views. Does not: the fields' values (the table's column
`custom_fields`).

The names are whatever people typed, and the views must be readable by any program: so no macros of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .casting import pointer
from .sql import name, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from duckdb import DuckDBPyConnection

_DATE = (
    # A cast to TIMESTAMP would drop an offset unread; SendGrid's older product writes month, day, year.
    "CASE WHEN regexp_matches({value}, ':.*[+-]') THEN make_timestamp(epoch_us(TRY_CAST({value} AS TIMESTAMPTZ)))"
    " ELSE coalesce(TRY_CAST({value} AS TIMESTAMP), try_strptime({value}, '%m/%d/%Y')) END"
)
TYPED = {"number": "TRY_CAST({value} AS DOUBLE)", "date": _DATE}
"""How a value becomes its column's, by the field's type in lower case; others are text."""


@dataclass(frozen=True, slots=True)
class _Definitions:
    """Where the custom fields of a table are defined.

    Attributes:
        contacts: the table with the values.
        definitions: the table with the fields.
        type_column: its column with the field's type.
        ours: condition on its rows: a field of the account's own.
    """

    contacts: str
    definitions: str
    type_column: str
    ours: str = "true"


_BY_CONTACTS = {
    one.contacts: one
    for one in (
        _Definitions("recipients", "custom_fields", "type"),
        _Definitions("mc_contacts", "mc_field_definitions", "field_type", "NOT starts_with(id, '_rf')"),
    )
}
TABLES = tuple(_BY_CONTACTS)
"""Tables that have such a view."""


def view_name(table: str) -> str:
    """The view of a table."""
    return f"{table}_with_custom_fields"


def refresh_after(connection: DuckDBPyConnection, schema: str, table: str) -> None:
    """Makes the view anew whose fields are defined in a table; nothing if none are."""
    for one in _BY_CONTACTS.values():
        if one.definitions == table:
            refresh(connection, schema, one.contacts)


def refresh(connection: DuckDBPyConnection, schema: str, table: str) -> None:
    """Makes the view of a table anew, with the fields that are defined now.

    Args:
        connection: the warehouse, in a transaction.
        schema: the table's schema.
        table: one of `TABLES`.
    """
    one = _BY_CONTACTS[table]
    columns: list[tuple[str, str | None]] = connection.execute(
        "SELECT column_name, comment FROM duckdb_columns() WHERE database_name = current_database()"
        f" AND schema_name = {text(schema)} AND table_name = {text(table)} ORDER BY column_index"
    ).fetchall()
    fields: list[tuple[str, str | None]] = connection.execute(
        f"SELECT name, lower({name(one.type_column)}) FROM {name(schema, one.definitions)}"
        f" WHERE deleted_at IS NULL AND nullif(name, '') IS NOT NULL AND {one.ours}"
        " ORDER BY first_synced_at, length(id), id"
    ).fetchall()
    named = list(zip(_apart([column for column, _ in columns], fields), fields, strict=True))
    selected = ", ".join(
        [
            *(name(column) for column, _ in columns),
            *(f"{_typed(field, type_)} AS {name(column)}" for column, (field, type_) in named),
        ]
    )
    view = name(schema, view_name(table))
    connection.execute(f"CREATE OR REPLACE VIEW {view} AS SELECT {selected} FROM {name(schema, table)}")
    described = f"Table `{table}`, and after its columns one for each custom field, of the field's type."
    connection.execute(f"COMMENT ON VIEW {view} IS {text(described)}")
    comments = [*columns, *((column, f"Custom field {field}.") for column, (field, _) in named)]
    for column, comment in comments:
        if comment is not None:
            connection.execute(f"COMMENT ON COLUMN {view}.{name(column)} IS {text(comment)}")


def _typed(field: str, type_: str | None) -> str:
    value = f"json_extract_string(custom_fields, {text(pointer([field]))})"
    return TYPED.get(type_ or "", "{value}").replace("{value}", value)


def _apart(columns: Iterable[str], fields: Sequence[tuple[str, str | None]]) -> list[str]:
    """The fields' names, with an ending where SQL could not tell one from a column or another field."""
    taken = {column.lower() for column in columns}
    apart = []
    for field, _ in fields:
        candidate, number = field, 1
        while candidate.lower() in taken:
            candidate = f"{field}_custom" if number == 1 else f"{field}_custom_{number}"
            number += 1
        taken.add(candidate.lower())
        apart.append(candidate)
    return apart
