"""Statistics by day: of the whole account, and of the mailbox providers and programs that mail goes to.

Belongs here: which days are asked for, and the nesting of the answer. Does not: the numbers (`metric`),
categories and subusers (`category`, `subuser`), single sends and automations (`engagement`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/stats/retrieve-global-email-statistics
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from . import instant, metric
from .paging import integer
from .refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from .account import Account, Row
    from .paging import Handler

MOST_NAMES = 10
"""How many categories or subusers one request may name."""

NAMES = {
    "mailbox_provider": ("Gmail", "Hotmail", "Yahoo! Mail", "Other"),
    "device": ("Desktop", "Phone", "Tablet", "Webmail"),
    "client": ("Gmail", "iPhone", "Apple Mail", "Outlook"),
    "browser": ("Chrome", "Firefox", "Mobile Safari", "Unknown"),
    "country": ("US", "CA", "DE", "FR"),
    "province": ("CA", "NY", "ON", "TX"),
}
"""What the numbers are broken down by, and into which names at first; a name of two kinds is two things."""

_PROVINCES = {"US": {"CA", "NY", "TX"}, "CA": {"ON"}}


def by_day(
    account: Account, request: Request, kind: str, names: Sequence[str], metrics: Collection[str]
) -> list[Row]:
    """A row for every day asked for, with an entry for every name; zeros included."""
    days = _days(account, request)
    limit = integer(request, "limit", None, least=1)
    offset = integer(request, "offset", 0, least=0) or 0
    return [
        {"date": day.isoformat(), "stats": [_entry(account, kind, name, day, metrics) for name in names]}
        for day in days[offset:][:limit]
    ]


def named(request: Request, parameter: str, known: Collection[str], noun: str) -> list[str]:
    """What a parameter that is repeated names.

    Args:
        request: the request.
        parameter: the parameter.
        known: what there is.
        noun: SendGrid's word for one of them.

    Raises:
        Refusal: nothing, too much or something unknown is named.
    """
    names = list(dict.fromkeys(request.query_params.getlist(parameter)))
    if not names:
        raise Refusal(400, f"{parameter} is required", parameter)
    if len(names) > MOST_NAMES:
        raise Refusal(400, f"{parameter} must not be more than {MOST_NAMES}", parameter)
    if not set(names) <= set(known):
        raise Refusal(404, f"{noun} does not exist", parameter)
    return names


def _entry(account: Account, kind: str, name: str, day: dt.date, metrics: Collection[str]) -> Row:
    numbers = {"metrics": metric.measured(account, kind, name, day, metrics)}
    return numbers if kind == "global" else {"type": kind, "name": name} | numbers


def _days(account: Account, request: Request) -> Sequence[dt.date]:
    """The days from `start_date` to `end_date`, both inclusive."""
    if request.query_params.get("aggregated_by", "day") != "day":
        # Weeks and months are sums that nobody here asks for.
        raise Refusal(400, "aggregated_by must be day", "aggregated_by")
    start = _date(request, "start_date")
    end = _date(request, "end_date") or instant.day(account.now())
    if start is None:
        raise Refusal(400, "start_date is required", "start_date")
    if end < start:
        raise Refusal(400, "end_date must not be before start_date", "end_date")
    return [start + dt.timedelta(days=number) for number in range((end - start).days + 1)]


def _date(request: Request, name: str) -> dt.date | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        found = None
    # Python takes other ways of writing a date as well.
    if found is None or found.isoformat() != text:
        raise Refusal(400, f"{name} must be formatted as YYYY-MM-DD", name)
    return found


def _global(account: Account, request: Request) -> Response:
    return JSONResponse(by_day(account, request, "global", [""], metric.ALL))


def _broken_down(kind: str, metrics: Collection[str]) -> Handler:
    def handle(account: Account, request: Request) -> Response:
        return JSONResponse(by_day(account, request, kind, account.stat_names[kind], metrics))

    return handle


def _geo(account: Account, request: Request) -> Response:
    """Countries; with `country`, which may be one of two, its provinces."""
    metrics = (*metric.CLICKS, *metric.OPENS)
    if (country := request.query_params.get("country")) is None:
        return _broken_down("country", metrics)(account, request)
    if country not in _PROVINCES:
        raise Refusal(400, "country must be US or CA", "country")
    names = [name for name in account.stat_names["province"] if name in _PROVINCES[country]]
    return JSONResponse(by_day(account, request, "province", names, metrics))


ENDPOINTS: Mapping[str, Handler] = {
    "/v3/stats": _global,
    "/v3/mailbox_providers/stats": _broken_down("mailbox_provider", metric.BY_MAILBOX),
    "/v3/devices/stats": _broken_down("device", metric.OPENS),
    "/v3/clients/stats": _broken_down("client", metric.OPENS),
    "/v3/browsers/stats": _broken_down("browser", metric.CLICKS),
    "/v3/geo/stats": _geo,
}
