"""What a listing leaves out of a row: asked for apart, and only where the row changed.

Belongs here: which rows need it, merging it in, and taking nested rows out. Does not: the listing's pages.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from sendgrid_assets.catalog.reading import KEPT

from .body import read_object, sound
from .errors import NotThereError
from .members import Members, members, nested, value
from .prefetch import in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendgrid_assets.catalog.collection import ObjectCollection
    from sendgrid_assets.catalog.reading import Details

    from .block import Rows
    from .client import Client
    from .known import Known

DETAILS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Detailer:
    """Completes one collection's rows.

    Attributes:
        client: whom to ask.
        collection: whose rows.
        details: what is missing.
        known: rows whose details stand.
    """

    client: Client
    collection: ObjectCollection
    details: Details
    known: Known

    def pages(self, listed: Iterator[Rows]) -> Iterator[Rows]:
        """The pages with their rows completed, or marked as standing where nothing changed.

        Raises:
            SendGridError: an answer could not be had, or is none.
        """
        for page in listed:
            rows = [members(row, self.collection.path) for row in page]
            calls = (partial(self._completed, row) for row in rows)
            yield [msgspec.json.encode(row) for some in in_order(calls, DETAILS_AT_ONCE) for row in some]

    def _completed(self, row: Members) -> list[Members]:
        rows = self._nested(row)
        if all(self._stands(one) for one in rows):
            return [{**one, KEPT: msgspec.Raw(b"true")} for one in rows]
        path = self.details.path.format(id=quote(_text(row.get("id")), safe=""))
        try:
            detail = read_object(sound(self.client.get(path), f"{path}: the answer is no JSON."), path)
        except NotThereError:
            # Gone since it was listed: the next listing will not have it.
            return [{**one, KEPT: msgspec.Raw(b"true")} for one in rows]
        return self._nested({**row, **detail})

    def _nested(self, row: Members) -> list[Members]:
        member = self.collection.nested
        if member is None:
            return [row]
        return nested(row, member, self.collection.path)

    def _stands(self, row: Members) -> bool:
        stamp = _instant(row.get(self.details.by))
        return stamp is not None and self.known.stamps.get(_text(row.get("id"))) == stamp


def unnested(listed: Iterator[Rows], member: str, path: str) -> Iterator[Rows]:
    """The rows within the listing's rows, where there are no details to ask for."""
    for page in listed:
        yield [msgspec.json.encode(one) for row in page for one in nested(members(row, path), member, path)]


def _text(raw: msgspec.Raw | None) -> str:
    return str(value(raw))


def _instant(raw: msgspec.Raw | None) -> dt.datetime | None:
    """An instant as the warehouse keeps it; None where there is none or it is unreadable, and so never equal."""
    sent = value(raw)
    try:
        if isinstance(sent, int | float):
            return dt.datetime.fromtimestamp(sent, dt.UTC).replace(tzinfo=None)
        instant = dt.datetime.fromisoformat(str(sent))
    except (ValueError, OverflowError, OSError):
        return None
    return instant.astimezone(dt.UTC).replace(tzinfo=None) if instant.tzinfo else instant
