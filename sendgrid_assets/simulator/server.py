"""The simulated API: which endpoint answers what, and what every request passes first.

Belongs here: routes, the key, refused scopes, rate headers, the record of requests. Does not: paging styles
(`paging`), export jobs (`export`), the account's contents.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

from . import export
from .limit import Limits
from .paging import REAL_HOST, by_number, by_offset, by_token, integer, wrapped
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

_LISTED = ("id", "name", "status", "categories", "send_at", "is_abtest", "abtest", "created_at", "updated_at")
_DETAILED = (
    "id", "name", "status", "categories", "send_at", "send_to", "email_config", "created_at", "updated_at",
)  # fmt: skip


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
            600 a minute.
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
        route(export.PATH, export.start, "POST"),
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


def _rows(attribute: str) -> Rows:
    def rows(account: Account, _request: Request) -> Sequence[Row]:
        found: list[Row] = getattr(account, attribute)
        return found

    return rows


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


def _single_sends(account: Account, _request: Request) -> Sequence[Row]:
    return [{key: row[key] for key in _LISTED if key in row} for row in account.mc_single_sends]


def _single_send(account: Account, request: Request) -> Response:
    for row in account.mc_single_sends:
        if row["id"] == request.path_params["id"]:
            return JSONResponse({key: row[key] for key in _DETAILED if key in row})
    raise not_found()


def _recipient_count(account: Account, _request: Request) -> Response:
    return JSONResponse({"recipient_count": len(account.recipients)})


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


def _templates(account: Account, request: Request) -> Response:
    """Legacy ones unless `generations` says more; without `page_size` all, under another key."""
    generations = request.query_params.get("generations", "legacy").split(",")

    def rows(account: Account, _request: Request) -> Sequence[Row]:
        return [row for row in account.templates if row["generation"] in generations]

    sized = "page_size" in request.query_params
    handler = by_token(rows, default=200, most=200) if sized else wrapped(rows, "templates")
    return handler(account, request)


_ENDPOINTS: Mapping[str, Handler] = {
    "/v3/scopes": _scopes,
    "/v3/contactdb/lists": wrapped(_rows("lists"), "lists"),
    "/v3/contactdb/segments": wrapped(_rows("segments"), "segments"),
    "/v3/contactdb/recipients": by_number(_rows("recipients"), wrapper="recipients", default=100, most=1000),
    "/v3/contactdb/recipients/count": _recipient_count,
    "/v3/contactdb/custom_fields": wrapped(_rows("custom_fields"), "custom_fields"),
    "/v3/campaigns": by_offset(_rows("campaigns"), wrapper="result", default=10),
    "/v3/marketing/lists": by_token(_lists, default=100, most=1000),
    "/v3/marketing/segments/2.0": wrapped(_rows("mc_segments"), "results"),
    "/v3/marketing/singlesends": by_token(_single_sends, default=50, most=100),
    "/v3/marketing/singlesends/{id}": _single_send,
    "/v3/marketing/contacts/count": _contact_count,
    export.PATH: export.recent,
    f"{export.PATH}/{{id}}": export.look,
    "/v3/marketing/field_definitions": _field_definitions,
    "/v3/marketing/senders": wrapped(_rows("mc_senders"), "results"),
    **{f"/v3/suppression/{kind}": by_offset(_suppressed(kind), default=500, most=500) for kind in KINDS},
    "/v3/asm/groups": wrapped(_rows("asm_groups")),
    "/v3/asm/suppressions": by_offset(_rows("asm_suppressions"), default=None, most=None),
    "/v3/templates": _templates,
}
