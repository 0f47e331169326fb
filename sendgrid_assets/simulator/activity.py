"""Email Activity: the messages of the last thirty days, for those who bought it.

Belongs here: rows in the shape that `/v3/messages` sends, how they change, and the query language as far as a
reader of a window of time needs it. Does not: the events of messages (`message`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/email-activity/filter-all-messages
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from .instant import DAY, iso
from .message import message_id
from .paging import integer
from .refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from random import Random

    from starlette.requests import Request
    from starlette.responses import Response

    from .account import Account, Row
    from .paging import Handler

    Condition = Callable[[Row], bool]

KEPT_DAYS = 30
MOST = 1000
"""The most rows one answer holds; there is no second page."""

_AT_FIRST = 60
_SUBJECTS = ("Your order", "Weekly digest", "Reset your password", "Grüße aus Askham", "")
_STATUSES = ("delivered",) * 8 + ("not_delivered", "processed")
_INSTANT = r'TIMESTAMP\s*"([^"]*)"'
_BETWEEN = re.compile(rf"last_event_time\s+BETWEEN\s+{_INSTANT}\s+AND\s+{_INSTANT}", re.IGNORECASE)
_COMPARED = re.compile(rf"last_event_time\s*(<=|>=|<|>|=)\s*{_INSTANT}", re.IGNORECASE)
_LIKE = re.compile(r'msg_id\s+LIKE\s+"([^"]*)"', re.IGNORECASE)
_AND = re.compile(r"\s+AND\s+", re.IGNORECASE)


def fill(account: Account) -> None:
    """Puts the messages of a fresh account in place, and a few that are too old to be shown."""
    dice, now = account.dice("activity"), account.now()
    for _ in range(_AT_FIRST):
        _send(account, dice, now - dice.randrange(KEPT_DAYS * DAY))
    for days in (31, 40, 90):
        _send(account, dice, now - days * DAY)


def step(account: Account) -> None:
    """A message is sent, and an earlier one opened."""
    dice = account.dice("activity")
    delivered = [row for row in account.messages if row["status"] == "delivered"]
    if delivered:
        opened = dice.choice(delivered)
        opened |= {"opens_count": opened["opens_count"] + 1, "last_event_time": iso(account.now())}
    _send(account, dice, account.now())


def _send(account: Account, dice: Random, at: int) -> None:
    contact = dice.choice(account.mc_contacts) if account.mc_contacts else {}
    status = dice.choice(_STATUSES)
    opens = dice.randrange(4) if status == "delivered" else 0
    account.messages.append(
        {
            "from_email": "shop1@example.com",
            "msg_id": message_id(dice),
            "subject": dice.choice(_SUBJECTS),
            "to_email": contact.get("email", "nobody@example.com"),
            "status": status,
            "opens_count": opens,
            "clicks_count": dice.randrange(opens + 1),
            "last_event_time": iso(at),
        }
    )


def _messages(account: Account, request: Request) -> Response:
    """Those that meet the query, newest first, and none beyond the limit."""
    if not account.email_activity:
        raise Refusal(400, "authorization required")
    limit = integer(request, "limit", 10, least=1, most=MOST)
    conditions = list(_conditions(request.query_params.get("query", "")))
    kept = account.now() - KEPT_DAYS * DAY
    found = [
        row
        for row in account.messages
        if _seconds(row["last_event_time"]) >= kept and all(meets(row) for meets in conditions)
    ]
    found.sort(key=lambda row: _seconds(row["last_event_time"]), reverse=True)
    return JSONResponse({"messages": found[:limit]})


def _conditions(query: str) -> Iterator[Condition]:
    """The conditions of a query, which all must be met.

    Raises:
        Refusal: there is none, or one that is not known here.
    """
    at, query = 0, query.strip()
    while True:
        if match := _BETWEEN.match(query, at):
            first, last = (_asked(text) for text in match.groups())
            yield _compared(">=", first)
            yield _compared("<=", last)
        elif match := _COMPARED.match(query, at):
            yield _compared(match[1], _asked(match[2]))
        elif match := _LIKE.match(query, at):
            yield _like(match[1])
        else:
            raise _invalid()
        if match.end() == len(query):
            return
        if not (word := _AND.match(query, match.end())):
            raise _invalid()
        at = word.end()


def _compared(sign: str, asked: float) -> Condition:
    def meets(row: Row) -> bool:
        seconds = _seconds(row["last_event_time"])
        return (
            (sign.startswith(">") and seconds > asked)
            or (sign.startswith("<") and seconds < asked)
            or (sign.endswith("=") and seconds == asked)
        )

    return meets


def _like(pattern: str) -> Condition:
    """As in SQL, `%` stands for any characters and `_` for any one: ids may hold the latter as well."""
    words = {"%": ".*", "_": "."}
    found = re.compile("".join(words.get(letter) or re.escape(letter) for letter in pattern), re.DOTALL)
    return lambda row: found.fullmatch(row["msg_id"]) is not None


def _asked(text: str) -> float:
    try:
        return _seconds(text)
    except ValueError:
        raise _invalid() from None


def _seconds(text: str) -> float:
    at = dt.datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp()


def _invalid() -> Refusal:
    return Refusal(400, "invalid query", "query")


ENDPOINTS: Mapping[str, Handler] = {"/v3/messages": _messages}
