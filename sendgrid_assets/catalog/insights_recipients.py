"""Insights on addresses: who left, who is suppressed, who is engaged, and how lists grow.

Belongs here: their entries. Does not: their SQL (`warehouse/insights`).
"""

from __future__ import annotations

from .column import Column, added
from .insight import Insight
from .rollups import BOT_BURST_SECONDS, BOT_LINKS, BOT_SECONDS

_EMAIL = Column("email", "VARCHAR", "The address, in lower case.", personal=True)
_PERIODS = (30, 90, 365)
_COUNTED = {
    "delivered": "Events `delivered`",
    "opens": "Events `open`, a machine's among them,",
    "human_opens": "Events `open` that are not a machine's",
    "clicks": "Events `click`, likely bots' among them,",
    "human_clicks": "Events `click` that are not a likely bot's",
}


def _last(name: str, what: str) -> Column:
    return added(name, "TIMESTAMP", f"The last {what} (UTC); NULL if there is none.")


RECIPIENTS = (
    Insight(
        "unsubscribes_by_group",
        "day and unsubscribe group that addresses left or came back to",
        ("day", "asm_group_id"),
        (
            added("day", "DATE", "The day it happened, in SENDGRID_TIME_ZONE."),
            added("asm_group_id", "BIGINT", "The group; NULL where the event names none."),
            added("group_name", "VARCHAR", "The group's name now; NULL where `suppression_groups` has none."),
            added("unsubscribes", "BIGINT", "Events `group_unsubscribe`: from this group."),
            added("resubscribes", "BIGINT", "Events `group_resubscribe`: back to this group."),
        ),
        reads=("group_unsubscribe", "group_resubscribe", "suppression_groups"),
        note=(
            "Unsubscriptions from everything belong to no group and are not among these: `email_daily` has them."
            " Rows with `duplicate_of` are left out."
        ),
    ),
    Insight(
        "recipient_engagement",
        "address that mail was sent to",
        ("email",),
        (
            _EMAIL,
            _last("last_delivered_at", "`delivered`"),
            _last("last_opened_at", "`open`"),
            _last("last_human_opened_at", "`open` that is not a machine's"),
            _last("last_clicked_at", "`click`"),
            _last("last_human_clicked_at", "`click` that is not a likely bot's"),
            added(
                "recency_band",
                "VARCHAR",
                "Days from the last human open or human click to today: `0-30 days`, `31-90 days`, `91-365 days`,"
                " `over 365 days`; `never` without any.",
            ),
            *(
                added(f"{name}_{days}d", "BIGINT", f"{what} of today and the {days} days before.")
                for days in _PERIODS
                for name, what in _COUNTED.items()
            ),
        ),
        reads=("delivered", "open", "click"),
        note=(
            "Today is the day on which the view is read, in SENDGRID_TIME_ZONE. Addresses that never got mail"
            " (all bounced or dropped) are here too, in the band `never`. A machine's open is one that Apple Mail's"
            " privacy protection made: no sign of it does not prove a person. A likely bot's click: at most"
            f" {BOT_SECONDS} seconds from the message's delivery, or one of {BOT_LINKS} and more different links of the"
            f" message within {BOT_BURST_SECONDS} second. Rows with `duplicate_of` are left out."
        ),
    ),
    Insight(
        "suppression_state",
        "address that was ever on a list of suppressions",
        ("email",),
        (
            _EMAIL,
            added(
                "suppressed",
                "BOOLEAN",
                "Whether SendGrid holds back all mail to it now: it is on the list of bounces, invalid addresses, spam"
                " reports or unsubscribes.",
            ),
            added(
                "kinds",
                "VARCHAR[]",
                "Lists it is on now, sorted: `bounces`, `invalid_emails`, `spam_reports`, `unsubscribes`, and"
                " `group:` with the name, else the id, of each unsubscribe group it left; empty if none.",
            ),
            added(
                "suppressed_groups",
                "BIGINT[]",
                "Ids of the unsubscribe groups it left, sorted: mail of these is held back; empty if none.",
            ),
            added(
                "since",
                "TIMESTAMP",
                "The earliest of the lists that hold back all mail, else of the groups (UTC); NULL if it is on none.",
            ),
            added(
                "lifted_kinds", "VARCHAR[]", "Lists it was on and is not on any more, sorted as `kinds` is."
            ),
            added(
                "lifted_at",
                "TIMESTAMP",
                "When it was found gone from the last of them (UTC); NULL while on any.",
            ),
        ),
        reads=(
            "suppression_bounces",
            "suppression_invalid_emails",
            "suppression_spam_reports",
            "suppression_unsubscribes",
            "suppression_group_members",
            "suppression_groups",
        ),
        note=(
            "An address that only left groups is not `suppressed`: it gets all other mail. Blocks are left out, since"
            " they do not keep the next mail from being tried. `since` is SendGrid's instant, `lifted_at` that of the"
            " sync that no longer found the address; syncs read these lists in full once a day."
        ),
    ),
    Insight(
        "list_growth",
        "contact list and day on which a sync found its members changed, and today",
        ("day", "list_id"),
        (
            added("day", "DATE", "The day of the sync that found it, in SENDGRID_TIME_ZONE."),
            added("list_id", "VARCHAR", "The list, `id` in `mc_lists` or `lists`."),
            added("list_name", "VARCHAR", "The list's name, the last one where it is deleted."),
            added("contacts", "BIGINT", "Members at the end of the day, or by now if it is today."),
            added("added", "BIGINT", "Members found to have come or returned on the day."),
            added("removed", "BIGINT", "Members found gone on the day."),
        ),
        reads=("mc_lists", "mc_contact_lists", "lists", "list_recipients"),
        note=(
            "Members are worked back from those of now through `_sendgrid_assets.changes`: history begins with the"
            " second sync and reaches back 400 days. A deleted list keeps its days. A list whose members were never"
            " read shows SendGrid's own count, without a past."
        ),
    ),
)
"""Each reads what stands in object tables, changes, events, or the rollups made of these."""
