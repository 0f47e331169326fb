"""Insights on how mail did, by day, domain, category, template, single send and campaign, and message by message.

Belongs here: their entries. Does not: their SQL (`warehouse/insights`), nor the metrics they share (`metric_columns`).
"""

from __future__ import annotations

from dataclasses import replace

from .column import Column, SqlType, added
from .insight import Insight
from .marketing_statistics import SINGLE_SEND_STATS
from .metric_columns import EVENT_COUNTS, METRICS
from .rollups import BOT_BURST_SECONDS, BOT_LINKS, BOT_SECONDS, MAIL_EVENTS

_COPIES = "Rows that `duplicate_of` marks as copies are left out."
_MACHINES = (
    "Machine opens are those of Apple Mail's privacy protection only: no mark is no proof of a person."
    f" A click is a likely bot's if it is within {BOT_SECONDS} seconds of the message's delivery, or one of"
    f" {BOT_LINKS} or more different links of the message clicked within {BOT_BURST_SECONDS} second."
)
_STEPS = "Events may be missing or late, so no step presumes the one before, and a rate may exceed 1."
_SEVEN_DAYS = "SendGrid's own unique counts differ: it remembers who opened or clicked for seven days only."
_BY_DAY = (
    "An event counts on the day it happened, in SENDGRID_TIME_ZONE; a message counts as opened, clicked or deferred"
    " on every day on which that happened to it. An event that comes late changes the day it belongs to."
)
_WHOLE_LIFE = "Counts the messages' whole life, whenever things happened."


def _note(*sentences: str) -> str:
    return " ".join((*sentences, _STEPS, _MACHINES, _SEVEN_DAYS, _COPIES))


def _text(name: str, description: str, *, personal: bool = False) -> Column:
    return Column(name, "VARCHAR", description, personal=personal)


def _at(name: str, what: str) -> Column:
    return added(name, "TIMESTAMP", f"When it was {what} (UTC); NULL if never.")


def _of(name: str, type_: SqlType, description: str) -> Column:
    return added(name, type_, description)


_DAY = _of("day", "DATE", "The day, in SENDGRID_TIME_ZONE.")
_DAYS = (
    _of("first_day", "DATE", "Day of the first event of any of its messages, in SENDGRID_TIME_ZONE."),
    _of("last_day", "DATE", "Day of the last event of any of its messages, in SENDGRID_TIME_ZONE."),
)
_SENDGRIDS_OWN = tuple(
    replace(
        column,
        name=column.name.replace("stats_", "sendgrid_"),
        description=f"{column.description.removesuffix('.')}, as SendGrid counts; NULL where it has no count.",
        path=(),
    )
    for column in SINGLE_SEND_STATS.sent_columns
    if column.name.startswith("stats_")
)

_MESSAGES = Insight(
    view="messages",
    row="message, one mail to one address",
    key=("message_id", "email"),
    columns=(
        _text("message_id", "What all events of the mail share of `sg_message_id`; NULL where none has it."),
        _text("email", "The recipient's address, as written; NULL where no event has it.", personal=True),
        *EVENT_COUNTS,
        _of("deferrals", "BIGINT", "Events `deferred`: attempts the receiving server put off."),
        _of("attempts", "BIGINT", "The highest `attempt` of a deferral; NULL if there was none."),
        _text(
            "outcome",
            "`delivered`, `bounced` or `blocked`, whichever came last; else `dropped`, `deferred`, `processed`;"
            " `unknown` where none of these events came.",
        ),
        _at("processed_at", "first taken on by SendGrid"),
        _at("dropped_at", "first dropped by SendGrid"),
        _at("first_deferred_at", "first put off by the receiving server"),
        _at("delivered_at", "first delivered"),
        _at("bounced_at", "first refused, for good or this time"),
        _at("first_open_at", "first opened"),
        _at("first_human_open_at", "first opened by anything but a machine"),
        _at("last_open_at", "last opened"),
        _at("last_human_open_at", "last opened by anything but a machine"),
        _at("first_click_at", "first clicked"),
        _at("first_human_click_at", "first clicked by anything but a likely bot"),
        _at("last_click_at", "last clicked"),
        _at("last_human_click_at", "last clicked by anything but a likely bot"),
        _at("spam_report_at", "first reported as spam"),
        _at("unsubscribed_at", "first answered by leaving a group or everything"),
        _text("bounce_reason", "What the first refusal said; NULL if there was none.", personal=True),
        _text(
            "bounce_classification",
            "SendGrid's class of the first refusal, in one spelling: `Invalid Address`, `Technical Failure`,"
            " `Content`, `Reputation`, `Frequency or Volume Too High`, `Mailbox Unavailable`, `Unclassified`,"
            " or another as sent; NULL if none.",
        ),
        _text("drop_reason", "Why it was first dropped; NULL if it was not.", personal=True),
        _text("campaign_id", "The event's `marketing_campaign_id`, else the newsletter's id; NULL if none."),
        _text("campaign_name", "The campaign's name, as events have it; NULL if none."),
        _text("singlesend_id", "The single send, `id` in `mc_single_sends`; NULL if none."),
        _text("singlesend_name", "The single send's name, as events have it; NULL if none."),
        _text("template_id", "The template, `id` in `templates`; NULL if none."),
        _text("template_name", "The template version's name, as events have it; NULL if none."),
        _of("asm_group_id", "BIGINT", "The unsubscribe group the mail was sent in; NULL if none."),
        _of("category", "VARCHAR[]", "Categories of the mail; NULL if none."),
        _text("smtp_id", "The mail's Message-ID, without its angle brackets; NULL where no event has it."),
        _of("first_day", "DATE", "Day of the first event, in SENDGRID_TIME_ZONE."),
        _of("last_day", "DATE", "Day of the last event, in SENDGRID_TIME_ZONE."),
    ),
    reads=MAIL_EVENTS,
    note=(
        "A message is told by `message_id` and `email`, else by `smtp_id` and `email`; an event with neither id is"
        " a message of its own, so rows without `message_id` may look alike. Any step may be missing or late."
        f" A refusal in the second of a delivery is taken as the later. {_MACHINES} {_COPIES}"
    ),
)

