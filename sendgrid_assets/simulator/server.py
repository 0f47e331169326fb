"""The simulated API: which endpoint answers what, and what every request passes first.

Belongs here: routes, the key, refused scopes, rate headers, the record of requests, and endpoints that have no
module of their own. Does not: paging styles (`paging`), the account's contents.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

from . import (
    activity,
    category,
    contactdb,
    engagement,
    export,
    segment,
    single_send,
    stats,
    subuser,
    template,
    user,
    verified_sender,
)
from .limit import Limits
from .paging import REAL_HOST, by_offset, by_token, held, integer, wrapped
from .refusal import Refusal, not_found
from .suppression import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from .account import Account, Row
    from .limit import Window
    from .paging import Handler, Rows

    Intercept = Callable[[Request], Response | None]


def create_app(
    account: Account,
    *,
    api_key: str,
    refused: Collection[str] = (),
    limits: Mapping[str, tuple[int, float]] | None = None,
    intercept: Intercept | None = None,
) -> Starlette:
    """The account's API as an ASGI application.

    Args:
        account: what is served; it also records every request.
        api_key: the only key that is accepted.
        refused: path prefixes that answer 403, as for a key without the scope.
        limits: by path prefix, how many requests each endpoint below it allows in how many seconds; else
            six a minute of `/v3/messages`, and 600 of others.
        intercept: is shown every request first; an answer it returns is sent as it is.
    """
    counted = Limits(limits or {}, account.clock)

    def route(path: str, handler: Handler, method: str = "GET", *, open_to_all: bool = False) -> Route:
        async def endpoint(request: Request) -> Response:
            _record(account, request)
            request.state.body = await request.body()
            if intercept and (answer := await run_in_threadpool(intercept, request)) is not None:
                return answer
            with account.lock:
                if open_to_all:
                    return handler(account, request)
                window = counted.count(path)
                try:
                    _admit(request, window, api_key, refused)
                    answer = handler(account, request)
                except Refusal as refusal:
                    answer = refusal.answer(request.url.path)
                answer.headers.update(window.headers)
                return answer

        return Route(path, endpoint, methods=[method])

    def nowhere(_account: Account, _request: Request) -> Response:
        raise not_found()

    endpoints = [route(path, handler) for path, handler in _ENDPOINTS.items()]
    endpoints += [
        *(route(path, handler, "POST") for path, handler in export.STARTS.items()),
        route(f"{export.STORAGE}/{{id}}/{{name}}", export.download, open_to_all=True),
        *(route("/{path:path}", nowhere, method) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")),
    ]
    return Starlette(routes=endpoints)


def _record(account: Account, request: Request) -> None:
    query = f"?{request.url.query}" if request.url.query else ""
    with account.lock:
        account.requests.append((request.method, request.url.path + query))
        account.request_headers.append(frozenset(request.headers.keys()))


def _admit(request: Request, window: Window, api_key: str, refused: Collection[str]) -> None:
    if window.exceeded:
        raise Refusal(429, "too many requests")
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Refusal(401, "authorization required")
    if not hmac.compare_digest(key.encode(), api_key.encode()):
        raise Refusal(401, "The provided authorization grant is invalid, expired, or revoked")
    if request.url.path.startswith(tuple(refused)):
        raise Refusal(403, "access forbidden")


def _suppressed(kind: str) -> Rows:
    """A suppression list, newest first, within `start_time` and `end_time`, both inclusive."""

    def rows(account: Account, request: Request) -> Sequence[Row]:
        start = integer(request, "start_time", None, least=0)
        end = integer(request, "end_time", None, least=0)
        found = [
            row
            for row in getattr(account, kind)
            if (start is None or row["created"] >= start) and (end is None or row["created"] <= end)
        ]
        return sorted(found, key=lambda row: -row["created"])

    return rows


def _lists(account: Account, _request: Request) -> Sequence[Row]:
    path = f"{REAL_HOST}/v3/marketing/lists"
    return [row | {"_metadata": {"self": f"{path}/{row['id']}"}} for row in account.mc_lists]


def _contact_count(account: Account, _request: Request) -> Response:
    count = len(account.mc_contacts)
    return JSONResponse({"contact_count": count, "billable_count": count})


def _field_definitions(account: Account, request: Request) -> Response:
    """Both kinds of fields; the key of the custom ones is left out where there is none."""
    custom = {"custom_fields": account.mc_custom_fields} if account.mc_custom_fields else {}
    metadata = {"self": f"{REAL_HOST}{request.url.path}"}
    return JSONResponse({**custom, "reserved_fields": account.mc_reserved_fields, "_metadata": metadata})


def _scopes(account: Account, _request: Request) -> Response:
    return JSONResponse({"scopes": account.scopes})


_ENDPOINTS: Mapping[str, Handler] = {
    "/v3/scopes": _scopes,
    "/v3/campaigns": by_offset(held("campaigns"), wrapper="result", default=10),
    "/v3/marketing/lists": by_token(_lists, default=100, most=1000),
    "/v3/marketing/contacts/count": _contact_count,
    "/v3/marketing/field_definitions": _field_definitions,
    "/v3/marketing/senders": wrapped(held("mc_senders"), "results"),
    **{f"/v3/suppression/{kind}": by_offset(_suppressed(kind), default=500, most=500) for kind in KINDS},
    "/v3/asm/groups": wrapped(held("asm_groups")),
    "/v3/asm/suppressions": by_offset(held("asm_suppressions"), default=None, most=None),
    **user.ENDPOINTS,
    **contactdb.ENDPOINTS,
    **export.ENDPOINTS,
    **segment.ENDPOINTS,
    **single_send.ENDPOINTS,
    **engagement.ENDPOINTS,
    **template.ENDPOINTS,
    **category.ENDPOINTS,
    **stats.ENDPOINTS,
    **subuser.ENDPOINTS,
    **verified_sender.ENDPOINTS,
    **activity.ENDPOINTS,
}
