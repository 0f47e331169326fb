"""Subusers, and their statistics.

Belongs here: rows in the shape that `/v3/subusers` sends, how they change, how they are handed out. Does not:
the numbers (`metric`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/subusers-api/list-all-subusers
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from . import metric
from .paging import by_offset
from .stats import by_day, named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from .account import Account, Row
    from .paging import Handler

_NAMES = {"shop": "global", "billing": "global", "shop-eu": "eu", "old-shop": "global"}
_STEPS_BETWEEN = 3


def fill(account: Account) -> None:
    """Puts the subusers of a fresh account in place, one of them in the EU and one disabled."""
    account.subusers.extend(
        {
            "id": 8_101 + number,
            "username": name,
            "email": f"{name}@example.com",
            "disabled": name.startswith("old"),
            "region": region,
        }
        for number, (name, region) in enumerate(_NAMES.items())
    )


def step(account: Account) -> None:
    """Now and then the last one is disabled, or enabled again."""
    if account.subusers and account.steps % _STEPS_BETWEEN == 0:
        last = account.subusers[-1]
        last["disabled"] = not last["disabled"]


def _listed(account: Account, request: Request) -> Sequence[Row]:
    """The subusers; their region only if it is asked for."""
    if request.query_params.get("include_region") == "true":
        return account.subusers
    return [{key: row[key] for key in row if key != "region"} for row in account.subusers]


def _stats(account: Account, request: Request) -> Response:
    known = [row["username"] for row in account.subusers]
    names = named(request, "subusers", known, "subuser")
    return JSONResponse(by_day(account, request, "subuser", names, metric.ALL))


ENDPOINTS: Mapping[str, Handler] = {
    "/v3/subusers": by_offset(_listed, default=None),
    "/v3/subusers/stats": _stats,
}
