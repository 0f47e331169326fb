"""The event collections: the types SendGrid's Event Webhook posts, and the fields each carries.

Field lists follow the Event Webhook Reference. A field documented for other types only is a custom argument
here: senders do use names such as `type` for their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from .column import Column, added, sent

EVENT_DOCS = "https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event"

_IDENTITY = (
    sent("email", "VARCHAR", "The recipient's address, as the sender wrote it.", personal=True),
    sent("timestamp", "TIMESTAMP", "When the event happened (UTC)."),
    sent("event", "VARCHAR", "SendGrid's word for the event type, in lower case.", shape="event_name"),
    sent(
        "sg_event_id", "VARCHAR", "SendGrid's id of the event; derived from the content where it sent none."
    ),
    sent("sg_message_id", "VARCHAR", "SendGrid's id of the message, as sent."),
    added(
        "message_id",
        "VARCHAR",
        "The part of `sg_message_id` that all events of one message share; NULL if none.",
    ),
    sent("smtp_id", "VARCHAR", "The mail's Message-ID.", path=("smtp-id",)),
    sent("category", "VARCHAR[]", "Categories of the mail; empty or NULL if none.", shape="text_or_list"),
    sent("asm_group_id", "BIGINT", "The unsubscribe group the mail was sent in."),
    sent(
        "ip",
        "VARCHAR",
        "Address of SendGrid's server, or of the reader for engagement events.",
        personal=True,
    ),
)

_MARKETING = (
    sent("marketing_campaign_id", "VARCHAR", "The legacy campaign's id."),
    sent("marketing_campaign_name", "VARCHAR", "The legacy campaign's name."),
    sent("marketing_campaign_version", "VARCHAR", "Which variant of an A/B test."),
    sent("marketing_campaign_split_id", "VARCHAR", "The A/B test's id."),
    sent("singlesend_id", "VARCHAR", "The single send's id."),
    sent("singlesend_name", "VARCHAR", "The single send's name."),
    sent("mc_stats", "VARCHAR", "Which kind of marketing mail: `singlesend` or `automation`."),
    sent("phase_id", "VARCHAR", "Phase of an A/B test: `test` or `send`."),
    sent("send_at", "TIMESTAMP", "When the mail was scheduled for (UTC); NULL if it was not."),
    sent("template_id", "VARCHAR", "The template's id."),
    sent("template_version_id", "VARCHAR", "The template version's id."),
    sent("template_hash", "VARCHAR", "Hash of the template."),
    sent("sg_template_id", "VARCHAR", "The template's id, on mail sent by the API as well."),
    sent("sg_template_name", "VARCHAR", "The template version's name."),
    sent("newsletter_newsletter_id", "VARCHAR", "Newsletter's id.", path=("newsletter", "newsletter_id")),
    sent(
        "newsletter_newsletter_user_list_id",
        "VARCHAR",
        "The newsletter's list.",
        path=("newsletter", "newsletter_user_list_id"),
    ),
    sent(
        "newsletter_newsletter_send_id",
        "VARCHAR",
        "The newsletter's sending.",
        path=("newsletter", "newsletter_send_id"),
    ),
    sent("post_type", "VARCHAR", "What was posted; `event`."),
    sent("sg_user_id", "BIGINT", "The account's user id."),
)

_ADDED = (
    added(
        "custom_args",
        "JSON",
        "Everything else the event carried: unique and custom arguments, unknown fields.",
    ),
    added("received_at", "TIMESTAMP", "When the event reached the landing directory (UTC)."),
    added("loaded_at", "TIMESTAMP", "When the row was committed (UTC)."),
    added("source_file", "VARCHAR", "The landing file the row was loaded from."),
    added(
        "duplicate_of", "VARCHAR", "`sg_event_id` of the first row with this very content; NULL on the first."
    ),
)

_POOL = (
    sent("pool_name", "VARCHAR", "The IP pool's name.", path=("pool", "name")),
    sent("pool_id", "BIGINT", "The IP pool's id.", path=("pool", "id")),
)
_RESPONSE = sent("response", "VARCHAR", "What the receiving server said.", personal=True)
_TLS = sent("tls", "BOOLEAN", "Whether the mail was handed over encrypted.")
_ATTEMPT = sent("attempt", "BIGINT", "Number of the attempt at delivery.")
_DOMAIN = sent("domain", "VARCHAR", "The recipient's domain.")
_FROM = sent("from", "VARCHAR", "The sender's address.", personal=True)
_REASON = sent("reason", "VARCHAR", "Why, in SendGrid's or the receiving server's words.", personal=True)
_STATUS = sent("status", "VARCHAR", "Enhanced SMTP status code, such as 5.1.1.")
_BOUNCE_TYPE = sent("type", "VARCHAR", "`bounce` (permanent), `blocked` or `expired`.")
_CLASSIFICATION = sent("bounce_classification", "VARCHAR", "SendGrid's class of the bounce, as sent.")
_USERAGENT = sent("useragent", "VARCHAR", "The reader's program.", personal=True)
_CONTENT_TYPE = sent("sg_content_type", "VARCHAR", "Which part was opened: `html` or `amp`.")
_MACHINE = sent(
    "sg_machine_open", "BOOLEAN", "Whether Apple Mail's privacy protection fetched the mail, not a person."
)
_URL = sent("url", "VARCHAR", "The address that was clicked.", personal=True)
_URL_OFFSET = (
    sent(
        "url_offset_index",
        "BIGINT",
        "Which of the mail's links with this address.",
        path=("url_offset", "index"),
    ),
    sent("url_offset_type", "VARCHAR", "`html`, `text` or `amp`.", path=("url_offset", "type")),
)
_ACCOUNT_TYPE = sent("type", "VARCHAR", "What happened to the account, such as `compliance_suspend`.")


@dataclass(frozen=True, slots=True)
class EventCollection:
    """One event type and its append-only table.

    Attributes:
        table: table and asset name.
        events: SendGrid's words for it, lower case; empty for the table of unknown types.
        row: what one row is, to follow "One row per".
        own_columns: columns beside those every event table has.
    """

    table: str
    events: tuple[str, ...]
    row: str
    own_columns: tuple[Column, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns of the table, in order."""
        return (*_IDENTITY, *self.own_columns, *_MARKETING, *_ADDED)

    @property
    def sent_columns(self) -> tuple[Column, ...]:
        """The columns SendGrid sends."""
        return tuple(column for column in self.columns if column.path)

    @property
    def description(self) -> str:
        """One sentence on what a row is."""
        return f"One row per {self.row}, appended as SendGrid's Event Webhook posts it."


