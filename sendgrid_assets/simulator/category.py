"""Categories, and their statistics.

Belongs here: rows in the shape that `/v3/categories` sends, how they come, how they are handed out. Does not:
the numbers (`metric`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/categories/retrieve-all-categories
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from . import metric
from .paging import by_offset, held
from .stats import by_day, named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from .account import Account
    from .paging import Handler

_FIRST = (
    "anniversary", "feature launch", "marketing", "new arrivals", "password, reset", "price list", "receipts",
    "shop", "survey", "weekly digest", "win-back", "événement",
)  # fmt: skip
_LATER = ("beta", "größer & mehr", "recap", "summer sale")
_STEPS_BETWEEN = 4


def fill(account: Account) -> None:
    """Puts the categories of a fresh account in place: more than one request for statistics may name."""
    account.categories.extend({"category": name} for name in _FIRST)


def step(account: Account) -> None:
    """Now and then a new category is used, until there are no more."""
    number, rest = divmod(account.steps, _STEPS_BETWEEN)
    if rest == 0 and 0 < number <= len(_LATER):
        account.categories.append({"category": _LATER[number - 1]})


def _stats(account: Account, request: Request) -> Response:
    known = [row["category"] for row in account.categories]
    names = named(request, "categories", known, "category")
    return JSONResponse(by_day(account, request, "category", names, metric.ALL))


ENDPOINTS: Mapping[str, Handler] = {
    "/v3/categories": by_offset(held("categories"), default=50),
    "/v3/categories/stats": _stats,
}
