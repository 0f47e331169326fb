"""The object collections: what every entry must say of its rows."""

import re
from dataclasses import FrozenInstanceError, replace
from typing import get_args

import pytest

from sendgrid_assets.catalog.collection import KEEPING_COLUMNS, Group, ObjectCollection
from sendgrid_assets.catalog.column import Shape, SqlType
from sendgrid_assets.catalog.events import EVENT_COLLECTIONS
from sendgrid_assets.catalog.objects import BY_TABLE, OBJECT_COLLECTIONS
from sendgrid_assets.simulator.account import SCOPES

NAME = re.compile(r"[a-z][a-z0-9_]*")
FLAGS = {"sender_verification_eligible"}
"""Entries of `/v3/scopes` that say what a key may do, though they are no permissions."""

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
    # What is left of an object can be told for its own members alone.
    assert max(map(len, paths)) <= 2
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
    assert all(sent[name].type in ("VARCHAR", "BIGINT", "TIMESTAMP", "DATE") for name in collection.key)
    if collection.newest_by is not None:
        assert sent[collection.newest_by].type == "TIMESTAMP"
        assert collection.newest_by not in collection.key


@every_collection
def test_its_answer_can_be_read(collection: ObjectCollection) -> None:
    assert all(value and isinstance(value, str) for value in collection.params.values())
    assert all(name == name.strip() and name for name in (*collection.wrapper, *collection.also_in))
    assert not set(collection.wrapper) & set(collection.also_in)
    if collection.also_in or collection.bare_too:
        assert collection.wrapper
    assert collection.scopes
    assert all(
        re.fullmatch(r"[a-z_]+(\.[a-z_]+)*\.read", scope) or scope in FLAGS for scope in collection.scopes
    )
    assert set(collection.scopes) & set(SCOPES)


def test_senders_may_come_bare() -> None:
    assert [collection.table for collection in OBJECT_COLLECTIONS if collection.bare_too] == ["mc_senders"]
    assert BY_TABLE["mc_senders"].wrapper == ("results", "result")


@every_collection
def test_its_personal_columns_are_marked(collection: ObjectCollection) -> None:
    for column in collection.sent_columns:
        if re.fullmatch(r"email|.*_email|(first|last|from|reply_to)_name|reply_to", column.name):
            assert column.personal, column.name
        if column.name in ("address", "city", "zip", "phone_number", "custom_fields", "reason"):
            assert column.personal, column.name


def test_entries_are_data_that_nobody_changes() -> None:
    collection = OBJECT_COLLECTIONS[0]
    with pytest.raises(FrozenInstanceError):
        collection.table = "other"  # type: ignore[misc]
    noted = replace(collection, note="")
    assert noted.description == f"One row per {collection.row}."


@every_collection
def test_only_parts_of_a_key_have_what_stands_for_their_absence(collection: ObjectCollection) -> None:
    for column in collection.sent_columns:
        if column.absent is not None:
            assert column.name in collection.key
            assert isinstance(column.absent, int if column.type == "BIGINT" else str)
