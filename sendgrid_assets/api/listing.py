"""A collection being read: rows as they come, and afterwards what the reading was like.

Belongs here: the rows' stream with its counts, and whether it was proven complete. Does not: paging, SQL.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec

from sendgrid_assets.catalog.paging import ByActivity, ByDay

from .block import Block
from .body import read_object
from .errors import NotThereError, RefusedError, SendGridError
from .evidence import Evidence
from .known import NOTHING, Known
from .parents import Family
from .permissions import Permissions
from .reading import Reading
from .scratch import Scratch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendgrid_assets.catalog.collection import ObjectCollection

    from .block import Rows
    from .client import Client


class Listing:
    """All rows of one collection, or what is new of it, read once.

    Opening it asks for the first rows, so that a refusal shows before any row is handed out.

    Attributes:
        collection: what is read.
        started_at: when SendGrid was first asked (UTC, without a zone, as the warehouse keeps instants).
        fetched: rows handed out so far.
        expected: rows SendGrid says there are, known at the end; None where it does not say.
        ended: whether every row has been handed out.
        requests: requests made.
        waited_seconds: seconds waited for rate limits, retries and export jobs.
    """

    def __init__(
        self,
        client: Client,
        collection: ObjectCollection,
        known: Known = NOTHING,
        *,
        family: Family | None = None,
        permissions: Permissions | None = None,
    ) -> None:
        """Asks for the first rows.

        Args:
            client: whom to ask.
            collection: what to ask for.
            known: what need not be read again.
            family: parents read in this run; None where there were none.
            permissions: what the key may do, told where it is refused.

        Raises:
            RefusedError: the collection is not for this key or account.
            SendGridError: it could not be read.
        """
        self.collection = collection
        self.started_at = dt.datetime.fromtimestamp(client.now(), dt.UTC).replace(tzinfo=None)
        self.fetched = 0
        self.expected: int | None = None
        self.ended = False
        self._client = client
        self._known = known
        self._before = (client.requests, client.waited_seconds)
        self._after: tuple[int, float] | None = None
        self._scratch = Scratch()
        self._evidence = Evidence()
        reading = Reading(client, self._scratch.path, known, family or Family())
        try:
            self._pages = reading.pages(collection, self._evidence)
            self._first: Rows = next(self._pages, [])
        except BaseException as error:
            self._scratch.remove()
            if isinstance(error, NotThereError) and error.path in _paths(collection):
                raise RefusedError(
                    f"SendGrid does not offer {collection.table} here ({error.path}, 404): "
                    "the host in the source's API_URL, or the account, has no such product."
                ) from error
            if isinstance(error, RefusedError):
                meaning = (permissions or Permissions(client)).sentence(collection)
                said = str(error).removesuffix(".")
                raise RefusedError(f"{said}, so {collection.table} stays as it was: {meaning}") from error
            raise

    @property
    def requests(self) -> int:
        """Requests made for this listing."""
        return (self._after or self._now)[0] - self._before[0]

    @property
    def waited_seconds(self) -> float:
        """Seconds waited for this listing."""
        return (self._after or self._now)[1] - self._before[1]

    @property
    def _now(self) -> tuple[int, float]:
        return self._client.requests, self._client.waited_seconds

    @property
    def whole(self) -> bool:
        """Whether the listing was read to its end, undisturbed: see `doubt`."""
        return self.ended and self.doubt is None

    @property
    def doubt(self) -> str | None:
        """Why rows may be missing though the listing came to its end; None where nothing says so."""
        return self._evidence.doubt

    @property
    def standing(self) -> tuple[str, ...]:
        """Parents that were not asked for: their rows stand as they are."""
        return tuple(self._evidence.standing)

    @property
    def since(self) -> dt.datetime | None:
        """What the listing reaches back to (UTC); None for all there is."""
        match self.collection.paging:
            case ByDay():
                first = dt.datetime.combine(self._known.start_date, dt.time.min)
                return max(self._known.since, first) if self._known.since else first
            case ByActivity(days=days):
                return self._known.since or self.started_at - dt.timedelta(days=days)
        return self._known.since if self.collection.since else None

    @property
    def partial(self) -> bool:
        """Whether only what is new was asked for."""
        return self._known.since is not None and self.since is not None

    def blocks(self) -> Iterator[bytes]:
        """The rows as texts of one or many lines of JSON, without the last one's end.

        Raises:
            SendGridError: the listing could not be read to its end; nothing of it may be kept.
        """
        return (page.text if isinstance(page, Block) else b"\n".join(page) for page in self._read() if page)

    def __iter__(self) -> Iterator[bytes]:
        """The rows, each one line of JSON.

        Raises:
            SendGridError: as `blocks`.
        """
        for page in self._read():
            yield from page

    def _read(self) -> Iterator[Rows]:
        try:
            page: Rows | None = self._first
            while page is not None:
                self.fetched += len(page)
                yield page
                page = next(self._pages, None)
            self.expected = self._counted()
            self.ended = True
        finally:
            self._after = self._now
            self._scratch.remove()

    def _counted(self) -> int | None:
        if self._evidence.count is not None:
            return self._evidence.count
        count = self.collection.count
        if count is None:
            return None
        try:
            members = read_object(self._client.get(count.path), count.path)
            return msgspec.json.decode(members[count.field], type=int)
        except (SendGridError, KeyError, msgspec.DecodeError):
            # The rows are here; without the count they prove no absence.
            self._evidence.uncounted = True
            return None


def _paths(collection: ObjectCollection) -> set[str]:
    """Where the collection, or what it is asked by, is: a 404 there means that the product is not offered."""
    paths = {collection.path}
    if collection.each:
        paths.add(collection.each.parent.path)
    if isinstance(collection.paging, ByDay) and collection.paging.names:
        paths.add(collection.paging.names.parent.path)
    return paths
