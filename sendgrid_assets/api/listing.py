"""A collection being read: rows as they come, and afterwards what the reading was like.

Belongs here: the rows' stream with its counts, and whether it was proven complete. Does not: paging, SQL.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from .body import read_object
from .errors import NotThereError, RefusedError, SendGridError
from .evidence import Evidence
from .paging import pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendgrid_assets.catalog.collection import ObjectCollection

    from .client import Client


class Listing:
    """All rows of one collection, read once.

    Opening it asks for the first page, so that a refusal shows before any row is handed out.

    Attributes:
        collection: what is read.
        started_at: when SendGrid was first asked (UTC, without a zone, as the warehouse keeps instants).
        fetched: rows handed out so far.
        expected: rows SendGrid says there are, known at the end; None where it does not say.
        ended: whether every row has been handed out.
        requests: requests made.
        waited_seconds: seconds waited for rate limits, retries and export jobs.
    """

    def __init__(self, client: Client, collection: ObjectCollection) -> None:
        self.collection = collection
        self.started_at = dt.datetime.fromtimestamp(client.now(), dt.UTC).replace(tzinfo=None)
        self.fetched = 0
        self.expected: int | None = None
        self.ended = False
        self._client = client
        self._requests_before = client.requests
        self._waited_before = client.waited_seconds
        self._scratch = tempfile.TemporaryDirectory(prefix="sendgrid-export-")
        self._evidence = Evidence()
        try:
            self._pages = pages(client, collection, Path(self._scratch.name), self._evidence)
            self._first = next(self._pages, [])
        except BaseException as error:
            self._scratch.cleanup()
            if isinstance(error, NotThereError) and error.path == collection.path:
                raise RefusedError(
                    f"SendGrid does not offer {collection.table} here ({collection.path}, 404): "
                    "the host in the source's API_URL, or the account, has no such product."
                ) from error
            if isinstance(error, RefusedError):
                permissions = " or ".join(collection.scopes)
                raise RefusedError(
                    f"SendGrid refuses {collection.table} ({collection.path}, 403): the account has no such "
                    f"product, or the key lacks the permission {permissions}."
                ) from error
            raise

    @property
    def requests(self) -> int:
        """Requests made for this listing."""
        return self._client.requests - self._requests_before

    @property
    def waited_seconds(self) -> float:
        """Seconds waited for this listing."""
        return self._client.waited_seconds - self._waited_before

    @property
    def whole(self) -> bool:
        """Whether the listing was read to its end, undisturbed: see `doubt`."""
        return self.ended and self.doubt is None

    @property
    def doubt(self) -> str | None:
        """Why rows may be missing though the listing came to its end; None where nothing says so."""
        return self._evidence.doubt

    def __iter__(self) -> Iterator[bytes]:
        """The rows, each one line of JSON.

        Raises:
            SendGridError: the listing could not be read to its end; nothing of it may be kept.
        """
        try:
            page = self._first
            while page is not None:
                self.fetched += len(page)
                yield from page
                page = next(self._pages, None)  # type: ignore[arg-type]
            self.expected = self._counted()
            self.ended = True
        finally:
            self._scratch.cleanup()

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
