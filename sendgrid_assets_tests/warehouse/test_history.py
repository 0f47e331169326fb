"""Every change that a sync finds is on record, with the values that changed."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from sendgrid_assets.catalog.column import sent
from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.warehouse import history
from sendgrid_assets.warehouse.file import transaction
from sendgrid_assets.warehouse.frame import upsert_frame
from sendgrid_assets.warehouse.stage import staged
from sendgrid_assets.warehouse.sync_log import SyncRun, record, utc_now
from sendgrid_assets.warehouse.upsert import upsert

from .conftest import Row, Store, at

Change = tuple[str, Any, str, Any, Any]


def changes(store: Store) -> list[Change]:
    found = store.query(
        "SELECT table_name, key, kind, before, after FROM _sendgrid_assets.changes ORDER BY changed_at, key, kind"
    )
    return [(table, json.loads(key), kind, _parsed(b), _parsed(a)) for table, key, kind, b, a in found]


def _parsed(value: str | None) -> Any:
    return None if value is None else json.loads(value)


def test_the_first_listing_is_what_changes_are_changes_of(store: Store) -> None:
    store.sync("lists", {"id": 1, "name": "a"})
    assert changes(store) == []


def test_each_kind_of_change_is_noted_once(store: Store) -> None:
    store.sync("lists", {"id": 1, "name": "a"}, {"id": 2, "name": "b"}, {"id": 3, "name": "c"})
    store.sync("lists", {"id": 1, "name": "a"}, {"id": 2, "name": "B"}, {"id": 4, "name": "d"})
    noted = [
        ("lists", {"id": "2"}, "update", {"name": "b"}, {"name": "B"}),
        ("lists", {"id": "3"}, "delete", None, None),
        ("lists", {"id": "4"}, "insert", None, None),
    ]
    assert changes(store) == noted
    store.sync("lists", {"id": 1, "name": "a"}, {"id": 2, "name": "B"}, {"id": 4, "name": "d"})
    assert changes(store) == noted


def test_an_update_bears_the_instant_that_the_row_does(store: Store) -> None:
    store.sync("lists", {"id": 1, "name": "a"}, {"id": 2})
    store.sync("lists", {"id": 1, "name": "b"})
    assert store.query(
        "SELECT c.kind, c.source FROM _sendgrid_assets.changes c JOIN sendgrid.lists l"
        " ON c.changed_at = coalesce(l.deleted_at, l.changed_at) AND (c.key ->> 'id') = l.id ORDER BY 1"
    ) == [("delete", "sendgrid"), ("update", "sendgrid")]


@pytest.mark.parametrize(
    ("name", "before", "after"), [("a", None, None), ("b", {"name": "a"}, {"name": "b"})]
)
def test_a_return_names_what_changed_meanwhile(store: Store, name: str, before: Any, after: Any) -> None:
    store.sync("lists", {"id": 1, "name": "a"})
    store.sync("lists")
    store.sync("lists", {"id": 1, "name": name})
    assert changes(store)[1:] == [("lists", {"id": "1"}, "return", before, after)]


def test_values_keep_their_types(store: Store) -> None:
    columns = (
        sent("id", "VARCHAR", "x"),
        sent("number", "BIGINT", "x"),
        sent("share", "DOUBLE", "x"),
        sent("active", "BOOLEAN", "x"),
        sent("at_", "TIMESTAMP", "x"),
        sent("day", "DATE", "x"),
        sent("texts", "VARCHAR[]", "x"),
        sent("numbers", "BIGINT[]", "x"),
        sent("object", "JSON", "x"),
        sent('it\'s "q"', "VARCHAR", "x"),
    )
    collection = replace(BY_TABLE["lists"], sent_columns=columns)
    declared = ", ".join(
        f'"{column.name.replace(chr(34), 2 * chr(34))}" {column.type}' for column in collection.columns
    )
    after: Row = {
        "number": 2**53 + 1,
        "share": 0.25,
        "active": True,
        "at_": "2026-03-01T12:00:00.5Z",
        "day": "2026-03-01",
        "texts": ["a", 'b"'],
        "numbers": [1, 2],
        "object": {"a": [1, None]},
        'it\'s "q"': "ü\n",
    }
    with store.warehouse.open() as connection:
        connection.execute(f"CREATE OR REPLACE TABLE sendgrid.lists ({declared})")
        for row in ({"id": 1}, {"id": 1, "new": 1.5} | after, {"id": 1, "share": "NaN"}):
            began = utc_now()
            with staged([json.dumps(row).encode()], store.folder) as stage, transaction(connection):
                upsert(
                    connection,
                    collection,
                    source="sendgrid",
                    schema="sendgrid",
                    rows=stage,
                    started_at=began,
                    whole=True,
                )
                run = SyncRun(
                    run_id="r",
                    source="sendgrid",
                    table_name="lists",
                    started_at=began,
                    ended_at=began,
                    status="ok",
                )
                record(connection, run)
    first, second = changes(store)
    assert first == ("lists", {"id": "1"}, "update", dict.fromkeys(first[4]), after | {"extra": {"new": 1.5}})
    assert second[3:] == (
        first[4],
        dict.fromkeys(first[4]) | {"share": "nan"},
    )


def test_details_that_stand_are_no_change(store: Store) -> None:
    row = {"id": "s", "name": "a", "updated_at": "2026-03-01T12:00:00Z"}
    store.sync("mc_single_sends", row | {"email_config": {"subject": "x", "other": 1}})
    store.sync("mc_single_sends", row | {"name": "b", "_kept": True})
    assert [change[3:] for change in changes(store)] == [({"name": "a"}, {"name": "b"})]


def test_a_key_of_two_columns_has_both(store: Store) -> None:
    store.sync("mc_contact_lists", {"list_id": "l", "contact_id": "c"})
    store.sync("mc_contact_lists")
    assert changes(store) == [("mc_contact_lists", {"list_id": "l", "contact_id": "c"}, "delete", None, None)]


def test_rows_sent_twice_are_one_change(store: Store) -> None:
    store.sync("lists", {"id": 1, "name": "a"})
    store.sync("lists", {"id": 1, "name": "x"}, {"id": 1, "name": "b"})
    assert [change[3:] for change in changes(store)] == [({"name": "a"}, {"name": "b"})]


def test_tables_without_a_history_have_none(store: Store) -> None:
    assert not BY_TABLE["mc_contacts"].history
    store.sync("mc_contacts", {"contact_id": "1", "first_name": "a"})
    store.sync("mc_contacts", {"contact_id": "1", "first_name": "b"}, {"contact_id": "2"})
    assert changes(store) == []


def test_a_users_frame_has_no_history(store: Store) -> None:
    with store.warehouse.open() as connection, transaction(connection):
        for name in ("a", "b"):
            upsert_frame(connection, "sendgrid", "mine", pd.DataFrame({"id": [1], "name": [name]}), ["id"])
    assert changes(store) == []


def test_what_is_rolled_back_is_not_on_record(store: Store) -> None:
    store.sync("lists", {"id": 1, "name": "a"})

    def stop() -> None:
        with (
            store.warehouse.open() as connection,
            staged([b'{"id": 1, "name": "b"}'], store.folder) as stage,
            transaction(connection),
        ):
            upsert(
                connection,
                BY_TABLE["lists"],
                source="sendgrid",
                schema="sendgrid",
                rows=stage,
                started_at=utc_now(),
                whole=True,
            )
            assert connection.execute("SELECT kind FROM _sendgrid_assets.changes").fetchall() == [("update",)]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert changes(store) == []
    assert store.query("SELECT name FROM sendgrid.lists") == [("a",)]


def test_changes_are_forgotten_after_a_while_by_the_next_change_of_that_source(store: Store) -> None:
    now = utc_now()
    old = now - dt.timedelta(days=history.RETENTION_DAYS, minutes=1)
    young = now - dt.timedelta(days=history.RETENTION_DAYS - 1)
    with store.warehouse.open() as connection:
        connection.executemany(
            "INSERT INTO _sendgrid_assets.changes (source, table_name, changed_at) VALUES (?, ?, ?)",
            [("sendgrid", "old", old), ("sendgrid", "young", young), ("other", "old", old)],
        )
    store.sync("lists", {"id": 1, "name": "a"}, started_at=at(2026, 3, 1))
    store.sync("lists", {"id": 1, "name": "a"}, started_at=at(2026, 3, 1, 1))
    held = "SELECT source, table_name FROM _sendgrid_assets.changes ORDER BY ALL"
    assert len(store.query(held)) == 3
    store.sync("lists", {"id": 1, "name": "b"})
    assert store.query(held) == [("other", "old"), ("sendgrid", "lists"), ("sendgrid", "young")]
