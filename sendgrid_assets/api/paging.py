"""One pager a style of paging: each yields pages of raw rows until the listing has ended.

Belongs here: asking for the next page, and knowing the last one. Does not: exports (`api.export`).
A pager that ends without an error has seen the whole listing, unless the evidence says otherwise; a page that
repeats the one before fails it, since a server that ignores the parameters would be asked for ever.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, assert_never
from urllib.parse import parse_qsl, urlsplit

import msgspec

from sendgrid_assets.catalog.paging import ByExport, ByNumber, ByOffset, ByToken, Whole

from .body import read_object, read_rows, sound
from .errors import BadAnswerError, NoMorePages
from .export import export_pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sendgrid_assets.catalog.collection import ObjectCollection

    from .client import Client
    from .evidence import Evidence

Page = list[bytes]
Params = dict[str, str | int]

MOST_PAGES = 1_000_000
"""Beyond this a listing is taken for endless."""

MOST_EMPTY_PAGES = 20
"""So many empty pages in a row end a numbered listing: contactdb pages none in an account without recipients."""


def pages(client: Client, collection: ObjectCollection, scratch: Path, evidence: Evidence) -> Iterator[Page]:
    """The collection's pages, to its end.

    Args:
        client: whom to ask.
        collection: what to ask for.
        scratch: an existing folder for export files.
        evidence: filled in with what the reading learns beside the rows.

    Raises:
        SendGridError: the listing could not be read to its end.
    """
    style = collection.paging
    match style:
        case Whole():
            return _whole(client, collection)
        case ByOffset():
            return _unlike(_by_offset(client, collection, style, evidence), collection.path)
        case ByToken():
            return _unlike(_by_token(client, collection, style), collection.path)
        case ByNumber():
            return _unlike(_by_number(client, collection, style, evidence), collection.path)
        case ByExport():
            return export_pages(client, collection, style, scratch, evidence)
        case _:
            assert_never(style)


def _whole(client: Client, collection: ObjectCollection) -> Iterator[Page]:
    body = client.get(collection.path, collection.params)
    yield read_rows(body, collection.wrapper, collection.path)


def _by_offset(
    client: Client, collection: ObjectCollection, style: ByOffset, evidence: Evidence
) -> Iterator[Page]:
    """Each page begins with the last row of the one before: if it does not, rows have moved."""
    params: Params = {**collection.params, "limit": style.limit}
    if style.frozen_by:
        params[style.frozen_by] = int(client.now())
    offset = 0
    last: Page = []
    while True:
        body = client.get(collection.path, {**params, "offset": offset})
        rows = read_rows(body, collection.wrapper, collection.path)
        evidence.moved |= rows[: len(last)] != last
        fresh = rows[1:] if last and rows[:1] == last else rows
        yield fresh
        if not fresh or (style.short_page_ends and len(rows) < style.limit):
            return
        offset, last = offset + len(rows) - 1, rows[-1:]


def _by_token(client: Client, collection: ObjectCollection, style: ByToken) -> Iterator[Page]:
    params: Params = {**collection.params, "page_size": style.page_size}
    asked: set[tuple[tuple[str, str], ...]] = set()
    while True:
        body = client.get(collection.path, params)
        yield read_rows(body, collection.wrapper, collection.path)
        following = _next_query(body, collection.path)
        if not following:
            return
        if tuple(following) in asked:
            raise BadAnswerError(f"{collection.path}: the pages lead in a circle.")
        asked.add(tuple(following))
        # Its query alone: the address may name another host, which must not see the key.
        params = {**params, **dict(following)}


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


def _by_number(
    client: Client, collection: ObjectCollection, style: ByNumber, evidence: Evidence
) -> Iterator[Page]:
    """Ends at a 404; also where the account does not page, which shows in a second page like the first."""
    before: Page = []
    empty = 0
    for number in itertools.count(1):
        try:
            body = client.get(collection.path, {"page": number, "page_size": style.page_size})
        except NoMorePages:
            return
        rows = read_rows(body, collection.wrapper, collection.path)
        if number == 2 and rows and rows == before:
            evidence.withheld = True
            return
        yield rows
        before = rows
        empty = 0 if rows else empty + 1
        if empty == MOST_EMPTY_PAGES:
            return


def _unlike(pages_: Iterator[Page], path: str) -> Iterator[Page]:
    """The pages, until two in a row are the same and not empty, or there are too many."""
    before: Page = []
    for number, page in enumerate(pages_, 1):
        if (page and page == before) or number >= MOST_PAGES:
            raise BadAnswerError(f"{path}: page {number} repeats the one before it.")
        yield page
        before = page