EVENT_COLLECTIONS = (
    EventCollection("processed", ("processed",), "message SendGrid took in to deliver", _POOL),
    EventCollection(
        "delivered", ("delivered",), "message a receiving server accepted", (_RESPONSE, _TLS, _DOMAIN, _FROM)
    ),
    EventCollection(
        "deferred",
        ("deferred",),
        "attempt a receiving server put off",
        (_RESPONSE, _ATTEMPT, _TLS, _DOMAIN, _FROM),
    ),
    EventCollection(
        "bounce",
        ("bounce",),
        "message a receiving server refused",
        (_REASON, _STATUS, _BOUNCE_TYPE, _CLASSIFICATION, _TLS),
    ),
    EventCollection("dropped", ("dropped",), "message SendGrid did not try to deliver", (_REASON, _STATUS)),
    EventCollection("open", ("open",), "opening of a message", (_USERAGENT, _CONTENT_TYPE, _MACHINE)),
    EventCollection("click", ("click",), "click on a link of a message", (_URL, *_URL_OFFSET, _USERAGENT)),
    EventCollection("spam_report", ("spamreport", "spam_report"), "report of a message as spam"),
    EventCollection("unsubscribe", ("unsubscribe",), "unsubscription from everything"),
    EventCollection(
        "group_unsubscribe",
        ("group_unsubscribe",),
        "unsubscription from one group",
        (_USERAGENT, _URL),
    ),
    EventCollection("group_resubscribe", ("group_resubscribe",), "return to a group", (_USERAGENT, _URL)),
    EventCollection(
        "account_status_change",
        ("account_status_change",),
        "change of the account's standing",
        (_ACCOUNT_TYPE,),
    ),
    EventCollection("other_event", (), "event of a type not known yet"),
)


def _union() -> tuple[Column, ...]:
    seen: dict[str, Column] = {}
    for collection in EVENT_COLLECTIONS:
        for column in (*_IDENTITY, *collection.own_columns):
            seen.setdefault(column.name, column)
    type_ = sent("type", "VARCHAR", "Bounce type, or what happened to the account.")
    return (*(type_ if c.name == "type" else c for c in seen.values()), *_MARKETING, *_ADDED)


ACTIVITY_COLUMNS = _union()
"""Columns of the view `activity`: every column that any event table has."""

ACTIVITY_DESCRIPTION = (
    "One row per event of any type: the union of all event tables, for funnels and time lines."
)
