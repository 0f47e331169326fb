"""Files are loaded whole, entered in the ledger and moved; what is set aside or put back loses nothing."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import duckdb
import pytest

from sendgrid_assets.warehouse.file import Warehouse
from sendgrid_assets.webhook.event_line import MAX_LINE
from sendgrid_assets.webhook.landing import LandingError

from .conftest import Store, event, ndjson, now

A, B, C = event("A"), event("B"), event("C", "click")


def test_a_loaded_file_is_in_the_ledger_and_in_done(store: Store) -> None:
    before = now()
    data = ndjson([A, A, C, "torn", {"event": "open"}])
    done = store.load(A, A, C, "torn", {"event": "open"}, name="a.ndjson")
    ((source, file, size, sha256, events, rejected, loaded_at),) = store.ledger("*")
    assert (source, file, size, events, rejected) == ("sendgrid", "a.ndjson", len(data), 3, 2)
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert before <= loaded_at <= now()
    assert (store.waiting(), store.done()) == ([], ["a.ndjson"])
    assert (done.files, done.bytes, done.rows) == (1, len(data), {"open": 1, "click": 1})
    assert (done.repeated, done.rejected, done.duplicates, done.unreadable, done.returned) == (1, 2, 0, 0, 0)
    assert list((store.folder / "scratch").iterdir()) == []


def test_every_accepted_kind_of_file_is_loaded(store: Store) -> None:
    pairs = [[event(f"A{n}", ip=str(n)), event(f"C{n}", "click", ip=str(n))] for n in range(9)]
    files = {
        "0.ndjson": ndjson(pairs[0]),
        "1.jsonl": ndjson(pairs[1])[:-1],
        "2.ndjson": b"\n" + ndjson(pairs[2]).replace(b"\n", b"\r\n\r\n"),
        "3.json": json.dumps(pairs[3], indent=1).encode(),
        "4.json": ndjson(pairs[4]),
        "5.ndjson.gz": gzip.compress(ndjson(pairs[5])),
        "6.json.gz": gzip.compress(json.dumps(pairs[6]).encode()),
        "7.ndjson.gz": ndjson(pairs[7]),
        "8.jsonl.gz": gzip.compress(ndjson(pairs[8][:1])) + gzip.compress(ndjson(pairs[8][1:])),
    }
    for name, data in files.items():
        store.landing.publish(name, data)
    assert store.drain().rows == {"open": 9, "click": 9}
    assert store.ledger() == [(name, 2, 0) for name in files]
    assert store.done() == list(files)


def test_a_file_of_nothing_is_entered_with_no_event(store: Store) -> None:
    for name, data in {"a.ndjson": b"", "b.json": b"[]", "c.jsonl": b"\n \n"}.items():
        store.landing.publish(name, data)
    assert store.drain().files == 3
    assert store.ledger() == [("a.ndjson", 0, 0), ("b.json", 0, 0), ("c.jsonl", 0, 0)]
    assert store.done() == ["a.ndjson", "b.json", "c.jsonl"]


def test_nothing_waiting_is_nothing_done(store: Store) -> None:
    done = store.drain()
    assert (done.files, done.rows, store.ledger()) == (0, {}, [])


def test_a_file_of_the_same_name_and_other_content_is_loaded_too(store: Store) -> None:
    store.load(A, name="events.ndjson")
    store.load(B, name="events.ndjson")
    assert [id_ for id_, _, _ in store.activity()] == ["A", "B"]
    assert store.done() == ["events.ndjson", "events.ndjson.1"]
    assert len(store.ledger()) == 2


def test_the_same_file_again_is_not_read_into_the_tables_again(store: Store) -> None:
    store.load(A, name="events.ndjson")
    before = (store.rows("sendgrid.activity"), store.ledger("*"))
    done = store.load(A, name="events.ndjson")
    assert (done.files, done.rows, store.waiting()) == (0, {}, [])
    assert (store.rows("sendgrid.activity"), store.ledger("*")) == before


def test_files_are_taken_in_name_order(store: Store) -> None:
    copies = {"b.ndjson": event("second"), "c.ndjson": event("third"), "a.ndjson": event("first")}
    for name, copy in copies.items():
        store.land(copy, name=name)
    store.drain(chunk_bytes=1)
    assert store.activity("sg_event_id, duplicate_of, source_file") == [
        ("first", None, "a.ndjson"),
        ("second", "first", "b.ndjson"),
        ("third", "first", "c.ndjson"),
    ]


DAMAGED = {
    "cut.ndjson.gz": gzip.compress(ndjson([A, B]))[:-9],
    "wrong.ndjson.gz": gzip.compress(ndjson([A]))[:-8] + b"\0" * 8,
}


def test_a_damaged_file_is_set_aside_with_no_row(store: Store) -> None:
    for name, data in DAMAGED.items():
        store.landing.publish(name, data)
    store.land(C, name="good.ndjson")
    done = store.drain()
    assert (done.unreadable, done.files, done.rows) == (2, 1, {"click": 1})
    assert [file for file, _, _ in store.ledger()] == ["good.ndjson"]
    for name, data in DAMAGED.items():
        assert (store.landing.rejected / name).read_bytes() == data
        told = json.loads((store.landing.rejected / f"{name}.reason.json").read_text())
        assert (told["file"], told["size"]) == (name, len(data))


def test_why_a_damaged_file_was_set_aside_can_be_queried_once_for_each_content(store: Store) -> None:
    for name, data in DAMAGED.items():
        store.landing.publish(name, data)
    assert store.drain().rejected == 2
    told = [
        (name, None, "is damaged gzip", f"{len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")
        for name, data in DAMAGED.items()
    ]
    assert store.rejects("file, line, reason, raw") == told
    for name in DAMAGED:
        (store.landing.rejected / name).rename(store.landing.new / name)
    done = store.drain()
    assert (done.rejected, done.unreadable) == (0, 2)
    assert store.rejects("file, line, reason, raw") == told
    store.landing.publish("cut.ndjson.gz", DAMAGED["cut.ndjson.gz"][:-1])
    assert store.drain().rejected == 1


def test_a_mended_file_is_put_back_by_moving_it(store: Store) -> None:
    name = "cut.ndjson.gz"
    store.landing.publish(name, DAMAGED[name])
    store.drain()
    (store.landing.rejected / name).write_bytes(gzip.compress(ndjson([A, B])))
    (store.landing.rejected / name).rename(store.landing.new / name)
    assert store.drain().rows == {"open": 2}
    assert list(store.landing.rejected.iterdir()) == []
    assert store.done() == [name]


def test_huge_lines_of_garbage_cost_those_lines(store: Store) -> None:
    # In JSON, as which rejects are staged, each of these bytes takes six.
    store.load(b"\x01" * MAX_LINE, A, b"\x02" * MAX_LINE)
    assert [id_ for id_, _, _ in store.activity()] == ["A"]
    assert store.rejects("reason, length(raw), right(raw, 1)") == [
        ("not_json", MAX_LINE, "\x01"),
        ("not_json", MAX_LINE, "\x02"),
    ]


def test_a_large_event_is_loaded(store: Store) -> None:
    store.load(event("A", payload="x" * (5 << 20)), B)
    assert store.query("SELECT length(custom_args ->> 'payload') FROM sendgrid.open ORDER BY 1") == [
        (5 << 20,),
        (None,),
    ]


def test_a_file_the_ledger_lost_is_taken_up_again(store: Store) -> None:
    store.load(A, name="a.ndjson")
    store.load(B, "torn", name="b.ndjson")
    before = (store.rows("sendgrid.activity"), store.rejects("*"))
    store.query("DELETE FROM _sendgrid_assets.loaded_files WHERE file = 'b.ndjson'")
    done = store.drain()
    assert (done.returned, done.files, done.rows, done.rejected) == (1, 1, {}, 0)
    assert (store.rows("sendgrid.activity"), store.rejects("*")) == before
    assert (store.done(), len(store.ledger())) == (["a.ndjson", "b.ndjson"], 2)


def test_a_file_that_grew_after_it_was_loaded_is_loaded_again(store: Store) -> None:
    store.load(A, name="a.ndjson")
    (moved,) = store.landing.done.rglob("a.ndjson")
    with moved.open("ab") as file:
        file.write(ndjson([B]))
    assert store.drain().rows == {"open": 1}
    assert [id_ for id_, _, _ in store.activity()] == ["A", "B"]


def test_a_file_loaded_but_not_moved_does_not_hide_what_another_says(store: Store) -> None:
    store.load(A, name="a.ndjson")
    (moved,) = store.landing.done.rglob("a.ndjson")
    moved.rename(store.landing.new / "a.ndjson")
    store.land(event("A", ip="::1"), event("D"), name="b.ndjson")
    done = store.drain()
    assert (done.files, done.repeated, done.rejected, done.duplicates) == (1, 0, 1, 1)
    assert store.activity() == [("A", "open", None), ("D", "open", "A")]
    assert store.rejects("file, reason") == [("b.ndjson", "id_conflict")]


def test_a_file_that_another_drain_has_taken_is_passed_over(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.land(A, name="a.ndjson")
    store.land(B, name="b.ndjson")
    listed = store.landing.waiting()
    (store.landing.new / "a.ndjson").unlink()
    monkeypatch.setattr(store.landing, "in_order", lambda: iter(listed))
    done = store.drain()
    assert (done.files, done.rows, done.unreadable) == (1, {"open": 1}, 0)
    assert [file for file, _, _ in store.ledger()] == ["b.ndjson"]


def test_a_failure_in_a_chunk_leaves_its_files_and_nothing_else(store: Store) -> None:
    store.load(A, name="a.ndjson")
    before = (store.rows("sendgrid.activity"), store.ledger("*"), store.rejects("*"))
    store.land(B, C, "torn", name="b.ndjson")
    # Its insert is one of the last: the rows of every event table stand before it.
    store.query("ALTER TABLE _sendgrid_assets.loaded_files RENAME COLUMN events TO old_events")
    with pytest.raises(duckdb.Error):
        store.drain()
    store.query("ALTER TABLE _sendgrid_assets.loaded_files RENAME COLUMN old_events TO events")
    assert (store.rows("sendgrid.activity"), store.ledger("*"), store.rejects("*")) == before
    assert store.waiting() == ["b.ndjson"]
    assert list((store.folder / "scratch").iterdir()) == []
    assert store.drain().rows == {"open": 1, "click": 1}


def test_an_older_chunk_stays_when_a_later_one_fails(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.land(A, name="a.ndjson")
    store.land(B, name="b.ndjson")
    opened = Warehouse.open
    opens = iter(range(100))

    def open_twice(self: Warehouse) -> object:
        if next(opens) >= 2:
            raise OSError("no more")
        return opened(self)

    with monkeypatch.context() as patch:
        patch.setattr(Warehouse, "open", open_twice)
        with pytest.raises(OSError, match="no more"):
            store.drain(chunk_bytes=1)
    assert [id_ for id_, _, _ in store.activity()] == ["A"]
    assert (store.waiting(), store.done()) == (["b.ndjson"], ["a.ndjson"])


def test_a_file_that_was_never_loaded_is_loaded_however_old_it_is(store: Store) -> None:
    old = store.landing.done / "2020-01-01"
    old.mkdir()
    (old / "a.ndjson").write_bytes(ndjson([A]))
    assert store.drain().returned == 1
    assert [id_ for id_, _, _ in store.activity()] == ["A"]


def test_a_landing_directory_that_cannot_be_used_is_named(store: Store, tmp_path: Path) -> None:
    store.landing.rejected.rmdir()
    store.landing.rejected.write_bytes(b"")
    with pytest.raises(LandingError, match="rejected should be a folder"):
        store.drain()


def test_a_drain_waits_for_its_turn(store: Store) -> None:
    store.land(event("A"))
    store.change(lock_seconds=0.1)
    with store.landing.turn(0), pytest.raises(LandingError, match="Another drain"):
        store.drain()
    assert len(store.waiting()) == 1
    assert store.drain().files == 1
