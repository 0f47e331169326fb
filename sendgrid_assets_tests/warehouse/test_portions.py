"""What is larger than a portion, in one file or unpacked, is loaded in several transactions, and still once."""

from __future__ import annotations

import gzip
from typing import Any

import duckdb
import pytest

from sendgrid_assets.warehouse import chunk
from sendgrid_assets.warehouse.append import Appended
from sendgrid_assets.warehouse.chunk import LoadedChunk, load_chunk
from sendgrid_assets.warehouse.event_stage import MOST, Most, stage
from sendgrid_assets.webhook.event_line import MAX_LINE

from .conftest import T0, Row, Store, event, ndjson

LINES: list[Any] = [
    event("a", "open"),
    event("b", "click", url="https://shop.example/"),
    "torn {",
    event("a", "open"),
    event("a", "open", ip="192.0.2.1"),
    event("c", "open", timestamp=T0 + 1),
    event(None, "bounce", reason="550"),
    event("d", "open", timestamp=T0 + 1),
    event("e", "delivered"),
]
HELD = """
    SELECT 'row' AS what, sg_event_id, event, timestamp, duplicate_of, source_file FROM sendgrid.activity UNION ALL
    SELECT 'reject', raw, reason, NULL, line::VARCHAR, file FROM _sendgrid_assets.rejected_events UNION ALL
    SELECT 'file', sha256, events::VARCHAR, NULL, rejected::VARCHAR, file FROM _sendgrid_assets.loaded_files
    ORDER BY ALL"""


def landed(store: Store) -> None:
    store.land(event("z"), name="1.ndjson")
    store.land(*LINES, name="2.ndjson")
    store.landing.publish("3.ndjson.gz", gzip.compress(ndjson(LINES[::-1] + [event("y", "click")] * 3)))
    store.land(name="4.ndjson")


WHOLE = Most(1 << 30)


def loaded(store: Store, most: Most, *, again: bool = False) -> LoadedChunk:
    scratch = store.folder / "scratch"
    scratch.mkdir(exist_ok=True)
    return load_chunk(store.warehouse, "sendgrid", store.landing.waiting(), scratch, again=again, most=most)


def held(store: Store) -> list[Row]:
    with duckdb.connect(store.warehouse.path, read_only=True) as connection:
        return connection.execute(HELD).fetchall()


@pytest.mark.parametrize(
    "most", [Most(1), Most(150), Most(400), Most(900), Most(events=1), Most(events=4)], ids=str
)
def test_portions_of_any_size_bring_the_same(store: Store, tmp_path_factory: Any, most: Most) -> None:
    whole = Store(tmp_path_factory.mktemp("whole"), store.warehouse.path)
    landed(store)
    landed(whole)
    at_once, in_portions = loaded(whole, WHOLE), loaded(store, most)
    assert held(store) == held(whole)
    assert [file.name for file in in_portions.settled] == [file.name for file in at_once.settled]
    assert (in_portions.files, in_portions.bytes) == (at_once.files, at_once.bytes)
    assert in_portions.appended is not None
    assert at_once.appended is not None
    assert in_portions.appended.rows == at_once.appended.rows
    before = held(store)
    repeated = loaded(store, most, again=True).appended
    assert repeated is not None
    assert not repeated.rows
    assert loaded(store, most).appended is None
    assert held(store) == before


def test_a_file_cut_short_is_read_anew_and_what_is_there_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed(store)
    real, calls = chunk.append, iter(range(100))

    def failing(*args: Any, **kwargs: Any) -> Appended | None:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(chunk, "append", failing)
        with pytest.raises(KeyboardInterrupt):
            loaded(store, Most(1))
    assert {row[1] for row in held(store) if row[0] == "row"} >= {"a", "b"}
    assert [row[5] for row in held(store) if row[0] == "file"] == ["1.ndjson"]
    store.drain()
    rows = [row[1:3] for row in held(store) if row[0] == "row"]
    assert len(rows) == len(set(rows)) == 8
    assert sorted(row[5] for row in held(store) if row[0] == "file") == [
        "1.ndjson",
        "2.ndjson",
        "3.ndjson.gz",
        "4.ndjson",
    ]


@pytest.mark.parametrize(("most", "sizes"), [(Most(events=4), [9, 6, 5]), (MOST, [20])])
def test_a_portion_is_bounded_by_its_events_too(store: Store, most: Most, sizes: list[int]) -> None:
    landed(store)
    folder = store.folder / "scratch"
    folder.mkdir()
    assert [portion.rows for portion in stage(store.landing.waiting(), folder, most)] == sizes


def test_the_longest_events_load_within_the_memory_there_is(store: Store) -> None:
    long = [event(f"L{number}", text="x" * (MAX_LINE - 300)) for number in range(4)]
    for name, rows in (("a", [event("A")]), ("b", long), ("c", [event("C")])):
        store.land(*rows, name=f"{name}.ndjson")
    assert store.drain().rows == {"open": 6}
    assert store.query("SELECT DISTINCT length(custom_args->>'text') FROM sendgrid.open ORDER BY ALL") == [
        (MAX_LINE - 300,),
        (None,),
    ]


def test_long_events_make_portions_small_and_a_long_one_among_short_ones_does_not(store: Store) -> None:
    most = Most(long_bytes=2_000_000)
    for texts, portions in ((["x" * 20_000] * 300, range(3, 7)), (["x" * 100_000, *["x"] * 3_000], [1])):
        store.land(*(event(str(n), text=text) for n, text in enumerate(texts)), name="a.ndjson")
        folder = store.folder / "staged"
        folder.mkdir(exist_ok=True)
        assert sum(1 for _ in stage(store.landing.waiting(), folder, most)) in portions
        assert store.drain().files == 1
