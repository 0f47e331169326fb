"""Every collection of the account at large, and those that stand alone: verified senders, Email Activity."""

from __future__ import annotations

from .categories import CATEGORIES, CATEGORY_STATS
from .collection import DOCS, ObjectCollection
from .column import sent
from .paging import ByActivity, ByLastSeen
from .statistics import BROWSER_STATS, CLIENT_STATS, DEVICE_STATS, GEO_STATS, MAILBOX_PROVIDER_STATS, STATS
from .subusers import SUBUSER_STATS, SUBUSERS
from .templates import TEMPLATE_VERSIONS, TEMPLATES

_VERIFIED_SENDERS = ObjectCollection(
    table="verified_senders",
    group="account",
    row="sender of single-sender verification, verified or not yet",
    path="/v3/verified_senders",
    paging=ByLastSeen(limit=50),
    wrapper=("results",),
    key=("id",),
    sent_columns=(
        sent("id", "BIGINT", "The sender's id."),
        sent("nickname", "VARCHAR", "Its name within SendGrid."),
        sent("from_email", "VARCHAR", "The sender's address.", personal=True),
        sent("from_name", "VARCHAR", "The sender's name.", personal=True),
        sent("reply_to", "VARCHAR", "Where replies go.", personal=True),
        sent("reply_to_name", "VARCHAR", "The name that replies go to.", personal=True),
        sent("address", "VARCHAR", "First line of the postal address.", personal=True),
        sent("address2", "VARCHAR", "Second line of the postal address.", personal=True),
        sent("city", "VARCHAR", "City.", personal=True),
        sent("state", "VARCHAR", "State or province."),
        sent("zip", "VARCHAR", "Postal code.", personal=True),
        sent("country", "VARCHAR", "Country."),
        sent("verified", "BOOLEAN", "Whether the address is verified."),
        sent("locked", "BOOLEAN", "Whether it cannot be changed."),
    ),
    # No permission is documented: keys that may verify senders carry this flag.
    scopes=("sender_verification_eligible",),
    docs=DOCS + "sender-verification/get-all-verified-senders",
)

_EMAIL_ACTIVITY = ObjectCollection(
    table="email_activity",
    group="account",
    row="message of the last thirty days, as Email Activity has it",
    path="/v3/messages",
    paging=ByActivity(member="last_event_time"),
    wrapper=("messages",),
    key=("msg_id",),
    sent_columns=(
        sent("msg_id", "VARCHAR", "The message's id."),
        sent("from_email", "VARCHAR", "The sender's address.", personal=True),
        sent("to_email", "VARCHAR", "The recipient's address.", personal=True),
        sent("subject", "VARCHAR", "The mail's subject.", personal=True),
        sent("status", "VARCHAR", "`processed`, `delivered` or `not_delivered`."),
        sent("opens_count", "BIGINT", "How often it was opened."),
        sent("clicks_count", "BIGINT", "How often links in it were clicked."),
        sent("last_event_time", "TIMESTAMP", "When something last happened to it (UTC)."),
    ),
    scopes=("messages.read",),
    docs=DOCS + "email-activity/filter-all-messages",
    lasting=True,
    history=False,
    costly=True,
    note="Synced only where it is named: a paid add-on that allows six requests a minute. Rows stay when"
    " SendGrid lets them go.",
)

ACCOUNT = (
    TEMPLATES,
    TEMPLATE_VERSIONS,
    CATEGORIES,
    CATEGORY_STATS,
    STATS,
    SUBUSERS,
    _VERIFIED_SENDERS,
    MAILBOX_PROVIDER_STATS,
    DEVICE_STATS,
    CLIENT_STATS,
    BROWSER_STATS,
    GEO_STATS,
    SUBUSER_STATS,
    _EMAIL_ACTIVITY,
)
