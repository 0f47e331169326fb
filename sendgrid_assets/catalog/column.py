"""A column: its SQL name and type, what it means, and where SendGrid's JSON has it.

Belongs here: the column as data. Does not: how a value is cast (`warehouse.typing`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SqlType = Literal[
    "VARCHAR",
    "BIGINT",
    "DOUBLE",
    "BOOLEAN",
    "TIMESTAMP",
    "DATE",
    "JSON",
    "VARCHAR[]",
    "BIGINT[]",
    "UUID",
]

Shape = Literal["plain", "text_or_list", "typed_pairs", "event_name"]
"""How the JSON value becomes the column's value.

`plain`: by its type alone. `text_or_list`: one text or an array of texts, always a list. `typed_pairs`: an
array of {name, type, value} (legacy custom fields), as one object name -> value. `event_name`: lower case.
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: SQL name, in snake_case.
        type: DuckDB type. Instants are `TIMESTAMP` in UTC; a `DATE` is a day of statistics.
        description: one sentence, shown as the column's comment and in Dagster's UI.
        path: keys that lead to the value in SendGrid's object; empty for columns that we add.
        shape: how the JSON value is read.
        personal: whether it holds personal data (an address, a name).
        absent: what stands where SendGrid sends no value: for columns of a key, which cannot be NULL.
    """

    name: str
    type: SqlType
    description: str
    path: tuple[str, ...] = ()
    shape: Shape = "plain"
    personal: bool = False
    absent: str | int | None = None


def sent(
    name: str,
    type_: SqlType,
    description: str,
    *,
    path: tuple[str, ...] | None = None,
    shape: Shape = "plain",
    personal: bool = False,
    absent: str | int | None = None,
) -> Column:
    """A column that SendGrid sends, found under its own name unless `path` says otherwise."""
    return Column(name, type_, description, path or (name,), shape, personal, absent)


def added(name: str, type_: SqlType, description: str) -> Column:
    """A column that we add."""
    return Column(name, type_, description)
