"""The event collections: their types, the fields each carries, and the view of them all."""

import re
from typing import get_args

import pytest

from sendgrid_assets.catalog.column import Shape, SqlType
from sendgrid_assets.catalog.events import (
    ACTIVITY_COLUMNS,
    ACTIVITY_DESCRIPTION,
    EVENT_COLLECTIONS,
    EVENT_DOCS,
    EventCollection,
)

BY_TABLE = {collection.table: collection for collection in EVENT_COLLECTIONS}
OWN = {
    "processed": "pool_name pool_id",
    "delivered": "response tls domain from",
    "deferred": "response attempt tls domain from",
    "bounce": "reason status type bounce_classification tls",
    "dropped": "reason status",
    "open": "useragent sg_content_type sg_machine_open",
    "click": "url url_offset_index url_offset_type useragent",
    "spam_report": "",
    "unsubscribe": "",
    "group_unsubscribe": "useragent url",
    "group_resubscribe": "useragent url",
    "account_status_change": "type",
    "other_event": "",
}
COMMON = [
    "email",
    "timestamp",
    "event",
    "sg_event_id",
    "sg_message_id",
    "message_id",
    "smtp_id",
    "category",
    "asm_group_id",
    "ip",
    "marketing_campaign_id",
    "marketing_campaign_name",
    "singlesend_id",
    "singlesend_name",
    "send_at",
    "template_id",
    "sg_template_id",
    "sg_user_id",
    "custom_args",
    "received_at",
    "loaded_at",
    "source_file",
    "duplicate_of",
]
every_event = pytest.mark.parametrize("collection", EVENT_COLLECTIONS, ids=lambda c: c.table)


def test_there_is_a_table_for_every_type_and_one_for_the_unknown() -> None:
    assert [collection.table for collection in EVENT_COLLECTIONS] == list(OWN)
    words = [word for collection in EVENT_COLLECTIONS for word in collection.events]
    assert len(set(words)) == len(words)
    assert all(re.fullmatch(r"[a-z_]+", word) for word in words)
    assert [collection.table for collection in EVENT_COLLECTIONS if not collection.events] == ["other_event"]
    named_otherwise = {"spam_report": ("spamreport", "spam_report"), "other_event": ()}
    expected = {table: named_otherwise.get(table, (table,)) for table in OWN}
    assert {table: collection.events for table, collection in BY_TABLE.items()} == expected


@every_event
def test_its_own_fields_are_those_sendgrid_documents(collection: EventCollection) -> None:
    assert [column.name for column in collection.own_columns] == OWN[collection.table].split()
    assert {*COMMON, *OWN[collection.table].split()} <= {column.name for column in collection.columns}


@every_event
def test_its_columns_are_named_typed_and_described(collection: EventCollection) -> None:
    names = [column.name for column in collection.columns]
    assert len(set(names)) == len(names)
    for column in collection.columns:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)
        assert column.type in get_args(SqlType)
        assert column.shape in get_args(Shape)
        assert re.fullmatch(r"[A-Z`].*[^ .]\.", column.description)
        if column.type == "TIMESTAMP":
            assert "UTC" in column.description
    paths = [column.path for column in collection.sent_columns]
    assert len(set(paths)) == len(paths)
    assert re.fullmatch(r"One row per [a-z][^.]*\.", collection.description)


@every_event
def test_columns_added_by_us_are_not_looked_for_in_the_event(collection: EventCollection) -> None:
    added = [column.name for column in collection.columns if not column.path]
    assert added == ["message_id", "custom_args", "received_at", "loaded_at", "source_file", "duplicate_of"]
    assert set(collection.columns) - set(collection.sent_columns) == {
        column for column in collection.columns if column.name in added
    }


@every_event
def test_address_is_marked_as_personal(collection: EventCollection) -> None:
    personal = {column.name for column in collection.columns if column.personal}
    assert {"email", "ip"} <= personal
    assert {"useragent", "url", "reason", "response", "from"} & set(OWN[collection.table].split()) <= personal


@pytest.mark.parametrize(
    ("table", "column", "path"),
    [
        ("processed", "smtp_id", ("smtp-id",)),
        ("processed", "pool_name", ("pool", "name")),
        ("click", "url_offset_index", ("url_offset", "index")),
        ("other_event", "newsletter_newsletter_id", ("newsletter", "newsletter_id")),
        ("open", "sg_machine_open", ("sg_machine_open",)),
    ],
)
def test_column_leads_to_its_field(table: str, column: str, path: tuple[str, ...]) -> None:
    assert {found.name: found.path for found in BY_TABLE[table].columns}[column] == path


def test_same_name_means_the_same_everywhere() -> None:
    types: dict[str, set[tuple[object, ...]]] = {}
    for collection in EVENT_COLLECTIONS:
        for column in collection.columns:
            types.setdefault(column.name, set()).add((column.type, column.path, column.shape))
    assert {name: found for name, found in types.items() if len(found) > 1} == {}


def test_activity_has_every_column_of_every_event_once() -> None:
    names = [column.name for column in ACTIVITY_COLUMNS]
    assert len(set(names)) == len(names)
    tables = {column.name: column.type for collection in EVENT_COLLECTIONS for column in collection.columns}
    assert {column.name: column.type for column in ACTIVITY_COLUMNS} == tables
    assert all(re.fullmatch(r"[A-Z`].*[^ .]\.", column.description) for column in ACTIVITY_COLUMNS)
    assert ACTIVITY_DESCRIPTION.endswith(".")
    assert EVENT_DOCS.startswith("https://www.twilio.com/docs/sendgrid/")
