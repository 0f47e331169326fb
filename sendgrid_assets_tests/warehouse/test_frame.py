"""A user's own DataFrame goes into a table by its key, and a table comes out as a DataFrame."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from sendgrid_assets.warehouse.errors import FrameError, KeylessRowError
from sendgrid_assets.warehouse.file import transaction
from sendgrid_assets.warehouse.frame import read_frame, upsert_frame
from sendgrid_assets.warehouse.merge import Upserted

from .conftest import Store, at


def put(store: Store, frame: pd.DataFrame, key: tuple[str, ...] = ("id",), schema: str = "mine") -> Upserted:
    with store.warehouse.open() as connection, transaction(connection):
        return upsert_frame(connection, schema, "scores", frame, key)


def take(store: Store) -> pd.DataFrame:
    with store.warehouse.open() as connection:
        return read_frame(connection, "mine", "scores").sort_values("id", ignore_index=True)


def cells(store: Store, *columns: str) -> list[tuple[Any, ...]]:
    return store.query(f"SELECT {', '.join(columns)} FROM mine.scores ORDER BY ALL")


def test_a_frame_comes_out_as_it_went_in(store: Store) -> None:
    frame = pd.DataFrame(
        {
            "id": [1, 2],
            "name": ["ä", None],
            "score": [1.5, 2.0],
            "is_paid": [True, False],
            "seen": pd.to_datetime(["2026-03-01 12:00:00.000001", "2026-03-02"], format="ISO8601"),
            "tags": [["a", "b"], []],
        }
    )
    assert put(store, frame).inserted == 2
    out = take(store)
    assert list(out["id"]) == [1, 2]
    assert out["name"][0] == "ä"
    assert pd.isna(out["name"][1])
    assert list(out["score"]) == [1.5, 2.0]
    assert list(out["is_paid"]) == [True, False]
    assert list(out["seen"]) == list(frame["seen"])
    assert [list(tags) for tags in out["tags"]] == [["a", "b"], []]
    assert list(out["first_synced_at"]) == list(out["changed_at"])


def test_rows_are_upserted_and_absent_ones_stay(store: Store) -> None:
    put(store, pd.DataFrame({"id": [1, 2, 3], "score": [1, 2, 3]}))
    done = put(store, pd.DataFrame({"id": [2, 3, 4], "score": [2, 30, 4]}))
    assert (done.inserted, done.updated, done.unchanged, done.deleted, done.total) == (1, 1, 1, 0, 4)
    assert cells(store, "id", "score", "deleted_at") == [
        (1, 1, None),
        (2, 2, None),
        (3, 30, None),
        (4, 4, None),
    ]


def test_a_frame_read_and_put_back_changes_nothing(store: Store) -> None:
    put(store, pd.DataFrame({"id": [1, 2], "score": [1, 2]}))
    done = put(store, take(store))
    assert (done.inserted, done.updated, done.unchanged) == (0, 0, 2)


def test_a_column_that_comes_later_is_added(store: Store) -> None:
    put(store, pd.DataFrame({"id": [1], "score": [1]}))
    put(store, pd.DataFrame({"id": [2], "score": [2], 'new "one"': ["x"]}))
    assert cells(store, "id", '"new ""one"""') == [(1, None), (2, "x")]


def test_a_column_that_a_frame_lacks_keeps_its_values(store: Store) -> None:
    put(store, pd.DataFrame({"id": [1], "score": [1], "note": ["x"]}))
    assert put(store, pd.DataFrame({"id": [1], "score": [2]})).updated == 1
    assert cells(store, "id", "score", "note") == [(1, 2, "x")]


@pytest.mark.parametrize("empty", [None, pd.NA, float("nan")])
def test_a_column_of_nothing_takes_texts_later(store: Store, empty: Any) -> None:
    put(store, pd.DataFrame({"id": [1, 2], "note": pd.Series([empty, empty], dtype=object)}))
    put(store, pd.DataFrame({"id": [2], "note": ["x"]}))
    assert cells(store, "id", "note") == [(1, None), (2, "x")]
    assert put(store, pd.DataFrame({"id": [2], "note": pd.Series([empty], dtype=object)})).updated == 1
    assert cells(store, "id", "note") == [(1, None), (2, None)]


