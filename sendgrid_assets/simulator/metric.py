"""The numbers SendGrid counts for one day: of the account, a category, a subuser, a browser and so on.

Belongs here: how many mails there were and what became of them. Does not: which days and names are asked for
(`stats`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/stats/retrieve-global-email-statistics
"""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import TYPE_CHECKING

from . import instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .account import Account

ALL = (
    "blocks", "bounce_drops", "bounces", "clicks", "deferred", "delivered", "invalid_emails", "opens",
    "processed", "requests", "spam_report_drops", "spam_reports", "unique_clicks", "unique_opens",
    "unsubscribe_drops", "unsubscribes",
)  # fmt: skip
"""The sixteen of the account, of categories and of subusers."""

BY_MAILBOX = (
    "blocks", "bounces", "clicks", "deferred", "delivered", "drops", "opens", "processed", "requests",
    "spam_reports", "unique_clicks", "unique_opens",
)  # fmt: skip
"""The twelve of mailbox providers, which put all drops together."""

OPENS = ("opens", "unique_opens")
CLICKS = ("clicks", "unique_clicks")

LATE_DAYS = 3
"""How many days after it was sent a mail is still opened and clicked."""

_MOST_LATE_STEPS = 40


def measured(account: Account, kind: str, name: str, day: dt.date, wanted: Iterable[str]) -> dict[str, int]:
    """The day's numbers, always the same but for late opens and clicks, and for what a test wrote over them.

    Args:
        account: whose they are.
        kind: SendGrid's word for what is counted, such as `category`; `global` for the whole account.
        name: which of its kind; empty for `global`.
        day: days to come have zeros.
        wanted: the metrics asked for.
    """
    numbers = dict.fromkeys((*ALL, "drops"), 0)
    # Nothing is sent on about every tenth day; of the whole account there is always something.
    random = Random(f"{kind} {name} on {day} of {account.seed}")  # noqa: S311 - invented data, no secret
    quiet = random.random() < 0.1 and kind != "global"
    if day <= instant.day(account.now()) and not quiet:
        usual = Random(f"{kind} {name} of {account.seed}").randrange(40, 400)  # noqa: S311
        late = min(account.late_steps.get(day.isoformat(), 0), _MOST_LATE_STEPS)
        _mail(numbers, random, round(usual * random.uniform(0.6, 1.4)), late)
    overrides = account.day_overrides.get((kind, name, day.isoformat()), {})
    return {metric: numbers[metric] for metric in wanted} | overrides


def age(account: Account) -> None:
    """Lets the mail of today and of the days before it be opened and clicked once more."""
    today = instant.day(account.now())
    for days in range(LATE_DAYS + 1):
        key = (today - dt.timedelta(days=days)).isoformat()
        account.late_steps[key] = account.late_steps.get(key, 0) + 1


def _mail(numbers: dict[str, int], random: Random, requests: int, late: int) -> None:
    def share(of: int, most: float) -> int:
        return int(of * random.uniform(0, most))

    for drop in ("bounce_drops", "spam_report_drops", "unsubscribe_drops", "invalid_emails"):
        numbers[drop] = share(requests, 0.02)
        numbers["drops"] += numbers[drop]
    numbers["requests"] = requests
    processed = numbers["processed"] = requests - numbers["drops"]
    for loss in ("bounces", "blocks", "deferred"):
        numbers[loss] = share(processed, 0.03)
    delivered = numbers["delivered"] = processed - numbers["bounces"] - numbers["blocks"]
    opened, clicked = share(delivered, 0.5), share(delivered, 0.15)
    numbers["unique_opens"] = min(delivered, max(opened, clicked) + late)
    numbers["unique_clicks"] = min(numbers["unique_opens"], clicked + late // 2)
    numbers["opens"] = numbers["unique_opens"] + share(opened, 0.6) + late
    numbers["clicks"] = numbers["unique_clicks"] + share(clicked, 0.4) + late
    for leaving in ("spam_reports", "unsubscribes"):
        numbers[leaving] = share(delivered, 0.01)
