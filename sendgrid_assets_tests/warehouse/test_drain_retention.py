"""A drain packs and removes loaded files by their day, and keeps those that are not published yet."""

from __future__ import annotations

import datetime as dt
import json

from sendgrid_assets.warehouse.publish import publish

from .conftest import Store, event, now

A, B, C = event("A"), event("B"), event("C", "click")


def moved_to(store: Store, day: str) -> None:
    """Makes today's loaded files those of another day."""
    (today,) = (path for path in store.landing.done.iterdir() if path.name > "2026-02")
    today.rename(today.with_name(day))


def test_loaded_files_of_past_days_are_packed_and_in_the_end_removed(store: Store) -> None:
    store.load(A, name="a.ndjson")
    moved_to(store, "2020-01-01")
    store.load(B, name="b.ndjson")
    assert store.done() == ["b.ndjson", "packed-1.zip"]
    moved_to(store, "2020-03-01")
    # After two months without files the days are believed once there are seven.
    for day in range(2, 7):
        store.load(event(f"D{day}"), name=f"{day}.ndjson")
        moved_to(store, f"2020-03-{day:02}")
    assert min(path.name for path in store.landing.done.iterdir()) == "2020-01-01"
    store.load(C, name="c.ndjson")
    store.drain()
    assert min(path.name for path in store.landing.done.iterdir()) == "2020-01-01"
    publish(store.warehouse, store.published)
    store.drain()
    assert min(path.name for path in store.landing.done.iterdir()) == "2020-03-01"
    assert {id_ for id_, _, _ in store.activity()} >= {"A", "B", "C"}


def test_loaded_files_that_are_not_published_yet_are_kept(store: Store) -> None:
    store.load(A, name="a.ndjson")
    publish(store.warehouse, store.published)
    store.load(B, name="b.ndjson")
    moved_to(store, str(now().date() + dt.timedelta(days=-1)))
    store.load(C, name="c.ndjson")
    store.drain(retention_bytes=1)
    assert store.done() == ["c.ndjson"]
    # The same where the last publish was before these days.
    store.load(event("D"), name="d.ndjson")
    moved_to(store, str(now().date() + dt.timedelta(days=-1)))
    note = store.warehouse.path.with_name("warehouse.duckdb.published")
    told = json.loads(note.read_text())
    note.write_text(json.dumps(told | {"at": told["at"] - 2 * 86_400}))
    store.drain(retention_bytes=1)
    assert store.done() == ["packed-1.zip"]


def test_nothing_is_removed_before_the_first_publish(store: Store) -> None:
    store.load(A, name="a.ndjson")
    moved_to(store, "2026-01-01")
    store.drain(retention_bytes=1)
    assert store.done() == ["packed-1.zip"]
    publish(store.warehouse, store.published)
    store.drain(retention_bytes=1)
    assert store.done() == []


def test_where_nothing_is_published_nothing_waits_for_it(store: Store) -> None:
    publish(store.warehouse, store.published)
    store.load(A, name="a.ndjson")
    note = store.warehouse.path.with_name("warehouse.duckdb.published")
    note.write_text(json.dumps(json.loads(note.read_text()) | {"at": 0}))
    moved_to(store, "2026-01-01")
    store.drain(retention_bytes=1)
    assert store.done() == ["packed-1.zip"]
    store.drain(retention_bytes=1, is_published=False)
    assert store.done() == []


def test_what_a_loaded_day_takes_on_disk_can_be_limited(store: Store) -> None:
    publish(store.warehouse, store.published)
    store.load(A, name="a.ndjson")
    moved_to(store, "2026-01-01")
    store.drain(retention_days=10**6, retention_bytes=1000)
    assert store.done() == ["packed-1.zip"]
    store.drain(retention_days=10**6, retention_bytes=1)
    assert store.done() == []
