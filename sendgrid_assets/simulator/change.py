"""How an account changes: one step is what might happen within some minutes.

Belongs here: additions, changes and removals of contacts, what they are sent and what suppresses them. Does
not: the shapes of rows (`legacy_marketing`, `marketing`, `suppression`), and steps that have a module of their
own (`category`, `engagement`, ...). Counts move by what was added or removed, so that what a test wrote into
them stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    activity,
    category,
    engagement,
    legacy_marketing,
    marketing,
    metric,
    subuser,
    suppression,
    verified_sender,
)
from .instant import DAY, iso

if TYPE_CHECKING:
    from .account import Account

_SENT_AS = {"Draft": "Scheduled", "Scheduled": "In Progress", "In Progress": "Sent"}


def step(account: Account) -> None:
    """Changes a little of everything."""
    size = len(account.mc_contacts)
    turnover = min(size // 400, 20)
    for _ in range(2 + turnover):
        _add(account)
    for _ in range(1 + size // 100):
        _edit(account)
    for _ in range(min(size, 1 + turnover)):
        _remove(account)
    _suppressions(account)
    _single_sends(account)
    _campaigns(account)
    for segment in account.mc_segments:
        segment["sample_updated_at"] = iso(account.now())
        segment["next_sample_update"] = iso(account.now() + 3600)
    account.steps += 1
    metric.age(account)
    for part in (category, subuser, verified_sender, engagement, activity):
        part.step(account)


def _add(account: Account) -> None:
    person = account.people.meet()
    legacy_marketing.recipient(account, person, account.now())
    marketing.contact(account, person, account.now())


def _edit(account: Account) -> None:
    random, now = account.random, account.now()
    if account.mc_contacts:
        contact = random.choice(account.mc_contacts)
        contact["updated_at"] = iso(now)
        contact.setdefault("custom_fields", {})["loyalty_points"] = random.randrange(5000)
    if account.recipients:
        recipient = random.choice(account.recipients)
        recipient |= {"updated_at": now, "last_emailed": now - 60, "last_opened": now}


def _remove(account: Account) -> None:
    contact = account.mc_contacts.pop(account.random.randrange(len(account.mc_contacts)))
    _leave(account, contact["contact_id"])
    for number, recipient in enumerate(account.recipients):
        if recipient["email"] == contact.get("email"):
            _leave(account, account.recipients.pop(number)["id"])
            break


def _leave(account: Account, id_: str) -> None:
    for rows, count in (
        (account.lists, "recipient_count"),
        (account.segments, "recipient_count"),
        (account.mc_lists, "contact_count"),
        (account.mc_segments, "contacts_count"),
    ):
        for row in rows:
            members = account.members.get(str(row["id"]), set())
            if id_ in members:
                members.remove(id_)
                row[count] = max(0, row[count] - 1)


def _suppressions(account: Account) -> None:
    random, now = account.random, account.now()
    for kind in suppression.KINDS:
        rows = getattr(account, kind)
        suppression.suppress(account, kind, now)
        if len(rows) > 1 and random.random() < 0.4:
            rows.pop(random.randrange(len(rows) - 1))
    suppression.leave_group(account, now)
    if len(account.asm_suppressions) > 1 and random.random() < 0.4:
        back = account.asm_suppressions.pop(random.randrange(len(account.asm_suppressions) - 1))
        for group in account.asm_groups:
            if group["id"] == back["group_id"]:
                group["unsubscribes"] = max(0, group["unsubscribes"] - 1)


def _single_sends(account: Account) -> None:
    """The oldest scheduled one is sent, the oldest draft scheduled, and now and then a new one begun."""
    now = account.now()
    for status, following in (("scheduled", "triggered"), ("draft", "scheduled")):
        for row in account.mc_single_sends:
            if row["status"] == status:
                row |= {"status": following, "updated_at": iso(now)}
                row["send_at"] = iso(now if following == "triggered" else now + DAY)
                break
    drafts = sum(row["status"] == "draft" for row in account.mc_single_sends)
    if account.mc_lists and not drafts and account.random.random() < 0.2:
        draft = marketing.single_send(account, "draft")
        account.mc_single_sends.append(draft | {"created_at": iso(now), "updated_at": iso(now)})


def _campaigns(account: Account) -> None:
    """The oldest unsent campaign goes one step on; once none is left, a new draft follows at length."""
    for row in reversed(account.campaigns):
        if row["status"] in _SENT_AS:
            row |= {"status": _SENT_AS[row["status"]], "subject": row["subject"] or f"{row['title']} for you"}
            return
    if account.random.random() > 0.2:
        return
    newest = max((row["id"] for row in account.campaigns), default=986_700)
    account.campaigns.insert(0, legacy_marketing.campaign(account, newest + 1, "Draft"))
