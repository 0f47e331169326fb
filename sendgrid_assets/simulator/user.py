"""Whose account it is.

Belongs here: the two short answers of `/v3/user` that say so. Does not: subusers, or what a key may do.
Source: https://www.twilio.com/docs/sendgrid/api-reference/users-api/get-a-users-account-information
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from .message import USER_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from .account import Account
    from .paging import Handler


def fill(account: Account) -> None:
    """Says whose account it is."""
    account.user |= {"type": "paid", "reputation": 99.7, "username": "sample-shop", "user_id": USER_ID}


def _shown(*keys: str) -> Handler:
    def handle(account: Account, _request: Request) -> Response:
        return JSONResponse({key: account.user[key] for key in keys})

    return handle


ENDPOINTS: Mapping[str, Handler] = {
    "/v3/user/account": _shown("type", "reputation"),
    "/v3/user/username": _shown("username", "user_id"),
}
