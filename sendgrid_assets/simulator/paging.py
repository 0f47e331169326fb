"""The ways in which SendGrid hands out rows, one function a style.

Belongs here: limits, offsets, tokens, page numbers and ids last seen. Does not: which endpoint has which style
(`server` and the modules it assembles).
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import JSONResponse

from .refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from .account import Account, Row

    Handler = Callable[[Account, Request], Response]
    Rows = Callable[[Account, Request], Sequence[Row]]

REAL_HOST = "https://api.sendgrid.com"
"""Where SendGrid's links lead, whoever was asked."""


def held(attribute: str) -> Rows:
    """The rows of one of the account's lists, as they are."""

    def rows(account: Account, _request: Request) -> Sequence[Row]:
        found: list[Row] = getattr(account, attribute)
        return found

    return rows


def wrapped(rows: Rows, wrapper: str = "") -> Handler:
    """The whole collection at once, in an object's key or (without one) as a bare array."""

    def handle(account: Account, request: Request) -> Response:
        return _answer(rows(account, request), wrapper)

    return handle


def by_offset(rows: Rows, *, wrapper: str = "", default: int | None, most: int | None = None) -> Handler:
    """`limit` and `offset`.

    Args:
        rows: what there is, in order.
        wrapper: the key that holds the rows; empty for a bare array.
        default: the limit where none is asked for; None for all.
        most: the greatest limit; None where SendGrid documents none.
    """

    def handle(account: Account, request: Request) -> Response:
        limit = integer(request, "limit", default, least=1, most=most)
        offset = integer(request, "offset", 0, least=0) or 0
        return _answer(rows(account, request)[offset:][:limit], wrapper)

    return handle


def by_token(rows: Rows, *, wrapper: str = "result", default: int, most: int) -> Handler:
    """`page_size` and `page_token`; `_metadata.next` leads on, and is absent on the last page."""

    def handle(account: Account, request: Request) -> Response:
        return JSONResponse(page(rows(account, request), request, wrapper, default=default, most=most))

    return handle


def page(found: Sequence[Row], request: Request, wrapper: str, *, default: int, most: int) -> Row:
    """The page by token that is asked for, as `by_token` answers it."""
    size = integer(request, "page_size", default, least=1, most=most) or default
    token = request.query_params.get("page_token", "")
    start = _position(token)

    def link(page_token: str) -> str:
        query = dict(request.query_params) | {"page_size": size, "page_token": page_token}
        return f"{REAL_HOST}{request.url.path}?{urlencode(query)}"

    metadata: dict[str, str | int] = {"self": link(token), "count": len(found)}
    if start > 0:
        metadata["prev"] = link(_token(max(0, start - size)))
    if start + size < len(found):
        metadata["next"] = link(_token(start + size))
    return {wrapper: found[start : start + size], "_metadata": metadata}


def by_last_seen(rows: Rows, *, wrapper: str) -> Handler:
    """`limit` and `lastSeenID`: the rows of the ids above it, lowest first; without a limit all."""

    def handle(account: Account, request: Request) -> Response:
        limit = integer(request, "limit", None, least=1)
        seen = integer(request, "lastSeenID", 0, least=0) or 0
        found = sorted((row for row in rows(account, request) if row["id"] > seen), key=lambda row: row["id"])
        return _answer(found[:limit], wrapper)

    return handle


def by_number(rows: Rows, *, wrapper: str, default: int, most: int) -> Handler:
    """`page` from 1 and `page_size`; past the end 404, and no other parameter is taken (contactdb)."""

    def handle(account: Account, request: Request) -> Response:
        if unknown := sorted(set(request.query_params) - {"page", "page_size"}):
            raise Refusal(
                400,
                f"The following parameters are not custom fields or reserved fields: {unknown}",
                unknown[0],
            )
        found = rows(account, request)
        if account.upgraded:
            return _answer(found[-50:], wrapper)
        number = integer(request, "page", 1, least=1) or 1
        size = integer(request, "page_size", default, least=1, most=most) or default
        start = (number - 1) * size
        if start >= len(found):
            raise Refusal(404, "No more pages", "page")
        return _answer(found[start : start + size], wrapper)

    return handle


def integer(
    request: Request, name: str, default: int | None, *, least: int, most: int | None = None
) -> int | None:
    """A whole number of the query.

    Raises:
        Refusal: it is none, or out of bounds.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        raise Refusal(400, f"{name} is not a valid integer", name) from None
    if value < least or (most is not None and value > most):
        bounds = f"less than {least}" if most is None else f"less than {least} or greater than {most}"
        raise Refusal(400, f"{name} is {bounds}", name)
    return value


def _answer(rows: Sequence[Row], wrapper: str) -> JSONResponse:
    return JSONResponse({wrapper: rows} if wrapper else rows)


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(f"position:{position}".encode()).decode()


def _position(token: str) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("position:"))
    except (binascii.Error, ValueError):
        raise Refusal(400, "page_token is invalid", "page_token") from None
