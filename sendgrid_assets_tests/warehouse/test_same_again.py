"""The same POST again, at once or months later, under its id or a new one, in whatever form of time."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendgrid_assets.warehouse.publish import publish

from .conftest import T0, Row, Store, at, event

DAY = 86_400
POST = (
    event("A", ip="192.0.2.1"),
    event("B", "click", url="https://shop.example/1", timestamp=T0 + 5),
    event("C", "bounce", email=None, reason="full", timestamp=T0 + 9),
    event("D", "read_confirmed", timestamp=T0 + 9),
)


def under_new_ids(post: tuple[Row, ...], mark: str) -> list[Row]:
    return [one | {"sg_event_id": f"{one['sg_event_id']}-{mark}"} for one in post]


def months(store: Store, number: int) -> None:
    """So many months of other events, in the file and not in the log."""
    kinds = ("open", "click", "bounce")
    for month in range(1, number + 1):
        begin = T0 + month * 30 * DAY
        instants = range(begin, begin + 30 * DAY, DAY // 5)
        store.land(*(event(f"m{n}", kinds[n % 3], timestamp=n) for n in instants))
    store.drain()
    publish(store.warehouse, None)


def test_a_post_that_comes_again_in_its_file_in_the_next_and_months_later(store: Store) -> None:
    first = store.load(*POST, *POST)
    before = store.rows("sendgrid.activity")
    second = store.load(*POST)
    assert (sum(first.rows.values()), first.repeated) == (4, 4)
    assert (second.rows, second.repeated) == ({}, 4)
    months(store, 6)
    # Nothing but the tables remembers it by then.
    for path in store.landing.done.rglob("*.ndjson"):
        path.unlink()
    later = store.load(*POST, event("new", timestamp=T0 + 200 * DAY + 1))
    assert (later.rows, later.repeated, later.duplicates) == ({"open": 1}, 4, 0)
    again = store.load(*POST)
    assert (again.rows, again.repeated, again.rejected) == ({}, 4, 0)
    assert [row for row in store.rows("sendgrid.activity") if row in before] == before
    ids = [id_ for id_, _, _ in store.activity()]
    assert len(ids) == len(set(ids)) == 4 + 6 * 150 + 1


def test_a_retry_under_new_ids_is_marked_however_late_it_comes(store: Store) -> None:
    store.load(*POST, *under_new_ids(POST, "in the file"))
    store.load(*under_new_ids(POST, "in the next"))
    months(store, 3)
    store.load(*under_new_ids(POST, "months later"), event("new", timestamp=T0 + 100 * DAY + 1))
    marked = store.query(
        "SELECT sg_event_id, duplicate_of FROM sendgrid.activity"
        " WHERE sg_event_id NOT LIKE 'm%' AND sg_event_id != 'new'"
    )
    assert len(marked) == 4 * len(POST)
    assert {copy for id_, copy in marked if "-" not in id_} == {None}
    assert all(copy == id_.split("-")[0] for id_, copy in marked if "-" in id_)
    publish(store.warehouse, store.published)
    # Insights count each content once: four of the POST, and those of the months.
    counted = store.query("SELECT sum(opens) FROM sendgrid.email_daily WHERE day = DATE '2024-06-21'")
    assert counted == [(1,)]


# One instant, as it was seen or might be written: numbers and texts, in seconds and milliseconds.
FORMS: list[Any] = [T0, str(T0), f" {T0}", float(T0), f"{T0}.0", T0 * 1000, str(T0 * 1000), f"{T0}000.0"]


@settings(max_examples=4, deadline=None)
@given(
    forms=st.permutations(range(len(FORMS))),
    chunk_bytes=st.sampled_from([1, 1 << 20]),
    split=st.integers(0, 7),
)
def test_one_event_in_any_form_of_its_instant_is_one_row(
    tmp_path_factory: pytest.TempPathFactory, template: Any, forms: list[int], chunk_bytes: int, split: int
) -> None:
    store = Store(tmp_path_factory.mktemp("forms"), template)
    sent = [event("A", timestamp=FORMS[form]) for form in forms]
    store.land(*sent[:split])
    store.land(*sent[split:], *sent)
    store.drain(chunk_bytes=chunk_bytes)
    assert store.activity("sg_event_id, timestamp, duplicate_of") == [("A", at(2024, 6, 21, 20), None)]
    assert store.rejects() == []


ODD: list[Any] = [
    None,
    0,
    "0",
    -1,
    1,
    "",
    "soon",
    "2024-06-21T20:00:00Z",
    253_402_300_799,
    253_402_300_799_000,
    253_402_300_800_000,
    "9999-12-31 23:59:59",
    10**18,
    10**30,
    1e300,
    True,
    [T0],
    {"at": T0},
]


def test_whatever_stands_for_an_instant_is_a_row_or_a_reject_and_stays_so(store: Store) -> None:
    absent = {key: value for key, value in event("absent").items() if key != "timestamp"}
    sent = [absent, *(event(f"e{number}", timestamp=odd) for number, odd in enumerate(ODD))]
    store.load(event("sound"), *sent)
    rows, rejects = store.rows("sendgrid.activity"), store.rejects()
    found = [row["sg_event_id"] for row in rows] + [json.loads(raw)["sg_event_id"] for _, raw in rejects]
    assert sorted(found) == sorted(["sound", *(one["sg_event_id"] for one in sent)])
    assert all(isinstance(row["timestamp"], dt.datetime) for row in rows)
    assert {reason for reason, _ in rejects} <= {"no_timestamp", "bad_timestamp"}
    # The same in other company: the range of instants looked at is another.
    store.land(*reversed(sent))
    for first in range(4):
        store.land(*sent[first::4])
    store.drain(chunk_bytes=1)
    assert (store.rows("sendgrid.activity"), store.rejects()) == (rows, rejects)