_EMAIL_DAILY = Insight(
    view="email_daily",
    row="day on which something happened to mail",
    key=("day",),
    columns=(_DAY, *METRICS),
    reads=MAIL_EVENTS,
    note=_note(_BY_DAY),
)

_DOMAIN_DELIVERABILITY = Insight(
    view="domain_deliverability",
    row="day and recipient domain",
    key=("day", "domain", "mailbox_provider"),
    columns=(
        _DAY,
        _text("domain", "What follows the @ of the address, in lower case; NULL where there is no address."),
        _text(
            "mailbox_provider", "Whose mailboxes the domain is known for, else `Other`; NULL with the domain."
        ),
        *METRICS,
    ),
    reads=MAIL_EVENTS,
    note=_note(
        _BY_DAY,
        "The provider is known from the domain's name alone: domains of companies and schools are `Other`, wherever"
        " their mailboxes are. AOL, run by Yahoo, is `Yahoo`.",
    ),
)

_CATEGORY_PERFORMANCE = Insight(
    view="category_performance",
    row="category",
    key=("category",),
    columns=(_text("category", "The category."), *METRICS, *_DAYS),
    reads=MAIL_EVENTS,
    note=_note(
        _WHOLE_LIFE,
        "Mail in several categories counts in each, so the rows do not add up to all mail;"
        " mail without a category is left out.",
    ),
)

_TEMPLATE_PERFORMANCE = Insight(
    view="template_performance",
    row="template",
    key=("template_id", "template_name"),
    columns=(
        _text("template_id", "The template, `id` in `templates`."),
        _text(
            "template_name", "Its name in `templates`, else the version's in events; NULL if neither has one."
        ),
        *METRICS,
        *_DAYS,
    ),
    reads=(*MAIL_EVENTS, "templates"),
    note=_note(_WHOLE_LIFE, "Mail without a template is left out."),
)

_SINGLE_SEND_PERFORMANCE = Insight(
    view="single_send_performance",
    row="single send of which there are events",
    key=("singlesend_id", "singlesend_name"),
    columns=(
        _text("singlesend_id", "The single send, `id` in `mc_single_sends`."),
        _text("singlesend_name", "Its name in `mc_single_sends`, else in events; NULL if neither has one."),
        *METRICS,
        _of(
            "send_at", "TIMESTAMP", "When it was to be sent (UTC); NULL where `mc_single_sends` does not say."
        ),
        _text("subject", "The mail's subject; NULL where `mc_single_sends` does not say."),
        *_DAYS,
        *_SENDGRIDS_OWN,
    ),
    reads=(*MAIL_EVENTS, "mc_single_sends", "mc_single_send_stats"),
    note=_note(
        _WHOLE_LIFE,
        "SendGrid's counts are those of all time and of the whole send, as of the last sync; they include mail whose"
        " events did not come here. Of an A/B test that it counts in parts only, the parts are added up.",
    ),
)

_CAMPAIGN_PERFORMANCE = Insight(
    view="campaign_performance",
    row="campaign",
    key=("campaign_id", "campaign_name"),
    columns=(
        _text("campaign_id", "The events' `marketing_campaign_id`, else the newsletter's id."),
        _text("campaign_name", "Its name in events, else its title in `campaigns`; NULL if neither has one."),
        *METRICS,
        *_DAYS,
    ),
    reads=(*MAIL_EVENTS, "campaigns"),
    note=_note(_WHOLE_LIFE, "Mail without a campaign is left out."),
)

PERFORMANCE: tuple[Insight, ...] = (
    _MESSAGES,
    _EMAIL_DAILY,
    _DOMAIN_DELIVERABILITY,
    _CATEGORY_PERFORMANCE,
    _TEMPLATE_PERFORMANCE,
    _SINGLE_SEND_PERFORMANCE,
    _CAMPAIGN_PERFORMANCE,
)
