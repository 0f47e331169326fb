"""The legacy product's contacts as they are handed out.

Belongs here: which way each path of `/v3/contactdb` shows its rows. Does not: the rows (`legacy_marketing`),
exports (`export`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/contacts-api-lists/retrieve-all-recipients-on-a-list
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from .paging import by_number, held, wrapped
from .refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from .account import Account, Row
    from .paging import Handler


def _on_list(account: Account, request: Request) -> Sequence[Row]:
    id_ = request.path_params["id"]
    if not any(str(row["id"]) == id_ for row in account.lists):
        raise Refusal(404, "List ID does not exist", "list_id")
    anew = request.query_params.get("page", "1") == "1"
    members = account.members.get(id_, set())
    return account.membership.rows(id_, account.recipients, members, anew=anew)


def _count(account: Account, _request: Request) -> Response:
    return JSONResponse({"recipient_count": len(account.recipients)})


ENDPOINTS: Mapping[str, Handler] = {
    "/v3/contactdb/lists": wrapped(held("lists"), "lists"),
    "/v3/contactdb/lists/{id}/recipients": by_number(_on_list, wrapper="recipients", default=100, most=1000),
    "/v3/contactdb/segments": wrapped(held("segments"), "segments"),
    "/v3/contactdb/recipients": by_number(held("recipients"), wrapper="recipients", default=100, most=1000),
    "/v3/contactdb/recipients/count": _count,
    "/v3/contactdb/custom_fields": wrapped(held("custom_fields"), "custom_fields"),
    "/v3/contactdb/reserved_fields": wrapped(held("reserved_fields"), "reserved_fields"),
}
