"""From a catalog entry to pages of its rows, whatever it takes.

Belongs here: which readers a collection needs, and how they are put together. Does not: the readers.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sendgrid_assets.catalog.paging import (
    ByActivity,
    ByDay,
    ByExport,
    ByLastSeen,
    ByNumber,
    ByOffset,
    ByToken,
    Whole,
)

from .activity import activity_pages
from .days import day_pages
from .details import Detailer, unnested
from .each import each_pages
from .export import export_pages, is_upgraded
from .known import NOTHING, Known
from .paging import by_last_seen, by_number, by_offset, by_token, unlike, whole
from .parents import Family

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sendgrid_assets.catalog.collection import ObjectCollection

    from .block import Rows
    from .client import Client
    from .evidence import Evidence


@dataclass(frozen=True, slots=True)
class Reading:
    """How one collection is read, in one run.

    Attributes:
        client: whom to ask.
        scratch: an existing folder for files.
        known: what need not be read again.
        family: the parents read so far in this run.
    """

    client: Client
    scratch: Path
    known: Known = NOTHING
    family: Family = field(default_factory=Family)

    def pages(self, collection: ObjectCollection, evidence: Evidence) -> Iterator[Rows]:
        """The collection's pages, to its end.

        Args:
            collection: what to ask for.
            evidence: filled in with what the reading learns beside the rows.

        Raises:
            SendGridError: the listing could not be read to its end.
        """
        collection = self._settled(collection)
        if collection.each:
            parents = self.family.of(collection.each.parent, self._plain)
            return each_pages(
                collection, collection.each, parents, self.known, self.scratch, evidence, self._of_parent
            )
        listed = self._listed(self._narrowed(collection), self.scratch, evidence)
        if collection.details:
            return Detailer(self.client, collection, collection.details, self.known).pages(listed)
        if collection.nested:
            return unnested(listed, collection.nested, collection.path)
        return listed

    def _plain(self, collection: ObjectCollection, evidence: Evidence) -> Iterator[Rows]:
        """A parent's listing: all of it, and no details."""
        return self._listed(collection, self.scratch, evidence)

    def _of_parent(
        self, collection: ObjectCollection, parent: str, scratch: Path, evidence: Evidence
    ) -> Iterator[Rows]:
        fetched = 0
        for page in self._listed(collection, scratch, evidence, parent):
            fetched += len(page)
            yield page
        evidence.short |= evidence.count is not None and fetched < evidence.count

    def _settled(self, collection: ObjectCollection) -> ObjectCollection:
        style = collection.paging
        if isinstance(style, ByNumber) and style.upgraded and is_upgraded(self.client, style.upgraded):
            return replace(collection, paging=style.upgraded)
        return collection

    def _narrowed(self, collection: ObjectCollection) -> ObjectCollection:
        if collection.since is None or self.known.since is None:
            return collection
        start = {collection.since.parameter: str(int(self.known.since.replace(tzinfo=dt.UTC).timestamp()))}
        return replace(collection, params={**collection.params, **start})

    def _listed(
        self, collection: ObjectCollection, scratch: Path, evidence: Evidence, parent: str | None = None
    ) -> Iterator[Rows]:
        client, style, path = self.client, collection.paging, collection.path
        match style:
            case Whole():
                return whole(client, collection)
            case ByOffset():
                return unlike(by_offset(client, collection, style, evidence), path)
            case ByToken():
                return unlike(by_token(client, collection, style), path)
            case ByNumber():
                return unlike(by_number(client, collection, style, evidence), path)
            case ByLastSeen():
                return unlike(by_last_seen(client, collection, style), path)
            case ByExport():
                return export_pages(client, collection, style, scratch, evidence, parent)
            case ByDay():
                return day_pages(client, collection, style, self._names(style, evidence), self.known)
            case ByActivity():
                return activity_pages(client, collection, style, self.known, evidence)

    def _names(self, style: ByDay, evidence: Evidence) -> list[str]:
        if style.names is None:
            return []
        parents = self.family.of(style.names.parent, self._plain)
        evidence.add(parents.evidence)
        return [str(row[style.names.member]) for row in parents.rows if row.get(style.names.member)]
