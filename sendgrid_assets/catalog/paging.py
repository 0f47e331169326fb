"""The ways in which SendGrid hands out a collection, as data.

Belongs here: one class a style, with its parameters. Does not: asking for pages (`api.paging`, `api.export`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .collection import ObjectCollection


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole collection in one answer."""


@dataclass(frozen=True, slots=True)
class ByOffset:
    """`limit` and `offset`.

    Attributes:
        limit: rows asked for a page.
        frozen_by: a query parameter set to the start of the listing (unix seconds), so that rows added
            meanwhile do not shift the pages; None where SendGrid has none.
        short_page_ends: whether a page shorter than `limit` is the last; False where SendGrid documents no
            greatest limit and may hand out fewer, so that only an empty page is the end.
    """

    limit: int
    frozen_by: str | None = None
    short_page_ends: bool = True


@dataclass(frozen=True, slots=True)
class ByToken:
    """`page_size`, then whatever query `_metadata.next` carries; the last page has none."""

    page_size: int


@dataclass(frozen=True, slots=True)
class ByExport:
    """An export job: POST to the path, poll `path/{id}`, download every file it names.

    Attributes:
        count_field: the job's own count of rows.
        path: where jobs are asked for; empty where it is the collection's own path.
        narrowed_by: member of the request that names the parent (`Each`) whose rows are wanted.
        numeric: whether the parent's id is sent as a number, where it is one.
        renamed: members of the file's rows under their names in a listing's.
    """

    count_field: str
    path: str = ""
    narrowed_by: str | None = None
    numeric: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ByNumber:
    """`page` from 1 and `page_size`; a 404 ends it, an empty page does not (legacy contactdb).

    Attributes:
        page_size: rows asked for a page.
        upgraded: the export that takes its place on accounts which no longer page: those that answer its
            path with 200.
    """

    page_size: int
    upgraded: ByExport | None = None


@dataclass(frozen=True, slots=True)
class ByLastSeen:
    """`limit` and `lastSeenID`, the highest `id` of the rows so far; a short page ends it.

    Attributes:
        limit: rows asked for a page.
    """

    limit: int


@dataclass(frozen=True, slots=True)
class ByDay:
    """Statistics: `start_date` and `end_date`, both inclusive, one answer for all days between.

    An answer is an array of {date, stats: [{type, name, metrics}]}; a row is one of `stats` with its `date`.
    Numbers of a past day keep growing, so the last days are read again each time.

    Attributes:
        names: where the names come from that must be asked for, and the parameter that carries them; None
            where all come unasked.
        days: most days asked for at once.
        again_days: how many of the days before the last sync are read again.
    """

    names: Names | None = None
    days: int = 92
    again_days: int = 10


@dataclass(frozen=True, slots=True)
class Names:
    """Names that a statistics endpoint must be given, so many at once.

    Attributes:
        parent: the collection that lists them.
        member: which member of its rows is the name.
        parameter: the query parameter, repeated for each name.
        most: names allowed in one request.
    """

    parent: ObjectCollection
    member: str
    parameter: str
    most: int = 10


@dataclass(frozen=True, slots=True)
class ByActivity:
    """Email Activity: no pages, so a window of time is halved until it has fewer than `limit` rows.

    Attributes:
        member: the instant that windows are cut by.
        limit: most rows of an answer.
        days: how long SendGrid keeps them.
        again_seconds: how much of what was read before is read again.
    """

    member: str
    limit: int = 1000
    days: int = 30
    again_seconds: int = 3600


Paging = Whole | ByOffset | ByToken | ByNumber | ByLastSeen | ByExport | ByDay | ByActivity
