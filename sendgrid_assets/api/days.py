"""Statistics: which days and names to ask for, and one flat row a day and name.

Belongs here: windows of days, batches of names, the answer's nesting. Does not: which statistics there are
(`catalog`), how far back is read again (`warehouse.known`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/stats/retrieve-global-email-statistics
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from .body import sound
from .errors import BadAnswerError
from .prefetch import in_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sendgrid_assets.catalog.collection import ObjectCollection
    from sendgrid_assets.catalog.paging import ByDay

    from .block import Rows
    from .client import Client
    from .known import Known
    from .paging import Page

ANSWERS_AT_ONCE = 4

FULL_ANSWER = 500
"""Items that SendGrid hands out where no limit is asked for; whether days or rows is not documented.

Spans have fewer days, so only rows can be cut off by it.
"""


class _Day(msgspec.Struct):
    date: str
    stats: list[dict[str, msgspec.Raw]]


_DAYS = msgspec.json.Decoder(list[_Day])


def day_pages(
    client: Client, collection: ObjectCollection, style: ByDay, names: Sequence[str], known: Known
) -> Iterator[Rows]:
    """The rows, a page an answer.

    Args:
        client: whom to ask.
        collection: what to ask for.
        style: how.
        names: whose statistics, where they must be named; names not read before are read from the first day on.
        known: the first day, and the instant since which days are read again.

    Raises:
        SendGridError: an answer could not be had, or is none.
    """
    recent = max(known.since.date(), known.start_date) if known.since else known.start_date
    today = dt.datetime.fromtimestamp(client.now(), dt.UTC).date()
    asked: list[dict[str, Any]] = []
    if style.names is None:
        asked += _spans(recent, today, style.days)
    else:
        new = known.start_date if known.since else recent
        groups = (
            (recent, [name for name in names if name in known.names]),
            (new, [name for name in names if name not in known.names]),
        )
        for first, some in groups:
            for at in range(0, len(some), style.names.most):
                named = {style.names.parameter: some[at : at + style.names.most]}
                asked += [{**span, **named} for span in _spans(first, today, style.days)]

    def ask(params: dict[str, Any]) -> Page:
        rows: Page = []
        while True:
            body = client.get(collection.path, {**collection.params, **params})
            days = _days(body, collection.path)
            some = [msgspec.json.encode({"date": day.date, **stat}) for day in days for stat in day.stats]
            rows += some
            last = max((day.date for day in days), default="")
            # Just as many as one answer holds: it goes on from the last day that it has, which may be half there.
            if len(some) != FULL_ANSWER or last <= params["start_date"]:
                return rows
            params = {**params, "start_date": last}

    yield from in_order((partial(ask, params) for params in asked), ANSWERS_AT_ONCE)


def _spans(first: dt.date, today: dt.date, days: int) -> Iterator[dict[str, Any]]:
    """Spans of days; the last is open, since today is another day in the account's time zone."""
    while True:
        last = first + dt.timedelta(days=days - 1)
        if last >= today:
            yield {"start_date": min(first, today).isoformat()}
            return
        yield {"start_date": first.isoformat(), "end_date": last.isoformat()}
        first = last + dt.timedelta(days=1)


def _days(body: bytes, path: str) -> list[_Day]:
    try:
        return _DAYS.decode(sound(body, f"{path}: the answer is no JSON."))
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswerError(f"{path}: the answer is no array of days with their statistics.") from error
