"""What a collection needs beside its pages: a parent to ask by, details, or the instant to ask from, as data.

Belongs here: one class a way, with its parameters. Does not: the pages themselves (`catalog.paging`), asking
(`api`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .collection import ObjectCollection
    from .column import Column

KEPT = "_kept"
"""Member that a reader adds to a row whose details were not asked for again: they stand as they are."""


@dataclass(frozen=True, slots=True)
class Each:
    """A collection that is asked for once for each row of another, its parent.

    Attributes:
        parent: the collection that lists the parents.
        into: member that is added to every row: the parent's id. It also fills `{into}` in the path.
        parent_id: the parent's member that identifies it.
        count: the parent's member that says how many rows it has: none, and nothing is asked for; None where
            it is missing or an estimate.
        watched: table in which a change means that rows may have changed though the counts stand.
        where: member of the parent and the value it must have.
        members: members of a row that are taken; empty for all.
    """

    parent: ObjectCollection
    into: str
    parent_id: str = "id"
    count: str | None = None
    watched: str | None = None
    where: tuple[str, str] | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Details:
    """What only an answer of its own has of a row; asked for again where the row's instant of change moved.

    Attributes:
        path: that answer's path, with `{id}` for the listing row's `id`.
        by: member that moves with every change.
        columns: the columns that only it fills, among the collection's `sent_columns`.
    """

    path: str
    by: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Since:
    """A listing that SendGrid narrows to what is new.

    Removals do not show in it, so the whole is listed once a day.

    Attributes:
        parameter: the query parameter, in unix seconds, inclusive.
        column: the column it is about.
        again_seconds: how much of what was read before is read again, for rows that appear late.
    """

    parameter: str
    column: str
    again_seconds: int = 3600
