"""Insights on why mail was refused or late, and what was clicked.

Belongs here: their entries. Does not: their SQL (`warehouse/insights`).
"""

from __future__ import annotations

from .column import Column, added
from .insight import Insight
from .metric_columns import METRICS
from .rollups import BOT_BURST_SECONDS, BOT_LINKS, BOT_SECONDS

_METRICS = {column.name: column for column in METRICS}
_DOMAIN = added("domain", "VARCHAR", "The recipient's domain, in lower case; NULL where there is no address.")
_EXAMPLE = Column(
    "example",
    "VARCHAR",
    "The newest reason as it was sent, addresses replaced by `<address>`, at most 300 characters; NULL if none was.",
    personal=True,
)
_REASON_NOTE = "Rows with `duplicate_of` are left out. Texts are others' words: a name may be left in them."

CAUSES = (
    Insight(
        "bounce_reasons",
        "reason of bounces, bounce type and recipient domain",
        ("reason", "type", "domain"),
        (
            Column(
                "reason",
                "VARCHAR",
                "SendGrid's class of the bounce in its words of today; where it sent none, the reason without"
                " addresses, links and words with digits, at most 100 characters.",
                personal=True,
            ),
            added(
                "type",
                "VARCHAR",
                "`bounce` (permanent), `blocked` or `expired`, in lower case; NULL if none was sent.",
            ),
            _DOMAIN,
            added(
                "bounces", "BIGINT", "Events `bounce` of this type: for other types than `bounce`, blocks."
            ),
            added("last_seen_at", "TIMESTAMP", "When the newest of them happened (UTC)."),
            _EXAMPLE,
        ),
        reads=("bounce",),
        note=(
            "SendGrid's classes are Invalid Address, Technical Failure, Content, Reputation, Frequency or Volume Too"
            " High, Mailbox Unavailable and Unclassified; older events have other words for them, which are counted"
            " with these, and a class not known here stands as sent. `No reason given` is where neither class nor text"
            f" says anything. {_REASON_NOTE}"
        ),
    ),
    Insight(
        "drop_reasons",
        "reason of drops, kind of drop and recipient domain",
        ("reason", "type", "domain"),
        (
            Column(
                "reason",
                "VARCHAR",
                "SendGrid's reason in the words of its documentation; any other as sent, addresses replaced, at most"
                " 100 characters.",
                personal=True,
            ),
            added(
                "type",
                "VARCHAR",
                "The count of `stats` that has such drops: `bounce_drops`, `unsubscribe_drops`, `spam_report_drops` or"
                " `invalid_emails`; else `other`.",
            ),
            _DOMAIN,
            added("drops", "BIGINT", "Events `dropped`."),
            added("last_seen_at", "TIMESTAMP", "When the newest of them happened (UTC)."),
            _EXAMPLE,
        ),
        reads=("dropped",),
        note=(
            "SendGrid's reasons are Bounced Address, Unsubscribed Address, Spam Reporting Address, Invalid, Spam"
            " Content, Invalid SMTPAPI header, Recipient List over Package Quota and Duplicate. `No reason given` is"
            f" where it sent none. {_REASON_NOTE}"
        ),
    ),
    Insight(
        "deferrals",
        "message that was deferred at least once",
        ("message_id", "email"),
        (
            added(
                "message_id", "VARCHAR", "The message's id, shared by all its events; NULL if none was sent."
            ),
            Column("email", "VARCHAR", "The recipient's address, as written.", personal=True),
            _DOMAIN,
            added(
                "attempts",
                "BIGINT",
                "Attempts put off: the events `deferred`, or the highest `attempt` among them if that is more.",
            ),
            added("first_deferred_at", "TIMESTAMP", "The first `deferred` (UTC)."),
            added("delivered_at", "TIMESTAMP", "The first `delivered` (UTC); NULL while there is none."),
            added(
                "seconds_to_delivery",
                "DOUBLE",
                "Seconds from `processed`, else from the first deferral, to `delivered_at`; NULL while not delivered.",
            ),
        ),
        reads=("processed", "deferred", "delivered"),
        note=(
            "SendGrid tries for 72 hours. What became of a message that is not delivered is in `messages`."
            " Rows with `duplicate_of` are left out."
        ),
    ),
    Insight(
        "link_clicks",
        "campaign or single send and link in its mail",
        ("campaign_id", "singlesend_id", "url"),
        (
            added("campaign_id", "VARCHAR", "The campaign the mail was of; NULL if of none."),
            added("campaign_name", "VARCHAR", "The campaign's name in the mail clicked last."),
            added("singlesend_id", "VARCHAR", "The single send the mail was of; NULL if of none."),
            added("singlesend_name", "VARCHAR", "The single send's name in the mail clicked last."),
            Column(
                "url", "VARCHAR", "The link that was clicked, without its query and fragment.", personal=True
            ),
            _METRICS["clicks"],
            _METRICS["bot_clicks"],
            _METRICS["unique_clicks"],
            _METRICS["unique_human_clicks"],
            added("first_click_at", "TIMESTAMP", "The first click, a likely bot's among them (UTC)."),
            added("last_click_at", "TIMESTAMP", "The last click, a likely bot's among them (UTC)."),
        ),
        reads=("click", "delivered"),
        note=(
            "Mail of neither campaign nor single send counts together. A message counts once for each of its links, so"
            " unique clicks of several links do not add up to those of the mail. A likely bot's click: at most"
            f" {BOT_SECONDS} seconds from the message's delivery, or one of {BOT_LINKS} and more different links of the"
            f" message within {BOT_BURST_SECONDS} second. SendGrid reports no clicks on its own unsubscribe links."
            " Rows with `duplicate_of` are left out."
        ),
    ),
)
"""Each reads what stands in the events, or the rollups made of them."""
