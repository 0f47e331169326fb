"""A listing goes into its table by key: what is new, changed, the same, vanished and returned."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Row, Store, now


def list_(id_: int | str, name: str = "news", count: int = 100, **fields: Any) -> Row:
    return {"id": id_, "name": name, "recipient_count": count} | fields


def lists(store: Store) -> dict[str, Row]:
    return {row["id"]: row for row in store.rows("sendgrid.lists")}


def test_a_new_row_is_inserted_with_all_its_instants_equal(store: Store) -> None:
    done = store.sync("lists", list_(1), list_(2, "offers", 5))
    rows = lists(store)
    assert (done.inserted, done.updated, done.unchanged, done.deleted, done.total) == (2, 0, 0, 0, 2)
    assert (rows["2"]["name"], rows["2"]["recipient_count"], rows["2"]["extra"]) == ("offers", 5, None)
    for row in rows.values():
        assert row["first_synced_at"] == row["synced_at"] == row["changed_at"]
        assert row["deleted_at"] is None


def test_a_changed_row_takes_the_new_value_and_moves_both_instants(store: Store) -> None:
    store.sync("lists", list_(1, count=100))
    before = lists(store)["1"]
    done = store.sync("lists", list_(1, count=200))
    after = lists(store)["1"]
    assert (done.inserted, done.updated, done.unchanged, done.total) == (0, 1, 0, 1)
    assert after["recipient_count"] == 200
    assert after["first_synced_at"] == before["first_synced_at"]
    assert after["changed_at"] == after["synced_at"] > before["changed_at"]


def test_an_unchanged_row_moves_only_when_it_was_seen(store: Store) -> None:
    store.sync("lists", list_(1))
    before = lists(store)["1"]
    done = store.sync("lists", list_(1))
    after = lists(store)["1"]
    assert (done.inserted, done.updated, done.unchanged) == (0, 0, 1)
    assert after["synced_at"] > before["synced_at"]
    assert after | {"synced_at": None} == before | {"synced_at": None}


@pytest.mark.parametrize(
    ("first", "second"),
    [({"name": "a"}, {"name": None}), ({"name": None}, {"name": "a"}), ({}, {"new_field": 1})],
    ids=["to null", "from null", "left over"],
)
def test_a_change_to_or_from_nothing_is_a_change(store: Store, first: Row, second: Row) -> None:
    store.sync("lists", {"id": 1} | first)
    assert store.sync("lists", {"id": 1} | second).updated == 1
    row = lists(store)["1"]
    assert (row["name"], row["extra"]) == (
        second.get("name"),
        {"new_field": 1} if "new_field" in second else None,
    )
    assert row["changed_at"] > row["first_synced_at"]


def test_a_vanished_row_stays_and_is_marked_once(store: Store) -> None:
    store.sync("lists", list_(1), list_(2))
    seen = lists(store)["2"]
    done = store.sync("lists", list_(1))
    marked = lists(store)["2"]
    assert (done.complete, done.deleted, done.unchanged, done.total) == (True, 1, 1, 2)
    assert marked["deleted_at"] > seen["synced_at"]
    assert marked | {"deleted_at": None} == seen
    assert store.sync("lists", list_(1)).deleted == 0
    assert lists(store)["2"] == marked


@pytest.mark.parametrize("count", [100, 200], ids=["as it was", "changed meanwhile"])
def test_a_row_that_returns_is_no_longer_marked(store: Store, count: int) -> None:
    store.sync("lists", list_(1), list_(2))
    store.sync("lists", list_(2))
    done = store.sync("lists", list_(1, count=count), list_(2))
    row = lists(store)["1"]
    assert (done.inserted, done.updated, done.unchanged, done.deleted) == (0, 1, 1, 0)
    assert (row["deleted_at"], row["recipient_count"]) == (None, count)
    assert (row["changed_at"] > row["first_synced_at"]) == (count != 100)


@pytest.mark.parametrize(
    ("whole", "expected", "complete"),
    [
        (True, None, True),
        (True, 1, True),
        (True, 0, True),
        (True, 2, False),
        (False, None, False),
        (False, 1, False),
    ],
)
def test_only_a_listing_proven_whole_marks_what_it_lacks(
    store: Store, whole: bool, expected: int | None, complete: bool
) -> None:
    store.sync("lists", list_(1), list_(2))
    done = store.sync("lists", list_(1), whole=whole, expected=expected)
    assert (done.complete, done.deleted) == (complete, int(complete))
    assert (lists(store)["2"]["deleted_at"] is not None) == complete


def test_rows_sent_twice_do_not_prove_a_listing_whole(store: Store) -> None:
    store.sync("lists", list_(1), list_(2))
    done = store.sync("lists", list_(1), list_(1), expected=2)
    assert (done.distinct, done.complete, done.deleted) == (1, False, 0)


def test_an_empty_whole_listing_marks_every_row(store: Store) -> None:
    store.sync("lists", list_(1), list_(2))
    done = store.sync("lists")
    assert (done.complete, done.distinct, done.deleted, done.total) == (True, 0, 2, 2)
    assert all(row["deleted_at"] for row in lists(store).values())


def test_an_empty_listing_that_broke_off_marks_none(store: Store) -> None:
    store.sync("lists", list_(1))
    assert store.sync("lists", whole=False).deleted == 0
    assert lists(store)["1"]["deleted_at"] is None


def test_of_rows_with_one_key_the_last_sent_is_kept(store: Store) -> None:
    done = store.sync("lists", list_(1, "first"), list_(2), list_(1, "last"))
    assert (done.distinct, done.inserted) == (2, 2)
    assert lists(store)["1"]["name"] == "last"


def test_of_many_rows_with_one_key_the_last_sent_is_kept(store: Store) -> None:
    many = [list_(number % 500, f"n{number}", pad="x" * 200) for number in range(20_000)]
    assert store.sync("lists", *many).inserted == 500
    assert {row["name"] for row in lists(store).values()} == {
        f"n{number}" for number in range(19_500, 20_000)
    }


def test_of_suppressions_of_one_address_the_newest_is_kept(store: Store) -> None:
    def bounce(email: str, created: int | None, reason: str) -> Row:
        return {"email": email, "created": created, "reason": reason, "status": ""}

    store.sync(
        "suppression_bounces",
        bounce("a@example.com", 1_500_000_000, "older"),
        bounce("a@example.com", 1_700_000_000, "newest"),
        bounce("a@example.com", 1_600_000_000, "old"),
        bounce("b@example.com", 1_600_000_000, "first"),
        bounce("b@example.com", 1_600_000_000, "last"),
        bounce("c@example.com", 1_600_000_000, "dated"),
        bounce("c@example.com", None, "undated"),
    )
    rows = {row["email"]: row["reason"] for row in store.rows("sendgrid.suppression_bounces")}
    assert rows == {"a@example.com": "newest", "b@example.com": "last", "c@example.com": "dated"}


def test_ids_that_differ_in_case_only_are_two_rows(store: Store) -> None:
    people = [{"id": id_, "email": f"{id_}@example.com"} for id_ in ("YQ==", "yq==", "Yq==")]
    assert store.sync("recipients", *people).inserted == 3
    assert [row["id"] for row in store.rows("sendgrid.recipients")] == ["YQ==", "Yq==", "yq=="]


def test_the_counts_of_a_mixed_listing_add_up(store: Store) -> None:
    store.sync("lists", *(list_(number) for number in range(10)))
    store.sync("lists", *(list_(number) for number in range(1, 10)))
    done = store.sync("lists", *(list_(number, count=100 + number % 2) for number in (*range(5), 10, 11)))
    # 0 returned; 1 and 3 changed; 2 and 4 stayed; 10 and 11 are new; 5 to 9 are gone.
    assert (done.inserted, done.updated, done.unchanged, done.deleted) == (2, 3, 2, 5)
    assert (done.distinct, done.total) == (7, 12)


def test_instants_are_utc_without_a_zone(store: Store) -> None:
    before = now()
    store.sync("lists", list_(1))
    assert before <= lists(store)["1"]["first_synced_at"] <= now()
