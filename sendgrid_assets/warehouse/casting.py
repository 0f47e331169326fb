"""From SendGrid's JSON to typed columns, and to what is left over.

Belongs here: the SQL that reads one JSON object into a collection's columns. Does not: statements and tables.

A value that is there but does not fit its column leaves the column NULL and stays in the left-over object, as
do fields that have no column. SQL here reads an object `json` and the list `v`, which is made by `values`;
`left_over` reads the columns too, so that their casts are planned once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .sql import name, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sendgrid_assets.catalog.column import Column

MACROS = Path(__file__).with_name("macros.sql").read_text(encoding="utf-8")
"""Statements to run once per connection."""


def pointer(path: Sequence[str]) -> str:
    """The JSON pointer (RFC 6901) of a path."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path)


def values(columns: Sequence[Column]) -> str:
    """The list `v`: the text of every column's value, read in one pass over the object."""
    pointers = ", ".join(text(pointer(column.path)) for column in columns)
    return f"json_extract_string(json, [{pointers}])"


Place = int | str
"""Where a column's text is: its number among those `values` was made of, from 1, or SQL of one's own for it."""


def typed(column: Column, place: Place, member: str | None = None) -> str:
    """The column's value.

    Args:
        column: a column that SendGrid sends.
        place: where its text is.
        member: SQL for its JSON, where that need not be looked for in the object again.
    """
    if column.absent is not None:
        stands = text(column.absent) if isinstance(column.absent, str) else str(column.absent)
        return f"CASE WHEN {_value(place)} IS NULL THEN {stands} ELSE {_cast(column, place, member)} END"
    return _cast(column, place, member)


def _value(place: Place) -> str:
    return place if isinstance(place, str) else f"v[{place}]"


def _cast(column: Column, place: Place, member: str | None) -> str:
    value = _value(place)
    member = member or f"json_extract(json, {text(pointer(column.path))})"
    if column.shape == "event_name":
        return f"lower(trim({value}))"
    if column.shape == "typed_pairs":
        return _where_there(value, f"sg_pairs({member})")
    match column.type:
        case "VARCHAR":
            return value
        case "BIGINT":
            return f"sg_bigint({value})"
        case "TIMESTAMP":
            return f"sg_instant({value})"
        case "VARCHAR[]":
            return _where_there(value, f"sg_list({member})")
        case "BIGINT[]":
            return _where_there(value, f"TRY_CAST(sg_list({member}) AS BIGINT[])")
        case "JSON":
            return _where_there(value, member)
        case _:
            # A DATE takes an instant's date part, too.
            return f"TRY_CAST({value} AS {column.type})"


def _where_there(value: str, member: str) -> str:
    """The member, which is a second look into the object, only where it is there and not null."""
    return f"CASE WHEN {value} IS NOT NULL THEN {member} END"


def fits(column: Column, place: Place) -> str:
    """Whether the column holds its value: a condition on its text, true for most columns by their type alone."""
    if column.type in ("VARCHAR", "VARCHAR[]", "JSON") and column.shape != "typed_pairs":
        return "true"
    # The column first: looking into the list costs more, and few rows come to that.
    lost = f"{name(column.name)} IS NULL AND {_value(place)} IS NOT NULL"
    if column.type in ("TIMESTAMP", "DATE"):
        # An empty text and a 0 say that there is no instant.
        lost += f" AND {_value(place)} NOT IN ('', '0')"
    return f"NOT ({lost})"


def left_over(
    columns: Iterable[tuple[Place, Column]],
    ignored: Sequence[str] = (),
    *,
    only: bool = False,
    held: Mapping[str, str] | None = None,
) -> str:
    """The object without what the columns hold; NULL if nothing is left.

    Args:
        columns: the columns, each with the place where its text is.
        ignored: members left out for good.
        only: whether `v` holds these columns' values and no others.
        held: SQL for the JSON of members that columns are flattened from, by key, where that need not be looked for
            in the object again; NULL where it is no more than a null.
    """
    numbered = list(columns)
    members = _members(numbered, held or {})
    all_fit = " AND ".join(member.goes for member in members if member.goes != "true") or "true"
    patch = dict.fromkeys([*ignored, *(member.key for member in members)])
    usual = f"json_merge_patch(json, {text(json.dumps(patch))})"
    some = f"nullif(CASE WHEN {all_fit} THEN {usual} ELSE {_careful(members, ignored)} END, '{{}}')"
    keys = {member.key for member in members}
    if not only or len(keys) < len(numbered) or any(member.inner for member in members):
        return some
    # As many members as were found are all there are: by far the fastest to tell.
    return f"CASE WHEN len(json_keys(json)) = list_count(v) AND {all_fit} THEN NULL ELSE {some} END"


@dataclass(frozen=True, slots=True)
class _Member:
    """A top-level member that columns are read from.

    Attributes:
        key: its name.
        goes: condition that the columns hold all of it.
        inner: for a flattened object, its own members and the condition that each goes.
    """

    key: str
    goes: str
    inner: tuple[tuple[str, str], ...] = ()


def _members(columns: Iterable[tuple[Place, Column]], held: Mapping[str, str]) -> list[_Member]:
    plain: list[_Member] = []
    flattened: dict[str, list[tuple[str, str]]] = {}
    for place, column in columns:
        if len(column.path) == 1:
            plain.append(_Member(column.path[0], fits(column, place)))
        else:
            flattened.setdefault(column.path[0], []).append((column.path[1], fits(column, place)))
    return plain + [
        _Member(key, _wholly(held.get(key) or f"json, {text(pointer([key]))}", inner), tuple(inner))
        for key, inner in flattened.items()
    ]


def _wholly(where: str, inner: Sequence[tuple[str, str]]) -> str:
    known = ", ".join(text(member) for member, _ in inner)
    only_known = f"list_has_all([{known}], json_keys({where}))"
    kind = f"json_type({where})"
    is_held = f"coalesce({kind} = 'NULL' OR {kind} = 'OBJECT' AND {only_known}, true)"
    return " AND ".join([is_held, *(goes for _, goes in inner if goes != "true")])


def _careful(members: Sequence[_Member], ignored: Sequence[str]) -> str:
    """Removes only what the columns hold, by a merge patch (RFC 7386) made for the row."""
    parts = [text(json.dumps(key) + ":null") for key in ignored]
    if not members and not parts:
        return "json_merge_patch(json, '{}')"
    for member in members:
        removal = text(json.dumps(member.key) + ":null")
        partly = ""
        if member.inner:
            opening = text(json.dumps(member.key) + ":{")
            inner = ", ".join(
                f"CASE WHEN {goes} THEN {text(json.dumps(key) + ':null')} END" for key, goes in member.inner
            )
            is_object = f"json_type(json, {text(pointer([member.key]))}) = 'OBJECT'"
            partly = f" WHEN {is_object} THEN {opening} || concat_ws(',', {inner}) || '}}'"
        parts.append(f"CASE WHEN {member.goes} THEN {removal}{partly} END")
    return f"json_merge_patch(json, '{{' || concat_ws(',', {', '.join(parts)}) || '}}')"
