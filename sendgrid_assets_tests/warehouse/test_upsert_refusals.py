"""What an upsert refuses leaves the warehouse as it was; what it does not know is kept and named."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import duckdb
import pytest

from sendgrid_assets.catalog.objects import OBJECT_COLLECTIONS
from sendgrid_assets.warehouse.count import repeated_keys, row_count, unmodelled_fields
from sendgrid_assets.warehouse.errors import KeylessRowError, OlderListingError
from sendgrid_assets.warehouse.file import transaction
from sendgrid_assets.warehouse.schema import SourceSchema
from sendgrid_assets.warehouse.stage import staged
from sendgrid_assets.warehouse.sync_log import SyncRun, latest, record, utc_now

from .conftest import SCHEMAS, Row, Store, at

NOON = at(2026, 3, 1, 12)
HOUR = dt.timedelta(hours=1)


def everything(store: Store) -> list[list[Row]]:
    return [store.rows("sendgrid.lists"), store.rows("_sendgrid_assets.sync_runs")]


@pytest.mark.parametrize("keyless", [{"name": "x"}, {"id": None, "name": "x"}])
def test_a_row_without_its_key_fails_and_changes_nothing(store: Store, keyless: Row) -> None:
    store.sync("lists", {"id": 1, "name": "kept"})
    before = everything(store)
    with pytest.raises(KeylessRowError, match="no id: nothing of the listing is loaded"):
        store.sync("lists", {"id": 2, "name": "new"}, keyless)
    assert everything(store) == before


def test_an_older_listing_never_overwrites_a_newer(store: Store) -> None:
    store.sync("lists", {"id": 1, "name": "newer"}, started_at=NOON)
    before = everything(store)
    with pytest.raises(OlderListingError, match="begun later"):
        store.sync("lists", {"id": 1, "name": "older"}, started_at=NOON - HOUR)
    assert everything(store) == before


def test_a_newer_listing_and_one_of_another_table_are_loaded(store: Store) -> None:
    store.sync("lists", {"id": 1, "name": "a"}, started_at=NOON)
    store.sync("segments", {"id": 1}, started_at=NOON - HOUR)
    assert store.sync("lists", {"id": 1, "name": "b"}, started_at=NOON + HOUR).updated == 1


@pytest.mark.parametrize("status", ["failed", "refused"])
def test_a_listing_that_came_to_nothing_does_not_bar_an_older_one(store: Store, status: str) -> None:
    with store.warehouse.open() as connection:
        run = SyncRun(
            run_id="r",
            source="sendgrid",
            table_name="lists",
            started_at=NOON,
            ended_at=NOON,
            status=status,  # type: ignore[arg-type]
        )
        record(connection, run)
    assert store.sync("lists", {"id": 1}, started_at=NOON - HOUR).inserted == 1


def test_an_exception_after_the_upsert_leaves_nothing(store: Store) -> None:
    store.sync("lists", {"id": 1, "name": "kept"})
    before = everything(store)

    def stop_after_everything() -> None:
        with store.warehouse.open() as connection, transaction(connection):
            connection.execute("UPDATE sendgrid.lists SET name = 'lost', deleted_at = now()::TIMESTAMP")
            record(
                connection,
                SyncRun(
                    run_id="r2",
                    source="sendgrid",
                    table_name="lists",
                    started_at=utc_now(),
                    ended_at=utc_now(),
                    status="ok",
                ),
            )
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_after_everything()
    assert everything(store) == before


def test_an_error_of_sql_in_a_transaction_leaves_nothing(store: Store) -> None:
    def stop() -> None:
        with store.warehouse.open() as connection, transaction(connection):
            connection.execute("INSERT INTO sendgrid.lists (id) VALUES ('1')")
            connection.execute("SELECT error('stop')")

    with pytest.raises(duckdb.Error, match="stop"):
        stop()
    assert store.rows("sendgrid.lists") == []


def test_unknown_and_unfitting_fields_are_kept_and_named(store: Store) -> None:
    done = store.sync(
        "lists",
        {"id": 1, "name": "a", "recipient_count": 3},
        {"id": 2, "recipient_count": "many", "_metadata": {"self": "x"}},
        {"id": 3, "colour": None, 'it"s': {"a": [1]}},
    )
    assert done.unmodelled == ("colour", 'it"s', "recipient_count")
    assert [row["extra"] for row in store.rows("sendgrid.lists")] == [
        None,
        {"recipient_count": "many"},
        {"colour": None, 'it"s': {"a": [1]}},
    ]


def test_fields_in_extra_are_named_for_as_long_as_a_row_has_them(store: Store) -> None:
    store.sync("lists", {"id": 1, "colour": 1, "a": 2}, {"id": 2, "size": 1})
    store.sync("lists", {"id": 1, "colour": 1})
    with store.warehouse.open() as connection:
        assert unmodelled_fields(connection, "sendgrid", "lists") == ("colour",)
        assert unmodelled_fields(connection, "sendgrid", "segments") == ()


def test_an_unknown_field_of_a_row_that_did_not_change_is_still_named(store: Store) -> None:
    store.sync("lists", {"id": 1, "colour": 1})
    done = store.sync("lists", {"id": 1, "colour": 1})
    assert (done.unchanged, done.unmodelled) == (1, ("colour",))


def test_no_unknown_field_no_name(store: Store) -> None:
    assert store.sync("lists", {"id": 1, "name": "a"}).unmodelled == ()


def test_every_collection_takes_a_row_of_nothing_but_its_key(store: Store) -> None:
    with store.warehouse.open() as connection:
        for collection in OBJECT_COLLECTIONS:
            columns = {column.name: column for column in collection.sent_columns}
            row = {
                columns[key].path[0]: "2026-03-01" if columns[key].type == "DATE" else 7
                for key in collection.key
            }
            assert store.sync_in(connection, collection.table, row, row).inserted == 1
            assert store.sync_in(connection, collection.table, row).unchanged == 1
            assert repeated_keys(connection, "sendgrid", collection.table, collection.key) == 0
            assert row_count(connection, "sendgrid", collection.table) == 1


def test_a_key_that_stands_twice_is_found(store: Store) -> None:
    with store.warehouse.open() as connection:
        connection.execute("INSERT INTO sendgrid.lists (id) VALUES ('1'), ('2'), ('1'), ('1'), ('2'), ('3')")
        assert repeated_keys(connection, "sendgrid", "lists", ["id"]) == 2


def test_another_source_has_rows_and_runs_of_its_own(store: Store) -> None:
    store.change(schemas=(*SCHEMAS, SourceSchema("marketing_eu", "eu")))
    store.sync("lists", {"id": 1}, started_at=NOON)
    store.sync("lists", {"id": 2}, started_at=NOON - HOUR, source="marketing_eu")
    assert [row["id"] for row in store.rows("sendgrid.lists")] == ["1"]
    assert [row["id"] for row in store.rows("eu.lists")] == ["2"]
    with store.warehouse.open() as connection:
        found = latest(connection, "marketing_eu", "lists")
        assert found is not None
        assert found.started_at == NOON - HOUR
        assert latest(connection, "marketing_eu", "segments") is None


def test_rows_are_staged_one_a_line_and_removed_afterwards(tmp_path: Path) -> None:
    rows = [json.dumps({"id": number}).encode() for number in range(3)]
    with staged(rows, tmp_path / "scratch") as stage:
        assert (stage.rows, stage.largest) == (3, 10)
        assert stage.path.read_bytes().splitlines() == rows
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_text_of_many_rows_is_staged_as_many(tmp_path: Path) -> None:
    with staged([b"{}\n{}", b'{"a":1}'], tmp_path) as stage:
        assert (stage.rows, stage.largest) == (3, 8)
        assert stage.path.read_bytes() == b'{}\n{}\n{"a":1}\n'
