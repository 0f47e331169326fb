"""However often, in whatever files and under whatever ids an event comes, it counts once."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from sendgrid_assets.warehouse.schema import SourceSchema
from sendgrid_assets.webhook.landing import Landing

from .conftest import SCHEMAS, T0, Row, Store, event

A, B, C = event("A"), event("B", timestamp=T0 + 1), event("C", "click", timestamp=T0 + 2)
DAY = 86_400


def test_the_same_events_in_other_files_add_nothing(store: Store) -> None:
    first = store.load(A, B, C)
    before = store.rows("sendgrid.activity")
    again = store.load(C, A)
    third = store.load(B)
    assert (first.rows, first.repeated) == ({"open": 2, "click": 1}, 0)
    assert (again.rows, again.repeated) == ({}, 2)
    assert (third.rows, third.repeated) == ({}, 1)
    assert store.rows("sendgrid.activity") == before
    assert store.ledger() == [("0000.ndjson", 3, 0), ("0001.ndjson", 2, 0), ("0002.ndjson", 1, 0)]


@pytest.mark.parametrize("chunk_bytes", [1, 1 << 20], ids=["a chunk each", "one chunk"])
def test_an_event_that_comes_many_times_is_one_row(store: Store, chunk_bytes: int) -> None:
    store.land(A, A, B, A)
    store.land(B, A)
    done = store.drain(chunk_bytes=chunk_bytes)
    assert store.activity() == [("A", "open", None), ("B", "open", None)]
    assert (done.repeated, done.duplicates, done.rejected) == (4, 0, 0)


def test_the_same_event_written_otherwise_is_one_row(store: Store) -> None:
    store.load(A | {"category": "news", "ip": None})
    spaced = json.dumps(
        dict(reversed((A | {"timestamp": str(T0), "event": "Open", "category": ["news"]}).items()))
    )
    done = store.load(spaced)
    assert store.activity() == [("A", "open", None)]
    assert (done.repeated, done.rejected) == (1, 0)


def test_one_id_may_belong_to_several_types(store: Store) -> None:
    store.load(event("S", "processed"), event("S", "delivered"))
    store.load(event("S", "delivered"), event("S", "open"))
    assert store.activity() == [(("S"), kind, None) for kind in ("delivered", "open", "processed")]


def test_events_without_an_id_are_kept_apart_by_content(store: Store) -> None:
    one, two = event(None), event(None, email="b@example.com")
    store.load(one, two, one | {"sg_event_id": None})
    store.load(two | {"sg_event_id": ""}, one)
    found = store.activity("email, duplicate_of, sg_event_id")
    assert [row[:2] for row in found] == [("b@example.com", None), ("casey@example.com", None)]
    assert len({id_ for _, _, id_ in found}) == 2


@pytest.mark.parametrize("split", [(3,), (1, 1, 1)], ids=str)
def test_copies_under_new_ids_all_point_at_the_first_loaded(store: Store, split: tuple[int, ...]) -> None:
    copies = [event(id_, url="u", custom={"n": 1}) for id_ in ("Z", "Y", "X")]
    done = []
    for size in split:
        done.append(store.load(*copies[:size]))
        copies = copies[size:]
    assert store.activity() == [("X", "open", "Z"), ("Y", "open", "Z"), ("Z", "open", None)]
    assert sum(drained.duplicates for drained in done) == 2


def test_a_copy_of_a_copy_points_at_the_first_in_a_replay_too(store: Store) -> None:
    store.load(event("Z"), event("Y"))
    store.load(event("X"), event("Y"), event("Z"))
    assert store.activity() == [("X", "open", "Z"), ("Y", "open", "Z"), ("Z", "open", None)]


def test_an_event_that_comes_with_its_id_and_without_is_marked(store: Store) -> None:
    store.load(event("Z"))
    store.load(event(None))
    (_, first), (derived, copy) = store.activity("sg_event_id, duplicate_of")
    assert derived.startswith("derived-")
    assert (first, copy) == (None, "Z")


CHANGES: list[Row] = [
    {"email": "b@example.com"},
    {"timestamp": T0 + 1},
    {"event": "click"},
    {"useragent": "other"},
    {"custom": "1"},
    {"category": ["a"]},
    {"send_at": T0},
    {"email": None},
]


def test_events_that_differ_in_anything_are_no_copies(store: Store) -> None:
    store.load(event("A"), *(event(f"B{n}") | change for n, change in enumerate(CHANGES)))
    store.load(*(event(f"C{n}", more=1) | change for n, change in enumerate(CHANGES)))
    assert {copy for _, _, copy in store.activity()} == {None}
    assert len(store.activity()) == 1 + 2 * len(CHANGES)


def test_no_value_counts_as_an_empty_text(store: Store) -> None:
    store.load(event("A", ip=""), event("B"), event("C", useragent=""))
    assert [copy for _, _, copy in store.activity()] == [None, None, None]


@pytest.mark.parametrize("chunk_bytes", [1, 1 << 20], ids=["a chunk each", "one chunk"])
def test_another_content_under_the_same_id_is_rejected_and_visible(store: Store, chunk_bytes: int) -> None:
    other, third = event("A", ip="192.0.2.1"), event("A", ip="192.0.2.2")
    store.land(A)
    store.land(other, third, other)
    done = store.drain(chunk_bytes=chunk_bytes)
    assert store.activity("sg_event_id, ip") == [("A", None)]
    assert [(reason, json.loads(raw)) for reason, raw in store.rejects()] == [
        ("id_conflict", other),
        ("id_conflict", third),
    ]
    assert (done.rejected, [file[2] for file in store.ledger()]) == (2, [0, 3])


@pytest.mark.parametrize("change", [{"email": "b@example.com"}, {"timestamp": T0 + 1}], ids=str)
def test_another_address_or_instant_under_a_loaded_id_is_a_conflict(store: Store, change: Row) -> None:
    # The other event reaches back to the instant of the first: as far as rows are looked at.
    store.load(A)
    done = store.load(A | change, event("B", email="b@example.com"))
    assert store.activity("sg_event_id, email") == [("A", "casey@example.com"), ("B", "b@example.com")]
    assert (done.rejected, [reason for reason, _ in store.rejects()]) == (1, ["id_conflict"])


@pytest.mark.parametrize("hours", [1, 24 * 90])
def test_a_conflict_once_told_stays_one_however_it_comes_again(store: Store, hours: int) -> None:
    first, other = event("A"), event("A", timestamp=T0 + hours * 3600)
    store.land(first)
    store.land(other)
    store.drain()
    rows, rejects = store.activity("sg_event_id, timestamp"), store.rejects()
    assert (len(rows), len(rejects)) == (1, 1)
    # Alone it reaches no further back than its own instant.
    store.load(other)
    assert store.load(event("B", timestamp=T0 + hours * 3600), other).rejected == 0
    assert (store.activity("sg_event_id, timestamp")[:1], store.rejects()) == (rows, rejects)
    assert len(store.activity()) == 2


def test_a_conflict_takes_no_place_in_a_table_that_was_emptied(store: Store) -> None:
    first, other = event("A"), event("A", timestamp=T0 + 3600)
    store.land(first)
    store.land(other)
    store.drain()
    rejects = store.rejects()
    store.query("DELETE FROM sendgrid.open")
    store.load(event("C", timestamp=T0 + 3600), other, first)
    assert [id_ for id_, _, _ in store.activity()] == ["A", "C"]
    assert store.query("SELECT timestamp FROM sendgrid.open WHERE sg_event_id = 'A'") == [
        (dt.datetime.fromtimestamp(T0, dt.UTC).replace(tzinfo=None),)
    ]
    assert store.rejects() == rejects


def test_a_conflict_leaves_its_content_free_for_another_id(store: Store) -> None:
    store.load(A)
    store.load(event("A", ip="192.0.2.1"), event("D", ip="192.0.2.1"))
    assert store.activity() == [("A", "open", None), ("D", "open", None)]


def test_a_replay_adds_neither_rows_nor_rejects_in_any_order(store: Store) -> None:
    far_off = event("A", timestamp=T0 + 90 * DAY)
    lines = (
        A,
        far_off,
        event("A", ip="::1"),
        event("Z", ip="::2"),
        "torn",
        "torn",
        {"event": "open"},
        event(None),
    )
    assert store.load(*lines).rejected == 4
    before = (store.rows("sendgrid.activity"), store.rejects("*"))
    for replay in (lines, lines[::-1], (*lines, *lines), (far_off, A)):
        done = store.load(*replay)
        assert (done.rows, done.rejected) == ({}, 0)
    assert (store.rows("sendgrid.activity"), store.rejects("*")) == before


def test_the_same_text_rejected_for_another_source_is_kept_twice(store: Store) -> None:
    store.load("torn")
    store.change(schemas=(*SCHEMAS, SourceSchema("other", "other")))
    store.landing = Landing(store.folder / "landing", "other")
    store.landing.prepare()
    assert store.load("torn").rejected == 1
    assert store.rejects("source, raw") == [("other", "torn"), ("sendgrid", "torn")]


def test_far_off_timestamps_in_one_chunk_are_still_known(store: Store) -> None:
    times = [1_262_304_000, T0, T0 + 40 * DAY, 253_402_300_799]
    store.load(*(event(f"e{time}", timestamp=time) for time in times))
    before = store.rows("sendgrid.open")
    again = [event(f"e{time}", timestamp=time) for time in times]
    copies = [event(f"copy{time}", timestamp=time) for time in times]
    done = store.load(*again, *copies, B)
    assert (done.repeated, done.duplicates, done.rows) == (4, 4, {"open": 5})
    rows = store.rows("sendgrid.open")
    assert [row for row in rows if row in before] == before
    assert {row["sg_event_id"]: row["duplicate_of"] for row in rows if row["duplicate_of"]} == {
        f"copy{time}": f"e{time}" for time in times
    }


def test_many_days_apart_are_still_known(store: Store) -> None:
    events = [event(f"e{day}", timestamp=T0 + day * 3 * DAY) for day in range(100)]
    store.load(*events)
    assert store.load(*events).repeated == 100
    assert len(store.activity()) == 100


def test_a_null_address_is_compared_as_one(store: Store) -> None:
    nobody = {"email": None, "event": "dropped", "timestamp": T0}
    store.load(nobody | {"sg_event_id": "A"})
    store.load(nobody | {"sg_event_id": "B"})
    assert store.activity() == [("A", "dropped", None), ("B", "dropped", "A")]
