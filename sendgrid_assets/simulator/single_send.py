"""Single sends as they are listed and one by one.

Belongs here: which keys the two answers of `/v3/marketing/singlesends` show. Does not: the rows (`marketing`),
what became of them (`engagement`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/single-sends/get-all-single-sends
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from .paging import by_token
from .refusal import not_found

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from .account import Account, Row
    from .paging import Handler

_LISTED = ("id", "name", "status", "categories", "send_at", "is_abtest", "abtest", "created_at", "updated_at")
_DETAILED = (
    "id", "name", "status", "categories", "send_at", "send_to", "email_config", "created_at", "updated_at",
)  # fmt: skip


def _listing(account: Account, _request: Request) -> Sequence[Row]:
    return [{key: row[key] for key in _LISTED if key in row} for row in account.mc_single_sends]


def _details(account: Account, request: Request) -> Response:
    for row in account.mc_single_sends:
        if row["id"] == request.path_params["id"]:
            return JSONResponse({key: row[key] for key in _DETAILED if key in row})
    raise not_found()


ENDPOINTS: Mapping[str, Handler] = {
    "/v3/marketing/singlesends": by_token(_listing, default=50, most=100),
    "/v3/marketing/singlesends/{id}": _details,
}