def test_a_column_of_empty_lists_takes_texts_later(store: Store) -> None:
    put(store, pd.DataFrame({"id": [1], "tags": [[]]}))
    put(store, pd.DataFrame({"id": [2], "tags": [["x"]]}))
    assert cells(store, "id", "tags") == [(1, []), (2, ["x"])]


def test_values_are_cast_to_the_type_the_column_has(store: Store) -> None:
    put(store, pd.DataFrame({"id": ["1", "2"], "score": [1.5, 2.5]}))
    assert put(store, pd.DataFrame({"id": [1], "score": [1]})).updated == 1
    assert cells(store, "id", "score") == [("1", 1.0), ("2", 2.5)]


def test_of_rows_with_one_key_the_last_counts(store: Store) -> None:
    done = put(store, pd.DataFrame({"id": [1, 2, 1], "score": [1, 2, 3]}))
    assert (done.inserted, done.total) == (2, 2)
    assert cells(store, "id", "score") == [(1, 3), (2, 2)]


def test_a_key_may_be_of_several_columns(store: Store) -> None:
    key = ("id", "day")
    put(store, pd.DataFrame({"id": [1, 1], "day": ["a", "b"], "score": [1, 2]}), key)
    assert put(store, pd.DataFrame({"id": [1], "day": ["b"], "score": [3]}), key).updated == 1
    assert cells(store, "id", "day", "score") == [(1, "a", 1), (1, "b", 3)]


def test_a_frame_of_keys_alone_is_taken(store: Store) -> None:
    put(store, pd.DataFrame({"id": [1]}))
    done = put(store, pd.DataFrame({"id": [1, 2]}))
    assert (done.inserted, done.updated, done.unchanged) == (1, 0, 1)


def test_an_empty_frame_changes_nothing(store: Store) -> None:
    put(store, pd.DataFrame({"id": [1], "score": [1]}))
    assert put(store, pd.DataFrame({"id": pd.Series([], dtype="int64"), "score": []})).total == 1


def test_a_missing_key_column_is_named(store: Store) -> None:
    with pytest.raises(FrameError, match=r"mine\.scores lacks its key id, day"):
        put(store, pd.DataFrame({"score": [1]}), ("id", "day"))
    assert store.query("SELECT 1 FROM duckdb_tables() WHERE table_name = 'scores'") == []


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_row_without_a_key_fails_and_changes_nothing(store: Store, missing: Any) -> None:
    put(store, pd.DataFrame({"id": [1.0], "score": [1]}))
    with pytest.raises(KeylessRowError, match="no id"):
        put(store, pd.DataFrame({"id": [2.0, missing], "score": [2, 3]}))
    assert cells(store, "id", "score") == [(1.0, 1)]


def test_columns_the_table_keeps_for_itself_are_not_taken_from_a_frame(store: Store) -> None:
    long_ago = at(2001, 1, 1)
    put(store, pd.DataFrame({"id": [1], "synced_at": [long_ago], "deleted_at": [long_ago]}))
    ((synced_at, deleted_at),) = cells(store, "synced_at", "deleted_at")
    assert synced_at > long_ago
    assert deleted_at is None


def test_a_frames_own_column_may_be_called_extra(store: Store) -> None:
    for number in (1, 2):
        done = put(store, pd.DataFrame({"id": [1], "extra": [number]}))
    assert (done.updated, done.unmodelled) == (1, ())
    assert cells(store, "id", "extra") == [(1, 2)]


def test_of_a_frames_rows_with_one_key_the_last_counts_whatever_its_columns_are_called(store: Store) -> None:
    put(store, pd.DataFrame({"id": [1], "kind": ["a"], "place": [9]}))
    done = put(store, pd.DataFrame({"id": [1, 1], "kind": ["b", "a"], "place": [1, 9]}))
    assert (done.distinct, done.unchanged) == (1, 1)
    assert cells(store, "id", "kind", "place") == [(1, "a", 9)]
