"""How events become rows of the rollups, and how two rows of one message become one: as SQL text.

Belongs here: the definitions. Does not: which events are new, and the order of things (`warehouse.rollup`).

Each column is combined by a rule that does not care for order (least, greatest, sum, the value at the least
instant): so events may come late, in any order and in any portions, and the rollups end the same.
"""

from __future__ import annotations

from sendgrid_assets.catalog.events import EVENT_COLLECTIONS
from sendgrid_assets.catalog.rollups import (
    BOT_BURST_SECONDS,
    BOT_LINKS,
    BOT_SECONDS,
    MAIL_EVENTS,
    MESSAGE_DAYS,
    MESSAGES,
    RECIPIENTS,
)

from .sql import name, names, text

COUNTS = {
    "processed": "kind = 'processed'",
    "dropped": "kind = 'dropped'",
    "delivered": "kind = 'delivered'",
    "bounces": "kind = 'bounce' AND hard",
    "blocks": "kind = 'bounce' AND NOT hard",
    "deferrals": "kind = 'deferred'",
    "opens": "kind = 'open'",
    "machine_opens": "kind = 'open' AND machine",
    "clicks": "kind = 'click'",
    "bot_clicks": "false",
    "spam_reports": "kind = 'spam_report'",
    "unsubscribes": "kind = 'unsubscribe'",
    "group_unsubscribes": "kind = 'group_unsubscribe'",
}
"""Which events each count counts; a click is judged only beside the others of its message."""

_FIRST = {
    "processed_at": COUNTS["processed"],
    "dropped_at": COUNTS["dropped"],
    "first_deferred_at": COUNTS["deferrals"],
    "delivered_at": COUNTS["delivered"],
    "bounced_at": "kind = 'bounce'",
    "first_open_at": COUNTS["opens"],
    "first_human_open_at": "kind = 'open' AND NOT machine",
    "first_click_at": COUNTS["clicks"],
    "first_human_click_at": "false",
    "spam_report_at": COUNTS["spam_reports"],
    "unsubscribed_at": "kind IN ('unsubscribe', 'group_unsubscribe')",
}
_LAST = {
    "last_delivered_at": COUNTS["delivered"],
    "last_bounced_at": COUNTS["bounces"],
    "last_blocked_at": COUNTS["blocks"],
    "last_open_at": COUNTS["opens"],
    "last_human_open_at": "kind = 'open' AND NOT machine",
    "last_click_at": COUNTS["clicks"],
    "last_human_click_at": "false",
}
_AT = {"bounce_reason": "bounced_at", "bounce_classification": "bounced_at", "drop_reason": "dropped_at"}
"""Texts of the event at that instant."""

_EVENT_COLUMNS = {
    "sg_event_id": "sg_event_id",
    "event": "event",
    "timestamp": "timestamp",
    "message_id": "message_id",
    "smtp_id": "nullif(trim(smtp_id, ' <>'), '')",
    "email": "nullif(trim(email), '')",
    "campaign_id": "coalesce(nullif(marketing_campaign_id, ''), nullif(newsletter_newsletter_id, ''))",
    "campaign_name": "nullif(marketing_campaign_name, '')",
    "singlesend_id": "nullif(singlesend_id, '')",
    "singlesend_name": "nullif(singlesend_name, '')",
    "template_id": "coalesce(nullif(sg_template_id, ''), nullif(template_id, ''))",
    "template_name": "nullif(sg_template_name, '')",
    "asm_group_id": "asm_group_id",
    "category": "CASE WHEN len(category) > 0 THEN category END",
}
_OWN_COLUMNS = {
    "bounce": {
        "hard": "coalesce(lower(trim(type)) = 'bounce', false)",
        "bounce_reason": "reason",
        "bounce_classification": "bounce_classification",
    },
    "dropped": {"drop_reason": "reason"},
    "deferred": {"attempts": "attempt"},
    "open": {"machine": "coalesce(sg_machine_open, false)"},
    "click": {"url": "url"},
}


def new_mail(schema: str, time_zone: str, within: str) -> str:
    """The events of all types in one shape, with their day.

    Args:
        schema: the source's schema.
        time_zone: IANA name of the zone in which days begin and end.
        within: condition on `loaded_at`.
    """
    day = "timestamp" if time_zone == "UTC" else f"timezone({text(time_zone)}, timezone('UTC', timestamp))"
    # A type that lacks a column has NULL there.
    events = " UNION ALL BY NAME ".join(
        f"SELECT {text(kind)} AS kind, {_selected(_EVENT_COLUMNS | _OWN_COLUMNS.get(kind, {}))},"
        f" {day}::DATE AS day FROM {name(schema, kind)} WHERE duplicate_of IS NULL AND {within}"
        for kind in MAIL_EVENTS
    )
    assert {collection.table for collection in EVENT_COLLECTIONS} > set(MAIL_EVENTS)  # noqa: S101 - a typing slip
    return events


def keyed(mail: str, known: str) -> str:
    """Adds to each event its message's key, by way of the Message-ID where SendGrid's own id is missing.

    Args:
        mail: table of events.
        known: table of (smtp_id, address, message_id).
    """
    # The condition stands within the equality: beside it, DuckDB would compare each row with each.
    return (
        "SELECT *, md5(CASE WHEN message_id IS NOT NULL THEN 'm' || message_id || chr(31) || address"
        " WHEN smtp_id IS NOT NULL THEN 's' || smtp_id || chr(31) || address"
        " ELSE 'e' || sg_event_id || chr(31) || event END)::UUID AS message"
        " FROM (SELECT m.* REPLACE (coalesce(m.message_id, k.message_id) AS message_id)"
        f" FROM (SELECT *, lower(coalesce(email, '')) AS address FROM {mail}) m LEFT JOIN {known} k"
        " ON k.smtp_id = CASE WHEN m.message_id IS NULL THEN m.smtp_id END AND k.address = m.address)"
    )


