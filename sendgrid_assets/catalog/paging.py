"""The ways in which SendGrid hands out a collection, as data.

Belongs here: one class a style, with its parameters. Does not: asking for pages (`api.paging`, `api.export`).
"""

from __future__ import annotations

from dataclasses import dataclass


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
class ByNumber:
    """`page` from 1 and `page_size`; a 404 ends it, an empty page does not (legacy contactdb)."""

    page_size: int


@dataclass(frozen=True, slots=True)
class ByExport:
    """An export job: POST to the path, poll `path/{id}`, download every file it names.

    Attributes:
        count_field: the job's own count of rows.
    """

    count_field: str


Paging = Whole | ByOffset | ByToken | ByNumber | ByExport
