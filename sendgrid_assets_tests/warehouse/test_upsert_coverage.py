"""What a listing covers: only rows it was asked for can be found gone, and details not asked for stand."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from sendgrid_assets.warehouse.errors import KeylessRowError

from .conftest import Row, Store, at

LIVE = "SELECT list_id, contact_id FROM sendgrid.mc_contact_lists WHERE deleted_at IS NULL ORDER BY ALL"


def member(list_id: str, contact: str, **fields: object) -> Row:
    return {"list_id": list_id, "contact_id": contact} | fields


@pytest.mark.parametrize(
    ("standing", "left"),
    [
        ((), ["a1"]),
        (("b",), ["a1", "b1"]),
        (("b", "c"), ["a1", "b1", "c1"]),
        (("a", "b", "c"), ["a1", "a2", "b1", "c1"]),
        (("unknown",), ["a1"]),
    ],
)
def test_rows_of_parents_that_were_not_asked_for_stand(
    store: Store, standing: Sequence[str], left: list[str]
) -> None:
    store.sync(
        "mc_contact_lists", member("a", "1"), member("a", "2"), member("b", "1"), member("c", "1"), whole=True
    )
    done = store.sync("mc_contact_lists", member("a", "1"), standing=standing)
    assert (done.complete, done.deleted) == (True, 4 - len(left))
    assert ["".join(row) for row in store.query(LIVE)] == left


def test_a_listing_that_broke_off_marks_none_of_the_parents_it_asked_for(store: Store) -> None:
    store.sync("mc_contact_lists", member("a", "1"), member("a", "2"), member("b", "1"))
    done = store.sync("mc_contact_lists", member("a", "1"), standing=["b"], whole=False)
    assert (done.complete, done.deleted) == (False, 0)


def test_parents_that_stand_are_told_by_their_text(store: Store) -> None:
    tricky = "it's \"1\", {'2'}"
    store.sync("mc_contact_lists", member(tricky, "1"), member("b", "1"))
    store.sync("mc_contact_lists", standing=[tricky])
    assert store.query(LIVE) == [(tricky, "1")]


def test_a_hundred_thousand_parents_may_stand(store: Store) -> None:
    store.sync("mc_contact_lists", member("a", "1"), member("p99999", "1"))
    began = time.monotonic()
    done = store.sync("mc_contact_lists", member("a", "2"), standing=[f"p{n}" for n in range(100_000)])
    assert (done.inserted, done.deleted) == (1, 1)
    assert store.query(LIVE) == [("a", "2"), ("p99999", "1")]
    assert time.monotonic() - began < 20


def test_a_listing_of_what_is_new_alone_marks_none(store: Store) -> None:
    store.sync("suppression_bounces", {"email": "a@example.com"}, {"email": "b@example.com"})
    done = store.sync("suppression_bounces", {"email": "c@example.com"}, partial=True)
    assert (done.complete, done.inserted, done.deleted, done.total) == (True, 1, 0, 3)


@pytest.mark.parametrize(("whole", "expected"), [(False, None), (True, 2)])
def test_a_listing_of_what_is_new_may_be_incomplete_too(
    store: Store, whole: bool, expected: int | None
) -> None:
    rows = [{"email": "a@example.com"}]
    done = store.sync("suppression_bounces", *rows, partial=True, whole=whole, expected=expected)
    assert not done.complete


def test_a_day_of_statistics_never_vanishes(store: Store) -> None:
    store.sync("stats", {"date": "2026-03-01", "metrics": {}}, {"date": "2026-03-02", "metrics": {}})
    done = store.sync("stats", {"date": "2026-03-02", "metrics": {}})
    assert (done.complete, done.unchanged, done.deleted) == (True, 1, 0)


def single_send(id_: str = "s", **fields: object) -> Row:
    return {"id": id_, "name": "News", "updated_at": "2026-03-01T12:00:00Z"} | fields


DETAILS = {
    "email_config": {"subject": "Hello", "sender_id": 7, "preheader": "x"},
    "send_to": {"list_ids": ["a", "b"], "all": False},
    "warnings": [{"message": "m"}],
}


def the_single_send(store: Store) -> Row:
    (row,) = store.rows("sendgrid.mc_single_sends")
    return row


def test_details_that_were_not_asked_for_again_stand(store: Store) -> None:
    store.sync("mc_single_sends", single_send(**DETAILS))
    before = the_single_send(store)
    assert (before["email_config_subject"], before["send_to_list_ids"]) == ("Hello", ["a", "b"])
    assert before["extra"] == {"email_config": {"preheader": "x"}}
    done = store.sync("mc_single_sends", single_send(name="Renamed", _kept=True))
    after = the_single_send(store)
    assert (done.updated, done.unmodelled) == (1, ("email_config",))
    moved = {"name": "Renamed", "synced_at": after["synced_at"], "changed_at": after["changed_at"]}
    assert after == before | moved
    assert after["changed_at"] > before["changed_at"]


def test_what_only_the_details_had_of_another_column_stands_too(store: Store) -> None:
    store.sync("mc_single_sends", single_send(is_abtest=True, status="draft", **DETAILS))
    done = store.sync("mc_single_sends", single_send(status="triggered", _kept=True))
    row = the_single_send(store)
    assert (done.updated, row["is_abtest"], row["status"]) == (1, True, "triggered")
    store.sync("mc_single_sends", single_send(**DETAILS))
    assert the_single_send(store)["is_abtest"] is None


def test_a_row_whose_details_stand_is_unchanged(store: Store) -> None:
    store.sync("mc_single_sends", single_send(**DETAILS))
    before = the_single_send(store)
    done = store.sync("mc_single_sends", single_send(_kept=True), single_send(_kept=True))
    after = the_single_send(store)
    assert (done.distinct, done.updated, done.unchanged) == (1, 0, 1)
    assert after == before | {"synced_at": after["synced_at"]}
    assert store.query("SELECT 1 FROM _sendgrid_assets.changes") == []


def test_a_row_that_is_not_there_has_no_details_to_stand(store: Store) -> None:
    assert store.sync("mc_single_sends", single_send(_kept=True, **DETAILS)).inserted == 1
    row = the_single_send(store)
    assert (row["name"], row["email_config_subject"], row["send_to_list_ids"], row["extra"]) == (
        "News",
        None,
        None,
        None,
    )


def test_details_that_were_asked_for_again_are_taken(store: Store) -> None:
    store.sync("mc_single_sends", single_send(**DETAILS))
    for kept in ({}, {"_kept": False}, {"_kept": "?"}):
        store.sync("mc_single_sends", single_send(email_config={"subject": "New"}, **kept))
        row = the_single_send(store)
        assert (row["email_config_subject"], row["warnings"], row["extra"]) == ("New", None, None)


def test_the_mark_of_standing_details_is_a_field_like_any_where_there_are_none(store: Store) -> None:
    assert store.sync("lists", {"id": 1, "_kept": True}).unmodelled == ("_kept",)


def test_nested_rows_keep_their_details_by_both_their_ids(store: Store) -> None:
    first = {"template_id": "t", "id": "1", "name": "a"}
    other = first | {"template_id": "u", "name": "b"}
    store.sync("template_versions", first | {"html_content": "T"}, other | {"html_content": "U"})
    store.sync("template_versions", first | {"_kept": True}, other | {"_kept": True})
    assert store.query("SELECT template_id, html_content FROM sendgrid.template_versions ORDER BY 1") == [
        ("t", "T"),
        ("u", "U"),
    ]


def test_repeated_rows_that_are_new_same_or_changed_are_told_apart(store: Store) -> None:
    def row(id_: int, name: str) -> Row:
        return {"id": id_, "name": name}

    store.sync("lists", row(1, "same"), row(2, "same"), row(3, "same"))
    done = store.sync(
        "lists",
        *(row(1, "other"), row(1, "same")),
        *(row(2, "same"), row(2, "other")),
        *(row(3, "same"), row(3, "same")),
        *(row(4, "a"), row(4, "b")),
    )
    assert (done.distinct, done.inserted, done.updated, done.unchanged) == (4, 1, 1, 2)
    assert store.query("SELECT id, name FROM sendgrid.lists ORDER BY id") == [
        ("1", "same"),
        ("2", "other"),
        ("3", "same"),
        ("4", "b"),
    ]


def test_a_key_that_stands_twice_in_the_table_is_updated_twice(store: Store) -> None:
    store.sync("lists", {"id": 1, "name": "a"})
    with store.warehouse.open() as connection:
        connection.execute("INSERT INTO sendgrid.lists FROM sendgrid.lists")
    store.sync("lists", {"id": 1, "name": "b"}, started_at=at(2100, 1, 1))
    assert store.query("SELECT name FROM sendgrid.lists") == [("b",), ("b",)]


def test_a_part_of_the_key_that_sendgrid_leaves_out_is_told_by_what_stands_for_it(store: Store) -> None:
    link = {"id": "one", "url": "https://example.com/", "clicks": 1}
    store.sync("mc_single_send_links", link, {**link, "url_location": 3, "ab_phase": None})
    store.sync("mc_single_send_links", {**link, "clicks": 2}, {**link, "url_location": 3})
    found = "SELECT url_location, ab_variation, ab_phase, clicks, extra FROM sendgrid.mc_single_send_links ORDER BY 1"
    assert store.query(found) == [(-1, "all", "all", 2, None), (3, "all", "all", 1, None)]
    with pytest.raises(KeylessRowError):
        store.sync("mc_single_send_links", {**link, "url_location": "somewhere"})
