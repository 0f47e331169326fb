"""The rollups: tables kept beside the events so that insights need not read every event, one set a source.

Belongs here: their columns, and how a column of one row is made from several. Does not: the SQL that keeps them
(`warehouse.rollup`), nor the views people query (`insights`).
"""

from __future__ import annotations

from dataclasses import dataclass

from .column import Column, SqlType, added

BOT_SECONDS = 10
"""A click no more than so many seconds from its message's delivery is a likely bot's."""

BOT_LINKS, BOT_BURST_SECONDS = 3, 1
"""So many different links of one message, clicked within so many seconds, are a likely bot's clicks."""

MAIL_EVENTS = (
    "processed",
    "delivered",
    "deferred",
    "bounce",
    "dropped",
    "open",
    "click",
    "spam_report",
    "unsubscribe",
    "group_unsubscribe",
    "group_resubscribe",
)
"""The event tables whose rows belong to a message."""

_MESSAGE = added(
    "message",
    "UUID",
    "MD5 of what tells messages apart: `message_id` and `email`, else `smtp_id` and `email`, else the event.",
)
_COUNTS = (
    added("processed", "BIGINT", "Events `processed`."),
    added("dropped", "BIGINT", "Events `dropped`."),
    added("delivered", "BIGINT", "Events `delivered`."),
    added("bounces", "BIGINT", "Events `bounce` of type `bounce`."),
    added("blocks", "BIGINT", "Events `bounce` of any other type."),
    added("deferrals", "BIGINT", "Events `deferred`."),
    added("opens", "BIGINT", "Events `open`."),
    added("machine_opens", "BIGINT", "Of the opens, those that `sg_machine_open` marks."),
    added("clicks", "BIGINT", "Events `click`."),
    added("bot_clicks", "BIGINT", "Of the clicks, those of a likely bot."),
    added("spam_reports", "BIGINT", "Events `spamreport`."),
    added("unsubscribes", "BIGINT", "Events `unsubscribe`."),
    added("group_unsubscribes", "BIGINT", "Events `group_unsubscribe`."),
)


def _first(name: str, what: str) -> Column:
    return added(name, "TIMESTAMP", f"The first {what} (UTC).")


def _last(name: str, what: str) -> Column:
    return added(name, "TIMESTAMP", f"The last {what} (UTC).")


def _of(name: str, description: str, type_: SqlType = "VARCHAR") -> Column:
    return Column(name, type_, description)


@dataclass(frozen=True, slots=True)
class Rollup:
    """One rollup table.

    Attributes:
        table: its name, to follow the source's name and an underscore.
        description: what a row is.
        columns: its columns.
    """

    table: str
    description: str
    columns: tuple[Column, ...]


MESSAGES = Rollup(
    "messages",
    "One row per message, one mail to one address: the state of the insights, not to be queried itself.",
    (
        _MESSAGE,
        _of("message_id", "The part of `sg_message_id` that all events of the message share; NULL if none."),
        _of("smtp_id", "The mail's Message-ID, without its angle brackets."),
        Column(
            "email",
            "VARCHAR",
            "The recipient's address, as written; one of them where it is written in several ways.",
            personal=True,
        ),
        *_COUNTS,
        _of("attempts", "The highest `attempt` of a deferral.", "BIGINT"),
        _first("processed_at", "`processed`"),
        _first("dropped_at", "`dropped`"),
        _first("first_deferred_at", "`deferred`"),
        _first("delivered_at", "`delivered`"),
        _last("last_delivered_at", "`delivered`"),
        _first("bounced_at", "`bounce` of any type"),
        _last("last_bounced_at", "`bounce` of type `bounce`"),
        _last("last_blocked_at", "`bounce` of any other type"),
        _first("first_open_at", "`open`"),
        _last("last_open_at", "`open`"),
        _first("first_human_open_at", "`open` that is not a machine's"),
        _last("last_human_open_at", "`open` that is not a machine's"),
        _first("first_click_at", "`click`"),
        _last("last_click_at", "`click`"),
        _first("first_human_click_at", "`click` that is not a likely bot's"),
        _last("last_human_click_at", "`click` that is not a likely bot's"),
        _first("spam_report_at", "`spamreport`"),
        _first("unsubscribed_at", "`unsubscribe` or `group_unsubscribe`"),
        _of("first_day", "Day of the first event.", "DATE"),
        _of("last_day", "Day of the last event.", "DATE"),
        Column("bounce_reason", "VARCHAR", "`reason` of the first `bounce`.", personal=True),
        _of("bounce_classification", "`bounce_classification` of the first `bounce`, as sent."),
        Column("drop_reason", "VARCHAR", "`reason` of the first `dropped`.", personal=True),
        _of("campaign_id", "`marketing_campaign_id`, else the newsletter's id."),
        _of("campaign_name", "`marketing_campaign_name`."),
        _of("singlesend_id", "`singlesend_id`."),
        _of("singlesend_name", "`singlesend_name`."),
        _of("template_id", "`sg_template_id`, else `template_id`."),
        _of("template_name", "`sg_template_name`."),
        _of("asm_group_id", "The unsubscribe group the mail was sent in.", "BIGINT"),
        _of("category", "Categories of the mail; NULL if none.", "VARCHAR[]"),
    ),
)

MESSAGE_DAYS = Rollup(
    "message_days",
    "One row per message and day on which something happened to it: the state of the insights by day.",
    (
        _MESSAGE,
        _of("day", "The day, in SENDGRID_TIME_ZONE.", "DATE"),
        Column("email", "VARCHAR", "The recipient's address, in lower case.", personal=True),
        _of("domain", "The part of the address after the @."),
        *_COUNTS,
    ),
)

CLICKS = Rollup(
    "clicks",
    "One row per click: the state of the insights on links.",
    (
        _MESSAGE,
        _of("timestamp", "When it happened (UTC).", "TIMESTAMP"),
        _of("day", "The day, in SENDGRID_TIME_ZONE.", "DATE"),
        Column("url", "VARCHAR", "The address that was clicked, as sent.", personal=True),
        _of("is_bot", "Whether it is a likely bot's click.", "BOOLEAN"),
    ),
)

RECIPIENTS = Rollup(
    "recipients",
    "One row per address that mail went to: the state of the insights on recipients.",
    (
        Column("email", "VARCHAR", "The address, in lower case.", personal=True),
        _last("last_delivered_at", "`delivered`"),
        _last("last_open_at", "`open`"),
        _last("last_human_open_at", "`open` that is not a machine's"),
        _last("last_click_at", "`click`"),
        _last("last_human_click_at", "`click` that is not a likely bot's"),
    ),
)

ROLLUPS = (MESSAGES, MESSAGE_DAYS, CLICKS, RECIPIENTS)
