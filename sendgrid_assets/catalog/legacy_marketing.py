"""The legacy Marketing Campaigns collections: contactdb and campaigns.

An account has this product or the newer one (`marketing`); the other answers 403 even to a full key.
"""

from __future__ import annotations

from dataclasses import replace

from .collection import DOCS, Count, ObjectCollection
from .column import sent
from .paging import ByExport, ByNumber, ByOffset, Whole
from .reading import Each

_SCOPES = ("marketing_campaigns.read",)
_CONTACTS = DOCS + "contacts-api-"
# SendGrid does not say how the files name the id.
_EXPORT = ByExport(
    count_field="recipient_count",
    path="/v3/contactdb/exports",
    renamed={"contact_id": "id", "recipient_id": "id"},
)

_LISTS = ObjectCollection(
    table="lists",
    group="legacy_marketing",
    row="legacy contact list",
    path="/v3/contactdb/lists",
    paging=Whole(),
    wrapper=("lists",),
    key=("id",),
    sent_columns=(
        sent("id", "VARCHAR", "The list's id, as text whatever SendGrid sends."),
        sent("name", "VARCHAR", "The list's name."),
        sent("recipient_count", "BIGINT", "How many recipients are on the list."),
    ),
    scopes=_SCOPES,
    docs=_CONTACTS + "lists/retrieve-all-lists",
)

LEGACY_MARKETING = (
    _LISTS,
    ObjectCollection(
        table="segments",
        group="legacy_marketing",
        row="legacy segment",
        path="/v3/contactdb/segments",
        paging=Whole(),
        wrapper=("segments",),
        key=("id",),
        sent_columns=(
            sent("id", "VARCHAR", "The segment's id, as text whatever SendGrid sends."),
            sent("name", "VARCHAR", "The segment's name."),
            sent(
                "list_id", "VARCHAR", "The list the segment is drawn from; NULL where it is all recipients."
            ),
            sent("conditions", "JSON", "Array of {field, value, operator, and_or}: who is in the segment."),
            sent("recipient_count", "BIGINT", "How many recipients are in the segment."),
        ),
        scopes=_SCOPES,
        docs=_CONTACTS + "segments/retrieve-all-segments",
    ),
    ObjectCollection(
        table="recipients",
        group="legacy_marketing",
        row="legacy contact",
        path="/v3/contactdb/recipients",
        paging=ByNumber(page_size=1000, upgraded=_EXPORT),
        wrapper=("recipients",),
        key=("id",),
        sent_columns=(
            sent("id", "VARCHAR", "The recipient's id: opaque, case matters."),
            sent("email", "VARCHAR", "The address.", personal=True),
            sent("first_name", "VARCHAR", "First name.", personal=True),
            sent("last_name", "VARCHAR", "Last name.", personal=True),
            sent("created_at", "TIMESTAMP", "When the recipient was created (UTC)."),
            sent("updated_at", "TIMESTAMP", "When the recipient was last changed (UTC)."),
            sent("last_emailed", "TIMESTAMP", "When a mail was last sent to it (UTC)."),
            sent("last_clicked", "TIMESTAMP", "When it last clicked (UTC)."),
            sent("last_opened", "TIMESTAMP", "When it last opened (UTC)."),
            sent(
                "custom_fields",
                "JSON",
                "Object of the custom fields, name to value; numbers as numbers.",
                shape="typed_pairs",
                personal=True,
            ),
        ),
        scopes=_SCOPES,
        docs=_CONTACTS + "recipients/retrieve-recipients",
        count=Count("/v3/contactdb/recipients/count", "recipient_count"),
        history=False,
        note="Read by export where SendGrid has moved the account to its 2025 back end, which pages only fifty.",
    ),
    ObjectCollection(
        table="campaigns",
        group="legacy_marketing",
        row="legacy campaign",
        path="/v3/campaigns",
        paging=ByOffset(limit=100, short_page_ends=False),
        wrapper=("result",),
        key=("id",),
        sent_columns=(
            sent("id", "VARCHAR", "The campaign's id, as text whatever SendGrid sends."),
            sent("title", "VARCHAR", "Its name within SendGrid."),
            sent("subject", "VARCHAR", "The mail's subject."),
            sent("sender_id", "VARCHAR", "The sender identity it is sent from."),
            sent("list_ids", "VARCHAR[]", "Lists it is sent to."),
            sent("segment_ids", "VARCHAR[]", "Segments it is sent to."),
            sent("categories", "VARCHAR[]", "Categories its mails carry."),
            sent("suppression_group_id", "BIGINT", "The unsubscribe group it honours."),
            sent("custom_unsubscribe_url", "VARCHAR", "An unsubscribe page of the sender's own."),
            sent("ip_pool", "VARCHAR", "The IP pool it is sent from."),
            sent("html_content", "VARCHAR", "The mail's HTML."),
            sent("plain_content", "VARCHAR", "The mail's plain text."),
            sent("editor", "VARCHAR", "`code` or `design`."),
            sent("status", "VARCHAR", "Draft, Scheduled, In Progress, Sent or Canceled; its case varies."),
        ),
        scopes=_SCOPES,
        docs=DOCS + "campaigns-api/retrieve-all-campaigns",
    ),
    ObjectCollection(
        table="custom_fields",
        group="legacy_marketing",
        row="custom field of the legacy contacts",
        path="/v3/contactdb/custom_fields",
        paging=Whole(),
        wrapper=("custom_fields",),
        key=("id",),
        sent_columns=(
            sent("id", "VARCHAR", "The field's id."),
            sent("name", "VARCHAR", "The field's name, a key of `recipients.custom_fields`."),
            sent("type", "VARCHAR", "`text`, `number` or `date`."),
        ),
        scopes=_SCOPES,
        docs=_CONTACTS + "custom-fields/retrieve-all-custom-fields",
    ),
    ObjectCollection(
        table="list_recipients",
        group="legacy_marketing",
        row="legacy contact on a list",
        path="/v3/contactdb/lists/{list_id}/recipients",
        paging=ByNumber(page_size=1000, upgraded=replace(_EXPORT, narrowed_by="list_ids", numeric=True)),
        wrapper=("recipients",),
        key=("list_id", "recipient_id"),
        sent_columns=(
            sent("list_id", "VARCHAR", "The list, `id` in `lists`."),
            sent("recipient_id", "VARCHAR", "The contact, `id` in `recipients`.", path=("id",)),
        ),
        scopes=_SCOPES,
        docs=_CONTACTS + "lists/retrieve-all-recipients-on-a-list",
        each=Each(
            parent=_LISTS, into="list_id", count="recipient_count", watched="recipients", members=("id",)
        ),
    ),
)
