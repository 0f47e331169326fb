"""A listing served page by page in every style, which tests slow down, change and break."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sendgrid_assets.api.client import Client
from sendgrid_assets.api.evidence import Evidence
from sendgrid_assets.api.paging import by_last_seen, by_number, by_offset, by_token, unlike
from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.catalog.paging import ByLastSeen, ByNumber, ByOffset, ByToken, Paging

Row = dict[str, Any]

LIMIT = 4
STYLES: dict[str, Paging] = {
    "offset": ByOffset(limit=LIMIT),
    "offset to an empty page": ByOffset(limit=LIMIT, short_page_ends=False),
    "number": ByNumber(page_size=LIMIT),
    "token": ByToken(page_size=LIMIT),
    "last seen": ByLastSeen(limit=LIMIT),
}

ROWS = 22
STARTS = {
    "offset": range(0, ROWS, LIMIT - 1),
    "offset to an empty page": range(0, ROWS, LIMIT - 1),
    "number": range(0, ROWS + LIMIT, LIMIT),
    "token": range(0, ROWS, LIMIT),
    "last seen": range(0, ROWS, LIMIT),
}
"""Where the pages of so many rows begin, in each style."""


def read(client: Client, style: Paging, evidence: Evidence | None = None) -> Iterator[list[bytes]]:
    """The pages, as a reader gets them."""
    collection = replace(BY_TABLE["mc_lists"], path="/v3/paged", paging=style, wrapper=("rows",), params={})
    evidence = evidence or Evidence()
    match style:
        case ByOffset():
            pages = by_offset(client, collection, style, evidence)
        case ByNumber():
            pages = by_number(client, collection, style, evidence)
        case ByToken():
            pages = by_token(client, collection, style)
        case ByLastSeen():
            pages = by_last_seen(client, collection, style)
        case _:
            raise TypeError(f"{style} has no pages that are told apart here")
    return unlike(pages, collection.path)


def ids(pages: Iterator[list[bytes]]) -> list[int]:
    """The rows' ids, as they came."""
    return [json.loads(row)["id"] for page in pages for row in page]


class Paged:
    """Serves `rows` in whatever style it is asked.

    Attributes:
        rows: what there is, in order.
        most: greatest limit; a greater one is taken for it.
        delays: seconds that requests take, in turn.
        before: called with each request's number from 0 and its first row's position, at the moment it is
            answered; what it returns is answered instead.
        served: positions of the first rows answered.
    """

    def __init__(self, rows: Sequence[int]) -> None:
        self.rows: list[Row] = [{"id": id_} for id_ in rows]
        self.most = 1_000
        self.delays: Sequence[float] = (0.0,)
        self.before: Callable[[int, int], Response | None] = lambda _number, _position: None
        self.served: list[int] = []
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        number, self.asked = self.asked, self.asked + 1
        if delay := self.delays[number % len(self.delays)]:
            await asyncio.sleep(delay)
        await self.answer(request)(scope, receive, send)

    def answer(self, request: Request) -> Response:
        query = request.query_params
        size = min(int(query.get("limit") or query.get("page_size") or 10), self.most)
        start = int(query.get("offset") or query.get("page_token") or 0)
        if "page" in query:
            start = (int(query["page"]) - 1) * size
        if "lastSeenID" in query:
            start = sum(row["id"] <= int(query["lastSeenID"]) for row in self.rows)
        instead = self.before(len(self.served), start)
        self.served.append(start)
        if instead is not None:
            return instead
        rows = self.rows[start : start + size]
        if "page" in query and start >= max(len(self.rows), 1):
            return JSONResponse({"errors": [{"message": "No more pages", "field": "page"}]}, 404)
        token = start + size
        following = (
            {"next": f"https://api.sendgrid.com/x?page_token={token}"} if token < len(self.rows) else {}
        )
        return JSONResponse({"rows": rows, "_metadata": following})
