"""The tables that users query: their names, groups and keys are relied on from outside."""

import pytest

from sendgrid_assets.catalog.objects import BY_TABLE, OBJECT_COLLECTIONS

TABLES = {
    "legacy_marketing": {
        "lists": "id",
        "segments": "id",
        "recipients": "id",
        "campaigns": "id",
        "custom_fields": "id",
        "list_recipients": "list_id recipient_id",
    },
    "marketing": {
        "mc_lists": "id",
        "mc_segments": "id",
        "mc_contacts": "id",
        "mc_contact_lists": "list_id contact_id",
        "mc_segment_contacts": "segment_id contact_id",
        "mc_single_sends": "id",
        "mc_single_send_stats": "id ab_variation ab_phase aggregation",
        "mc_single_send_links": "id url url_location ab_variation ab_phase",
        "mc_automation_stats": "id step_id aggregation",
        "mc_field_definitions": "id",
        "mc_senders": "id",
    },
    "suppressions": {
        "suppression_bounces": "email",
        "suppression_blocks": "email",
        "suppression_invalid_emails": "email",
        "suppression_spam_reports": "email",
        "suppression_unsubscribes": "email",
        "suppression_groups": "id",
        "suppression_group_members": "group_id email",
    },
    "account": {
        "templates": "id",
        "template_versions": "template_id id",
        "categories": "category",
        "category_stats": "date name",
        "stats": "date",
        "subusers": "id",
        "verified_senders": "id",
        "mailbox_provider_stats": "date name",
        "device_stats": "date name",
        "client_stats": "date name",
        "browser_stats": "date name",
        "geo_stats": "date name",
        "subuser_stats": "date name",
        "email_activity": "msg_id",
    },
}


def test_these_are_all() -> None:
    found: dict[str, dict[str, str]] = {}
    for collection in OBJECT_COLLECTIONS:
        found.setdefault(collection.group, {})[collection.table] = " ".join(collection.key)
    assert found == TABLES
    assert list(found) == list(TABLES)


def test_the_costly_ones_say_that_they_must_be_named() -> None:
    costly = {collection.table for collection in OBJECT_COLLECTIONS if collection.costly}
    assert costly == {"mc_segment_contacts", "mc_single_send_links", "email_activity"}
    for collection in OBJECT_COLLECTIONS:
        told = collection.note.startswith("Synced only where it is named: ")
        assert told is collection.costly, collection.table


def test_counts_that_mail_itself_moves_have_no_history() -> None:
    without = {collection.table for collection in OBJECT_COLLECTIONS if not collection.history}
    moved = {"recipients", "mc_contacts", "email_activity", "mc_single_send_links"}
    assert without == moved | {table for table in BY_TABLE if table == "stats" or table.endswith("_stats")}


def test_rows_stay_only_where_sendgrid_shows_no_whole() -> None:
    lasting = {collection.table for collection in OBJECT_COLLECTIONS if collection.lasting}
    daily = {table for table in BY_TABLE if table.endswith("stats") and not table.startswith("mc_")}
    assert lasting == daily | {"email_activity"}


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("stats", "date requests delivered opens unique_opens clicks bounces blocks spam_reports"),
        ("category_stats", "date name type processed delivered unique_clicks unsubscribe_drops"),
        ("mailbox_provider_stats", "date name type delivered drops"),
        ("mc_single_send_stats", "id ab_variation stats_requests stats_delivered stats_unique_opens"),
        ("mc_single_sends", "email_config_subject email_config_html_content send_to_list_ids send_to_all"),
        ("template_versions", "template_id id active subject html_content plain_content updated_at"),
        ("mc_senders", "id nickname from_email reply_to_email verified"),
        ("email_activity", "msg_id to_email status opens_count clicks_count last_event_time"),
    ],
)
def test_columns_that_users_query_are_there(table: str, columns: str) -> None:
    assert set(columns.split()) <= {column.name for column in BY_TABLE[table].sent_columns}
