"""Every collection of today's Marketing Campaigns, and the senders of its mails."""

from __future__ import annotations

from .collection import DOCS, ObjectCollection
from .column import sent
from .marketing_contacts import (
    CONTACT_LISTS,
    CONTACTS,
    FIELD_DEFINITIONS,
    LISTS,
    SCOPES,
    SEGMENT_CONTACTS,
    SEGMENTS,
)
from .marketing_statistics import AUTOMATION_STATS, SINGLE_SEND_LINKS, SINGLE_SEND_STATS
from .paging import Whole
from .single_sends import SINGLE_SENDS

_SENDERS = ObjectCollection(
    table="mc_senders",
    group="marketing",
    row="sender of marketing mail",
    path="/v3/marketing/senders",
    paging=Whole(),
    wrapper=("results", "result"),
    bare_too=True,
    key=("id",),
    sent_columns=(
        sent("id", "VARCHAR", "The sender's id, as text whatever SendGrid sends."),
        sent("nickname", "VARCHAR", "Its name within SendGrid."),
        sent("from_email", "VARCHAR", "The sender's address.", path=("from", "email"), personal=True),
        sent("from_name", "VARCHAR", "The sender's name.", path=("from", "name"), personal=True),
        sent("reply_to_email", "VARCHAR", "Where replies go.", path=("reply_to", "email"), personal=True),
        sent(
            "reply_to_name",
            "VARCHAR",
            "The name that replies go to.",
            path=("reply_to", "name"),
            personal=True,
        ),
        sent("address", "VARCHAR", "First line of the postal address.", personal=True),
        sent("address_2", "VARCHAR", "Second line of the postal address.", personal=True),
        sent("city", "VARCHAR", "City.", personal=True),
        sent("state", "VARCHAR", "State or province."),
        sent("zip", "VARCHAR", "Postal code.", personal=True),
        sent("country", "VARCHAR", "Country."),
        sent(
            "verified", "BOOLEAN", "Whether the address is verified, where SendGrid says no more than that."
        ),
        sent(
            "verified_status",
            "BOOLEAN",
            "Whether the address is verified, where SendGrid sends a reason with it.",
            path=("verified", "status"),
        ),
        sent("verified_reason", "VARCHAR", "Why it is not verified.", path=("verified", "reason")),
        sent("locked", "BOOLEAN", "Whether it cannot be changed, as a mail that uses it is under way."),
        sent("created_at", "TIMESTAMP", "When it was created (UTC)."),
        sent("updated_at", "TIMESTAMP", "When it was last changed (UTC)."),
    ),
    scopes=SCOPES,
    docs=DOCS + "senders/get-list-of-senders",
)

MARKETING = (
    LISTS,
    SEGMENTS,
    CONTACTS,
    CONTACT_LISTS,
    SEGMENT_CONTACTS,
    SINGLE_SENDS,
    SINGLE_SEND_STATS,
    SINGLE_SEND_LINKS,
    AUTOMATION_STATS,
    FIELD_DEFINITIONS,
    _SENDERS,
)
