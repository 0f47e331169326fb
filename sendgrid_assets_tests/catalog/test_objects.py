"""The object collections: what every entry must say, and how it may be read."""

import re
from dataclasses import FrozenInstanceError, replace
from typing import get_args

import pytest

from sendgrid_assets.catalog.collection import KEEPING_COLUMNS, Group, ObjectCollection
from sendgrid_assets.catalog.column import Shape, SqlType
from sendgrid_assets.catalog.events import EVENT_COLLECTIONS
from sendgrid_assets.catalog.objects import BY_TABLE, OBJECT_COLLECTIONS
from sendgrid_assets.catalog.paging import ByExport, ByNumber, ByOffset, ByToken, Whole
from sendgrid_assets.simulator.account import SCOPES

NAME = re.compile(r"[a-z][a-z0-9_]*")
every_collection = pytest.mark.parametrize("collection", OBJECT_COLLECTIONS, ids=lambda c: c.table)


def test_tables_have_names_of_their_own() -> None:
    tables = [collection.table for collection in (*OBJECT_COLLECTIONS, *EVENT_COLLECTIONS)]
    assert len(set(tables)) == len(tables)
    assert "activity" not in tables
    assert tuple(BY_TABLE) == tuple(collection.table for collection in OBJECT_COLLECTIONS)
    assert all(BY_TABLE[collection.table] is collection for collection in OBJECT_COLLECTIONS)


def test_tables_are_shown_group_by_group() -> None:
    groups = [collection.group for collection in OBJECT_COLLECTIONS]
    in_turn = [group for at, group in enumerate(groups) if at == 0 or groups[at - 1] != group]
    assert len(in_turn) == len(set(in_turn))
    assert set(in_turn) <= set(get_args(Group))


@every_collection
def test_it_says_what_a_row_is(collection: ObjectCollection) -> None:
    assert NAME.fullmatch(collection.table)
    assert re.fullmatch(r"One row per [a-z(][^.]*\.( [A-Z].*\.)?", collection.description)
    assert "  " not in collection.description
    assert collection.docs.startswith("https://www.twilio.com/docs/sendgrid/api-reference/")
    assert not collection.docs.endswith("/")


@every_collection
def test_its_columns_are_named_typed_and_described(collection: ObjectCollection) -> None:
    names = [column.name for column in collection.columns]
    assert len(set(names)) == len(names)
    for column in collection.columns:
        assert NAME.fullmatch(column.name)
        assert column.type in get_args(SqlType)
        assert column.shape in get_args(Shape)
        assert re.fullmatch(r"[A-Z`].*[^ .]\.", column.description)
        if column.type == "TIMESTAMP":
            assert "UTC" in column.description
    assert all(column.path for column in collection.sent_columns)
    assert collection.columns == (*collection.sent_columns, *KEEPING_COLUMNS)
    paths = [column.path for column in collection.sent_columns]
    assert len(set(paths)) == len(paths)
    assert not {path[0] for path in paths} & set(collection.ignored)


def test_every_row_is_kept_with_its_instants() -> None:
    assert [(column.name, column.type) for column in KEEPING_COLUMNS] == [
        ("first_synced_at", "TIMESTAMP"),
        ("synced_at", "TIMESTAMP"),
        ("changed_at", "TIMESTAMP"),
        ("deleted_at", "TIMESTAMP"),
        ("extra", "JSON"),
    ]
    assert not any(column.path for column in KEEPING_COLUMNS)


@every_collection
def test_its_key_is_among_the_columns_sendgrid_sends(collection: ObjectCollection) -> None:
    sent = {column.name: column for column in collection.sent_columns}
    assert collection.key
    assert len(set(collection.key)) == len(collection.key)
    assert set(collection.key) <= set(sent)
    assert all(sent[name].type in ("VARCHAR", "BIGINT", "TIMESTAMP") for name in collection.key)
    if collection.newest_by is not None:
        assert sent[collection.newest_by].type == "TIMESTAMP"
        assert collection.newest_by not in collection.key


@every_collection
def test_it_can_be_asked_for(collection: ObjectCollection) -> None:
    assert re.fullmatch(r"/v3(/[a-z0-9_.]+)+", collection.path)
    assert all(value and isinstance(value, str) for value in collection.params.values())
    assert all(name == name.strip() and name for name in collection.wrapper)
    assert collection.scopes
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)*\.read", scope) for scope in collection.scopes)
    assert set(collection.scopes) & set(SCOPES)


def test_no_two_are_read_from_the_same_place() -> None:
    asked = [(collection.path, tuple(collection.params.items())) for collection in OBJECT_COLLECTIONS]
    assert len(set(asked)) == len(asked)


@every_collection
def test_its_pages_are_within_what_sendgrid_allows(collection: ObjectCollection) -> None:
    asked = {"limit", "offset", "page", "page_size", "page_token"}
    assert not asked & set(collection.params)
    match collection.paging:
        case Whole():
            pass
        case ByOffset(limit=limit, frozen_by=frozen_by):
            assert 2 <= limit <= 500
            assert frozen_by not in collection.params
        case ByToken(page_size=size):
            assert 1 < size <= 1000
            assert collection.wrapper
        case ByNumber(page_size=size):
            assert 1 < size <= 1000
            assert not collection.params
            # An account that pages none shows only here that rows are missing.
            assert collection.count is not None
        case ByExport(count_field=field):
            assert NAME.fullmatch(field)
            assert not collection.wrapper
            assert collection.count is not None
    if collection.count is not None:
        assert re.fullmatch(r"/v3(/[a-z0-9_.]+)+/count", collection.count.path)
        assert NAME.fullmatch(collection.count.field)


@every_collection
def test_its_personal_columns_are_marked(collection: ObjectCollection) -> None:
    personal = {column.name for column in collection.sent_columns if column.personal}
    expected = {"email", "first_name", "last_name", "phone_number", "custom_fields", "reason"}
    values = {column.name for column in collection.sent_columns}
    assert (expected & values) - personal == set()


@pytest.mark.parametrize(
    ("group", "key", "tables"),
    [
        ("legacy_marketing", ("id",), "lists segments recipients campaigns custom_fields"),
        ("marketing", ("id",), "mc_lists mc_segments mc_contacts mc_single_sends"),
        ("suppressions", ("email",), "suppression_bounces suppression_blocks suppression_invalid_emails"),
        ("suppressions", ("email",), "suppression_spam_reports suppression_unsubscribes"),
        ("suppressions", ("id",), "suppression_groups"),
    ],
)
def test_tables_that_users_query_are_there(group: str, key: tuple[str, ...], tables: str) -> None:
    for table in tables.split():
        assert (BY_TABLE[table].group, BY_TABLE[table].key) == (group, key)


def test_all_contacts_are_exported() -> None:
    assert isinstance(BY_TABLE["mc_contacts"].paging, ByExport)


def test_entries_are_data_that_nobody_changes() -> None:
    collection = OBJECT_COLLECTIONS[0]
    with pytest.raises(FrozenInstanceError):
        collection.table = "other"  # type: ignore[misc]
    noted = replace(collection, note="")
    assert noted.description == f"One row per {collection.row}."
