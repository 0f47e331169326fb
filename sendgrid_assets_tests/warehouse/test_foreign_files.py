"""What other programs put into the landing directory, by the protocol or not: it loads, or costs only itself."""

from __future__ import annotations

import gzip
import json
import os
import resource
import threading

import pytest

from sendgrid_assets.warehouse import drain
from sendgrid_assets.webhook.event_line import BOM

from .conftest import Store, event, ndjson

A, B = event("A"), event("B", ip="::1")


def ids(store: Store) -> list[str]:
    return [id_ for (id_,) in store.activity("sg_event_id")]


def test_a_file_that_is_still_written_in_its_place_is_in_the_end_loaded_whole_and_once(store: Store) -> None:
    path = store.landing.new / "slow.ndjson"
    lines = [ndjson([event(f"e{number:02}", ip=str(number))]) for number in range(20)]
    half_written, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with path.open("wb", buffering=0) as file:
            for number, line in enumerate(lines):
                file.write(line[:30])
                if number % 5 == 3:
                    half_written.set()
                    assert go_on.wait(30)
                    go_on.clear()
                file.write(line[30:])

    writing = threading.Thread(target=write)
    writing.start()
    while writing.is_alive():
        if half_written.wait(0.05):
            half_written.clear()
            store.drain()
            go_on.set()
    writing.join()
    for _ in range(3):
        store.drain()
    assert ids(store) == [f"e{number:02}" for number in range(20)]
    # Only the torn lines, as they stood when they were read.
    assert {raw for _, raw in store.rejects()} <= {line[:30].decode() for line in lines}
    assert store.waiting() == []


def test_links_pipes_folders_and_odd_names_are_passed_over_and_stop_nothing(store: Store) -> None:
    new = store.landing.new
    outside = store.folder / "outside.ndjson"
    outside.write_bytes(ndjson([event("outside")]))
    (new / "0.ndjson").symlink_to(outside)
    (new / "1.ndjson").symlink_to("nowhere")
    os.mkfifo(new / "2.ndjson")
    (new / "3.json").mkdir()
    (new / "line\nbreak.ndjson").write_bytes(ndjson([event("odd")]))
    store.land(A, name="spaces and 'quotes' \"; DROP TABLE x; --.ndjson")
    store.land(B, name="ünïcödé-📨.ndjson")
    assert store.drain().files == 2
    assert (ids(store), store.landing.passed_over()) == (["A", "B"], 5)
    assert outside.exists()


@pytest.mark.parametrize(
    ("content", "loaded", "rejected"),
    [
        (b"", [], 0),
        (b"\n\n \r\n\t\n", [], 0),
        (BOM + ndjson([A]) + BOM, ["A"], 0),
        (ndjson([A, B]).replace(b"\n", b"\r\n"), ["A", "B"], 0),
        (ndjson([A, B])[:-1], ["A", "B"], 0),
        (ndjson([A, B])[:-20], ["A"], 1),
        (ndjson([A, "poison", B]), ["A", "B"], 1),
        (
            ndjson([A, event("five", x="x" * (5 << 20)), event("twenty", x="y" * (20 << 20)), B]),
            ["A", "B", "five"],
            1,
        ),
    ],
    ids=["empty", "blank", "BOM", "CRLF", "no last newline", "torn", "a bad line", "5 and 20 MB lines"],
)
def test_what_is_no_clean_file_loads_as_far_as_it_is_one(
    store: Store, content: bytes, loaded: list[str], rejected: int
) -> None:
    for _ in range(2):
        store.landing.publish("file.ndjson", content)
        store.drain()
        assert (ids(store), len(store.rejects())) == (loaded, rejected)
    assert [(events, bad) for _, events, bad in store.ledger()] == [(len(loaded), rejected)]


@pytest.mark.parametrize(
    "content", [gzip.compress(ndjson([A, B] * 50))[:-12], b"\x1f\x8bgarbage", b"\x1f\x8b"]
)
def test_damaged_gzip_loads_no_row_and_nothing_else_waits_for_it(store: Store, content: bytes) -> None:
    store.landing.publish("a.ndjson.gz", content)
    store.land(B, name="b.ndjson")
    store.drain()
    assert (ids(store), store.rejects("file, line, reason")) == (
        ["B"],
        [("a.ndjson.gz", None, "is damaged gzip")],
    )
    assert (store.landing.rejected / "a.ndjson.gz").read_bytes() == content


def test_a_name_that_comes_every_day_is_loaded_every_day(store: Store) -> None:
    for number in range(3):
        store.landing.publish("events.json", json.dumps([event(f"e{number}", ip=str(number))]).encode())
        store.drain()
    assert ids(store) == ["e0", "e1", "e2"]
    assert store.done() == ["events.json", "events.json.1", "events.json.2"]


def test_many_files_are_taken_in_portions_of_bounded_number(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "CHUNK_FILES", 40)
    taken: list[int] = []
    load = drain.load_chunk

    def noted(*asked: object, **options: object) -> object:
        taken.append(len(asked[2]))  # type: ignore[arg-type]
        return load(*asked, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(drain, "load_chunk", noted)
    for number in range(100):
        (store.landing.new / f"{number:03}.ndjson").write_bytes(
            ndjson([event(f"e{number:03}", ip=str(number))])
        )
    assert store.drain().files == 100
    assert taken == [40, 40, 20]
    assert ids(store) == [f"e{number:03}" for number in range(100)]


def test_a_backlog_of_many_files_is_listed_one_by_one(store: Store) -> None:
    first = store.landing.new / "000000.ndjson"
    first.write_bytes(b"{}\n")
    for number in range(1, 50_000):
        os.link(first, store.landing.new / f"{number:06}.ndjson")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    files = store.landing.in_order()
    assert [next(files).name, next(files).name] == ["000000.ndjson", "000001.ndjson"]
    assert sum(1 for _ in files) == 49_998
    # Names alone, some hundred bytes each; kilobytes on Linux.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000
