"""The metrics of mail: the columns that insights share, each defined once.

Belongs here: what each count and rate means. Does not: which insight has which (`insights_performance`), nor what
SendGrid itself counts (`metric`).
"""

from __future__ import annotations

from .column import Column, added


def _count(name: str, description: str) -> Column:
    return added(name, "BIGINT", description)


def _rate(name: str, numerator: str, denominator: str) -> Column:
    return added(name, "DOUBLE", f"`{numerator}` / `{denominator}`; NULL where `{denominator}` is 0.")


EVENT_COUNTS = (
    _count("processed", "Events `processed`: mail SendGrid took on to deliver."),
    _count("dropped", "Events `dropped`: mail SendGrid did not try to deliver."),
    _count("delivered", "Events `delivered`: mail a receiving server accepted, which is not yet the inbox."),
    _count("bounces", "Events `bounce` of type `bounce`: mail refused for good."),
    _count("blocks", "Events `bounce` of any other type: mail refused this time."),
    _count("opens", "Events `open`, a machine's among them."),
    _count("machine_opens", "Of `opens`, those that Apple Mail's privacy protection made."),
    _count("clicks", "Events `click`, likely bots' among them."),
    _count("bot_clicks", "Of `clicks`, those of a likely bot."),
    _count("spam_reports", "Events `spamreport`."),
    _count("unsubscribes", "Events `unsubscribe`: from everything."),
    _count("group_unsubscribes", "Events `group_unsubscribe`: from one group."),
)
"""How many events there were."""

MESSAGE_COUNTS = (
    _count("deferred", "Messages put off at least once by the receiving server."),
    _count("unique_opens", "Messages with at least one open."),
    _count("unique_human_opens", "Messages with at least one open that is not a machine's."),
    _count("unique_clicks", "Messages with at least one click."),
    _count("unique_human_clicks", "Messages with at least one click that is not a likely bot's."),
)
"""How many messages had at least one such event."""

RATES = (
    _rate("delivery_rate", "delivered", "processed"),
    _rate("bounce_rate", "bounces", "processed"),
    _rate("block_rate", "blocks", "processed"),
    _rate("unique_open_rate", "unique_opens", "delivered"),
    _rate("unique_human_open_rate", "unique_human_opens", "delivered"),
    _rate("unique_click_rate", "unique_clicks", "delivered"),
    _rate("click_to_open_rate", "unique_clicks", "unique_opens"),
    _rate("spam_report_rate", "spam_reports", "delivered"),
    _rate("unsubscribe_rate", "unsubscribes", "delivered"),
)

METRICS = (*EVENT_COUNTS, *MESSAGE_COUNTS, *RATES)
"""All of them, in the order in which views have them."""

GLOSSARY = "https://www.twilio.com/docs/sendgrid/glossary"
"""SendGrid's glossary: where its own definitions stand."""

DEFINED = {
    "deliveries": ("delivered", "delivery_rate"),
    "bounces": ("bounces", "bounce_rate"),
    "blocks": ("blocks", "block_rate"),
    "deferrals": ("deferred",),
    "drops": ("dropped",),
    "opens": ("opens", "unique_opens", "unique_open_rate"),
    "clicks": ("clicks", "unique_clicks", "unique_click_rate"),
    "ctr": ("click_to_open_rate",),
    "complaint": ("spam_reports", "spam_report_rate"),
    "event-webhook": ("processed", "unsubscribes", "group_unsubscribes", "unsubscribe_rate"),
}
"""By page of the glossary, the metrics that follow it; SendGrid's own name of `click_to_open_rate` is CTR."""

OUR_OWN = (
    "machine_opens",
    "bot_clicks",
    "unique_human_opens",
    "unique_human_clicks",
    "unique_human_open_rate",
)
"""Metrics that SendGrid has no word for."""
