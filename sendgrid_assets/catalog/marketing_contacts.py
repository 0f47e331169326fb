"""The contacts of today's Marketing Campaigns: lists, segments, who is in them, and what is known of each."""

from __future__ import annotations

from .collection import DOCS, Count, ObjectCollection
from .column import sent
from .paging import ByExport, ByToken, Whole
from .reading import Each

SCOPES = ("marketing.read", "marketing_campaigns.read")

_EXPORTS = "/v3/marketing/contacts/exports"
_EXPORT_PAGE = DOCS + "contacts/export-contacts"
_CONTACT_ID = sent("contact_id", "VARCHAR", "The contact, `id` in `mc_contacts`.")

LISTS = ObjectCollection(
    table="mc_lists",
    group="marketing",
    row="contact list",
    path="/v3/marketing/lists",
    paging=ByToken(page_size=1000),
    wrapper=("result",),
    key=("id",),
    sent_columns=(
        sent("id", "VARCHAR", "The list's id, a UUID."),
        sent("name", "VARCHAR", "The list's name."),
        sent("contact_count", "BIGINT", "How many contacts are on the list."),
    ),
    scopes=SCOPES,
    docs=DOCS + "lists/get-all-lists",
)

SEGMENTS = ObjectCollection(
    table="mc_segments",
    group="marketing",
    row="segment (version 2)",
    path="/v3/marketing/segments/2.0",
    paging=Whole(),
    wrapper=("results",),
    key=("id",),
    sent_columns=(
        sent("id", "VARCHAR", "The segment's id, a UUID."),
        sent("name", "VARCHAR", "The segment's name."),
        sent("contacts_count", "BIGINT", "Contacts in the segment when SendGrid last counted."),
        sent("parent_list_ids", "VARCHAR[]", "Lists the segment is drawn from."),
        sent("query_version", "VARCHAR", "Version of the query language."),
        sent("created_at", "TIMESTAMP", "When it was created (UTC)."),
        sent("updated_at", "TIMESTAMP", "When it was last changed (UTC)."),
        sent("sample_updated_at", "TIMESTAMP", "When SendGrid last counted it (UTC)."),
        sent("next_sample_update", "TIMESTAMP", "When SendGrid will count it next (UTC)."),
        sent(
            "status_query_validation",
            "VARCHAR",
            "`PENDING`, `VALID` or `INVALID`.",
            path=("status", "query_validation"),
        ),
        sent(
            "status_error_message",
            "VARCHAR",
            "Why the query is invalid.",
            path=("status", "error_message"),
        ),
    ),
    scopes=SCOPES,
    docs=DOCS + "segmenting-contacts-v2/get-list-of-segments",
)

CONTACTS = ObjectCollection(
    table="mc_contacts",
    group="marketing",
    row="contact, all of them",
    path=_EXPORTS,
    paging=ByExport(count_field="contact_count"),
    wrapper=(),
    key=("id",),
    sent_columns=(
        sent("id", "VARCHAR", "The contact's id, a UUID.", path=("contact_id",)),
        sent(
            "email",
            "VARCHAR",
            "The address; a contact known by phone or external id may have none.",
            personal=True,
        ),
        sent("first_name", "VARCHAR", "First name.", personal=True),
        sent("last_name", "VARCHAR", "Last name.", personal=True),
        sent("alternate_emails", "VARCHAR[]", "Further addresses.", shape="text_or_list", personal=True),
        sent("phone_number_id", "VARCHAR", "Phone number that identifies the contact.", personal=True),
        sent("external_id", "VARCHAR", "The id your own system gave the contact."),
        sent("anonymous_id", "VARCHAR", "Id of a contact not yet known by name."),
        sent("unique_name", "VARCHAR", "Unique name.", personal=True),
        sent("phone_number", "VARCHAR", "Phone number.", personal=True),
        sent("whatsapp", "VARCHAR", "WhatsApp number.", personal=True),
        sent("line", "VARCHAR", "LINE id.", personal=True),
        sent("facebook", "VARCHAR", "Facebook id.", personal=True),
        sent("address_line_1", "VARCHAR", "First line of the postal address.", personal=True),
        sent("address_line_2", "VARCHAR", "Second line of the postal address.", personal=True),
        sent("city", "VARCHAR", "City.", personal=True),
        sent("state_province_region", "VARCHAR", "State, province or region."),
        sent("postal_code", "VARCHAR", "Postal code.", personal=True),
        sent("country", "VARCHAR", "Country."),
        sent(
            "list_ids",
            "VARCHAR[]",
            "Lists it is on, where the export says so; `mc_contact_lists` always does.",
        ),
        sent("segment_ids", "VARCHAR[]", "Segments it is in, where the export says so."),
        sent("created_at", "TIMESTAMP", "When the contact was created (UTC)."),
        sent("updated_at", "TIMESTAMP", "When the contact was last changed (UTC)."),
        sent("custom_fields", "JSON", "Object of the custom fields, name to value.", personal=True),
    ),
    scopes=SCOPES,
    docs=_EXPORT_PAGE,
    count=Count("/v3/marketing/contacts/count", "contact_count"),
    history=False,
    note="Read through the export job: SendGrid's contact listing shows only fifty.",
)

CONTACT_LISTS = ObjectCollection(
    table="mc_contact_lists",
    group="marketing",
    row="contact on a list",
    path=_EXPORTS,
    paging=ByExport(count_field="contact_count", narrowed_by="list_ids"),
    wrapper=(),
    key=("list_id", "contact_id"),
    sent_columns=(sent("list_id", "VARCHAR", "The list, `id` in `mc_lists`."), _CONTACT_ID),
    scopes=SCOPES,
    docs=_EXPORT_PAGE,
    each=Each(
        parent=LISTS, into="list_id", count="contact_count", watched="mc_contacts", members=("contact_id",)
    ),
    note="Read by one export per list.",
)

SEGMENT_CONTACTS = ObjectCollection(
    table="mc_segment_contacts",
    group="marketing",
    row="contact in a segment",
    path=_EXPORTS,
    paging=ByExport(count_field="contact_count", narrowed_by="segment_ids"),
    wrapper=(),
    key=("segment_id", "contact_id"),
    sent_columns=(sent("segment_id", "VARCHAR", "The segment, `id` in `mc_segments`."), _CONTACT_ID),
    scopes=SCOPES,
    docs=_EXPORT_PAGE,
    # Without a count: SendGrid counts a segment now and then only.
    each=Each(parent=SEGMENTS, into="segment_id", members=("contact_id",)),
    costly=True,
    note="Synced only where it is named: it takes an export per segment each time.",
)

FIELD_DEFINITIONS = ObjectCollection(
    table="mc_field_definitions",
    group="marketing",
    row="field that contacts have, reserved or custom",
    path="/v3/marketing/field_definitions",
    paging=Whole(),
    wrapper=("reserved_fields",),
    # Left out where an account has none.
    also_in=("custom_fields",),
    key=("id",),
    sent_columns=(
        sent("id", "VARCHAR", "The field's id; a reserved one's begins with `_rf`."),
        sent("name", "VARCHAR", "The field's name; a custom one's is a key of `mc_contacts.custom_fields`."),
        sent("field_type", "VARCHAR", "`Text`, `Number` or `Date`."),
        sent("read_only", "BOOLEAN", "Whether SendGrid alone may set it; NULL for a custom field."),
    ),
    scopes=SCOPES,
    docs=DOCS + "custom-fields/get-all-field-definitions",
)
