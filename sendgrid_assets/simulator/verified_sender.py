"""Addresses that mail may come from, verified and not yet.

Belongs here: rows in the shape that `/v3/verified_senders` sends, how they change, how they are handed out.
Does not: the senders of marketing mail, which have another shape (`marketing`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/sender-verification/get-all-verified-senders
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .paging import by_last_seen, held

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .account import Account
    from .paging import Handler

_NICKNAMES = ("Orders", "Support", "News", "Événements", "Surveys")
_STEPS_BETWEEN = 3


def fill(account: Account) -> None:
    """Puts the senders of a fresh account in place, the last two of them unverified."""
    account.verified_senders.extend(
        {
            "id": 3_201 + 7 * number,
            "nickname": nickname,
            "from_email": f"sender{number}@example.com",
            "from_name": f"{nickname} of the shop",
            "reply_to": "support@example.com",
            "reply_to_name": "Support",
            "address": "1 Sample Street",
            "address2": "",
            "state": "",
            "city": "Askham",
            "zip": "00001",
            "country": "Norland",
            "verified": number < len(_NICKNAMES) - 2,
            "locked": number == 0,
        }
        for number, nickname in enumerate(_NICKNAMES)
    )


def step(account: Account) -> None:
    """Now and then one more is verified."""
    if account.steps % _STEPS_BETWEEN:
        return
    for row in account.verified_senders:
        if not row["verified"]:
            row["verified"] = True
            return


ENDPOINTS: Mapping[str, Handler] = {
    "/v3/verified_senders": by_last_seen(held("verified_senders"), wrapper="results")
}
