"""One pager a style of paging: each yields pages of raw rows until the listing has ended.

Belongs here: asking for the next pages, and knowing the last one. Does not: exports (`api.export`), statistics
(`api.days`), which style a collection has (`api.reading`).
A pager that ends without an error has seen the whole listing, unless the evidence says otherwise; a page that
repeats the one before fails it, since a server that ignores the parameters would be asked for ever.
Pages are asked for before their turn, the more of them the more have been full: a short table costs nothing
extra, a long one at most `WIDTH - 1` requests beyond its end.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import msgspec

from .body import read_object, rows_of, sound
from .errors import BadAnswerError, NoMorePages
from .prefetch import Ahead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendgrid_assets.catalog.collection import ObjectCollection
    from sendgrid_assets.catalog.paging import ByLastSeen, ByNumber, ByOffset, ByToken

    from .client import Client
    from .evidence import Evidence

Page = list[bytes]
Params = dict[str, str | int]

WIDTH = 4
"""Most pages of a listing that are under way at once."""

MOST_PAGES = 1_000_000
"""Beyond this a listing is taken for endless."""

MOST_EMPTY_PAGES = 20
"""So many empty pages in a row end a numbered listing: contactdb pages none in an account without recipients."""


class _Id(msgspec.Struct):
    id: int


_ID = msgspec.json.Decoder(_Id)


def whole(client: Client, collection: ObjectCollection) -> Iterator[Page]:
    """The one page there is."""
    yield rows_of(collection, client.get(collection.path, collection.params))


def by_offset(
    client: Client, collection: ObjectCollection, style: ByOffset, evidence: Evidence
) -> Iterator[Page]:
    """Each page asked for begins with the last row of the one before: if it does not, rows have moved."""
    params: Params = {**collection.params, "limit": style.limit}
    if style.frozen_by:
        params[style.frozen_by] = int(client.now())

    def ask(offset: int) -> Page:
        return rows_of(collection, client.get(collection.path, {**params, "offset": offset}))

    offset, last, full = 0, Page(), 0
    with Ahead[Page]() as ahead:
        while True:
            rows = ahead.take() if ahead else ask(offset)
            moved = rows[: len(last)] != last
            evidence.moved |= moved
            fresh = rows if moved else rows[len(last) :]
            ended = not fresh or (style.short_page_ends and len(rows) < style.limit)
            offset, last = offset + len(rows) - 1, rows[-1:]
            # Pages that do not join up may be a server's that ignores the offset: nothing ahead of it then.
            full = full + 1 if len(rows) == style.limit and not moved else 0
            if len(rows) != style.limit:
                # What was asked for ahead does not begin where this page ends.
                ahead.drop()
            while not ended and len(ahead) < min(WIDTH, full):
                ahead.begin(partial(ask, offset + len(ahead) * (style.limit - 1)))
            yield fresh
            if ended:
                return


def by_token(client: Client, collection: ObjectCollection, style: ByToken) -> Iterator[Page]:
    """Follows `_metadata.next`."""
    params: Params = {**collection.params, "page_size": style.page_size}
    asked: set[tuple[tuple[str, str], ...]] = set()
    ask = partial(client.get, collection.path, params)
    with Ahead[bytes]() as ahead:
        for number in itertools.count(1):
            body = ahead.take() if ahead else ask()
            rows = rows_of(collection, body)
            following = _next_query(body, collection.path)
            if tuple(following) in asked:
                raise BadAnswerError(f"{collection.path}: the pages lead in a circle.")
            asked.add(tuple(following))
            # Its query alone: the address may name another host, which must not see the key.
            params = {**params, **dict(following)}
            ask = partial(client.get, collection.path, params)
            if following and number < MOST_PAGES:
                ahead.begin(ask)
            yield rows
            if not following:
                return


def _next_query(body: bytes, path: str) -> list[tuple[str, str]]:
    raw = read_object(sound(body, f"{path}: the answer is no JSON."), path).get("_metadata")
    try:
        metadata = msgspec.json.decode(raw, type=dict[str, object] | None) if raw else None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswerError(f"{path}: the answer's _metadata is no object.") from error
    following = (metadata or {}).get("next")
    if not following:
        return []
    try:
        query = parse_qsl(urlsplit(str(following)).query)
    except ValueError:
        query = []
    if not query:
        raise BadAnswerError(f"{path}: the answer's next page has no query to ask for it with.")
    return query


def by_number(
    client: Client, collection: ObjectCollection, style: ByNumber, evidence: Evidence
) -> Iterator[Page]:
    """Ends at a 404; also where the account does not page, which shows in a second page like the first."""

    def ask(number: int) -> Page:
        query: Params = {"page": number, "page_size": style.page_size}
        return rows_of(collection, client.get(collection.path, query))

    before, empty, full = Page(), 0, 0
    with Ahead[Page]() as ahead:
        for number in itertools.count(1):
            try:
                rows = ahead.take() if ahead else ask(number)
            except NoMorePages:
                return
            if number == 2 and rows and rows == before:
                evidence.withheld = True
                return
            empty = 0 if rows else empty + 1
            # A page that is not full is likely the last, though it need not be.
            full = full + 1 if len(rows) >= style.page_size else 0
            while len(ahead) < min(WIDTH, full, MOST_PAGES - number):
                ahead.begin(partial(ask, number + 1 + len(ahead)))
            yield rows
            before = rows
            if empty == MOST_EMPTY_PAGES:
                return


def by_last_seen(client: Client, collection: ObjectCollection, style: ByLastSeen) -> Iterator[Page]:
    """Goes on from the highest `id` so far, until a page is short."""
    params: Params = {**collection.params, "limit": style.limit}
    seen: int | None = None
    while True:
        rows = rows_of(collection, client.get(collection.path, params))
        full = len(rows) >= style.limit
        if rows and (full or seen is not None):
            highest = _highest_id(rows, collection.path)
            if seen is not None and highest <= seen:
                raise BadAnswerError(f"{collection.path}: the pages lead in a circle.")
            params["lastSeenID"] = seen = highest
        yield rows
        if not full:
            return


def _highest_id(rows: Page, path: str) -> int:
    try:
        return max(_ID.decode(row).id for row in rows)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswerError(
            f"{path}: a row's id is no integer, so the next page cannot be asked for."
        ) from error


def unlike(pages_: Iterator[Page], path: str) -> Iterator[Page]:
    """The pages, until two in a row are the same and not empty, or there are too many."""
    before: Page = []
    for number, page in enumerate(pages_, 1):
        if (page and page == before) or number >= MOST_PAGES:
            raise BadAnswerError(f"{path}: page {number} repeats the one before it.")
        yield page
        before = page
