"""Suppressions: addresses SendGrid will not send to, and the unsubscribe groups.

Belongs here: rows in the shape that `/v3/suppression` and `/v3/asm` send. Does not: when they come and go
(`change`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/bounces-api/retrieve-all-bounces
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .instant import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .account import Account, Row

KINDS = ("bounces", "blocks", "invalid_emails", "spam_reports", "unsubscribes")
"""The five suppression lists: names of the account's attributes, and last part of their paths."""

_SHARE = {"bounces": 18, "blocks": 25, "invalid_emails": 40, "spam_reports": 60, "unsubscribes": 15}
_BOUNCES = (
    ("550 5.1.1 The email account that you tried to reach does not exist.", "5.1.1"),
    ("552 5.2.2 Mailbox full, boîte pleine", "5.2.2"),
    ("Bounced Address", ""),
)
_BLOCKS = (
    ("unable to resolve MX record for example.org: servfail", "4.0.0"),
    ("554 5.7.1 Message rejected by policy", "5.7.1"),
    ("error dialing remote address: dial tcp 192.0.2.25:25: i/o timeout", ""),
)
_INVALID = ("Mail domain mentioned in email address is unknown", "email address has invalid characters")
_GROUPS = (
    (14001, "Weekly news", "Our news, once a week"),
    (14002, "Offers", "Offers and prices"),
    (14003, "Surveys", ""),
)


def fill(account: Account) -> None:
    """Puts the groups and a history of suppressions in place, in proportion to the contacts."""
    account.asm_groups.extend(
        {"id": id_, "name": name, "description": text, "is_default": id_ == 14001, "unsubscribes": 0}
        for id_, name, text in _GROUPS
    )
    now, size = account.now(), len(account.mc_contacts)
    for kind, share in _SHARE.items():
        for _ in range(size // share):
            suppress(account, kind, now - account.random.randrange(3600, 300 * DAY))
        # A mailing to many at once leaves several rows in one second.
        shared = now - 40 * DAY
        for _ in range(min(4, size // 100)):
            suppress(account, kind, shared)
    for _ in range(size // 20):
        leave_group(account, now - account.random.randrange(3600, 300 * DAY))


def suppress(account: Account, kind: str, created: int) -> Row:
    """Adds one suppression.

    Args:
        account: the account to add it to.
        kind: one of `KINDS`.
        created: unix seconds.
    """
    random, rows = account.random, getattr(account, kind)
    email = _address(account, (row["email"] for row in rows))
    row: Row = {"created": created, "email": email}
    if kind in ("bounces", "blocks"):
        reason, status = random.choice(_BOUNCES if kind == "bounces" else _BLOCKS)
        row |= {"reason": reason, "status": status}
    elif kind == "invalid_emails":
        # Nothing checks an address before it is listed here: some are none.
        local, domain = account.people.meet().email.split("@")
        row["email"] = local + random.choice((f"@{domain}", "@example_com", f" @{domain}"))
        row["reason"] = random.choice(_INVALID)
    elif kind == "spam_reports":
        row["ip"] = f"192.0.2.{random.randrange(1, 255)}"
    rows.append(row)
    return row


def leave_group(account: Account, created: int) -> None:
    """Adds one unsubscription from a group, at `created` (unix seconds)."""
    if not account.asm_groups:
        return
    group = account.random.choice(account.asm_groups)
    taken = (row["email"] for row in account.asm_suppressions if row["group_id"] == group["id"])
    account.asm_suppressions.append(
        {
            "email": _address(account, taken),
            "group_id": group["id"],
            "group_name": group["name"],
            "created_at": created,
        }
    )
    group["unsubscribes"] += 1


def _address(account: Account, taken: Iterable[str]) -> str:
    """A contact's address or that of somebody who is none, not taken yet."""
    if account.mc_contacts and account.random.random() < 0.6:
        email = account.random.choice(account.mc_contacts).get("email")
        if email and email not in taken:
            return str(email)
    return account.people.meet().email