def as_messages(mail: str) -> str:
    """Each event as a row of `messages` of its own."""
    columns = {
        **{count: f"({condition})::BIGINT" for count, condition in COUNTS.items()},
        **{
            instant: f"CASE WHEN {condition} THEN timestamp END"
            for instant, condition in (_FIRST | _LAST).items()
        },
        "first_day": "day",
        "last_day": "day",
    }
    return f"SELECT {_selected({c.name: columns.get(c.name, name(c.name)) for c in MESSAGES.columns})} FROM {mail}"


def combined_messages(rows: str) -> str:
    """One row a message, from several."""
    rules = {
        **{count: f"sum({name(count)})::BIGINT" for count in COUNTS},
        **{instant: f"min({name(instant)})" for instant in (*_FIRST, "first_day")},
        **{
            column: f"(min({{instant: {at}, missing: {name(column)} IS NULL, value: {name(column)}}})"
            f" FILTER ({at} IS NOT NULL)).value"
            for column, at in _AT.items()
        },
    }
    others = {c.name: rules.get(c.name, f"max({name(c.name)})") for c in MESSAGES.columns[1:]}
    return f"SELECT message, {_selected(others)} FROM ({rows}) GROUP BY message"


def as_days(mail: str) -> str:
    """Each event as a row of `message_days` of its own."""
    columns = {
        **{count: f"({condition})::BIGINT" for count, condition in COUNTS.items()},
        "email": "nullif(address, '')",
        "domain": "CASE WHEN contains(address, '@') THEN nullif(split_part(address, '@', -1), '') END",
    }
    return (
        f"SELECT {_selected({c.name: columns.get(c.name, name(c.name)) for c in MESSAGE_DAYS.columns})}"
        f" FROM {mail}"
    )


def combined_days(rows: str) -> str:
    """One row a message and day, from several."""
    counts = {count: f"sum({name(count)})::BIGINT" for count in COUNTS}
    return (
        f"SELECT message, day, max(email) AS email, max(domain) AS domain, {_selected(counts)}"
        f" FROM ({rows}) GROUP BY message, day"
    )


def recipients(messages: str) -> str:
    """One row an address, from all messages to it."""
    lasts = {c.name: f"max({name(c.name)})" for c in RECIPIENTS.columns[1:]}
    return f"SELECT lower(email) AS email, {_selected(lasts)} FROM {messages} WHERE email IS NOT NULL GROUP BY ALL"


def judged_clicks(clicks: str, delivered: str) -> str:
    """Clicks with `is_bot`: soon after the delivery, or one of several links at once.

    Args:
        clicks: query of (message, timestamp, day, url): all clicks of each message in it.
        delivered: table of (message, delivered_at).
    """
    near = f"abs(epoch_us(timestamp) - epoch_us(delivered_at)) <= {BOT_SECONDS * 1_000_000}"
    second = f"INTERVAL {BOT_BURST_SECONDS} SECOND"
    return (
        "SELECT message, timestamp, day, url, coalesce(near, false) OR coalesce(bool_or(burst) OVER"
        f" (PARTITION BY message ORDER BY timestamp RANGE BETWEEN {second} PRECEDING AND CURRENT ROW), false)"
        f" AS is_bot FROM (SELECT c.*, {near} AS near, count(DISTINCT url) OVER (PARTITION BY message"
        f" ORDER BY timestamp RANGE BETWEEN CURRENT ROW AND {second} FOLLOWING) >= {BOT_LINKS} AS burst"
        f" FROM ({clicks}) c LEFT JOIN (SELECT message, delivered_at FROM {delivered}) d USING (message))"
    )


def with_bots(rows: str, clicks: str, judged: str, *by: str) -> str:
    """Rows of a rollup with what is known of their clicks only once these are judged.

    Args:
        rows: query of combined rows.
        clicks: table of judged clicks.
        judged: table of the messages whose clicks are in it; others keep what they have.
        by: columns that tell the rows apart.
    """
    human = (
        ""
        if "day" in by
        else (
            ", CASE WHEN j.message IS NULL THEN r.first_human_click_at ELSE b.first_human END AS first_human_click_at"
            ", CASE WHEN j.message IS NULL THEN r.last_human_click_at ELSE b.last_human END AS last_human_click_at"
        )
    )
    return (
        "SELECT r.* REPLACE (CASE WHEN j.message IS NULL THEN r.bot_clicks ELSE coalesce(b.bots, 0) END AS bot_clicks"
        f"{human}) FROM ({rows}) r LEFT JOIN {judged} j ON j.message = r.message LEFT JOIN (SELECT {names(by)},"
        " count(*) FILTER (is_bot) AS bots, min(timestamp) FILTER (NOT is_bot) AS first_human,"
        f" max(timestamp) FILTER (NOT is_bot) AS last_human FROM {clicks} GROUP BY {names(by)}) b"
        f" ON {' AND '.join(f'b.{name(column)} = r.{name(column)}' for column in by)}"
    )


def _selected(columns: dict[str, str]) -> str:
    return ", ".join(f"{expression} AS {name(column)}" for column, expression in columns.items())
