"""In whatever order, files and chunks events come: each is in exactly one place, and each content counts once."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import T0, Row, Store, event

FAR = 1_262_304_000
POOL = (
    event("A"),
    event("A", ip="::1"),
    event("A", ip="::2"),
    event("A", "click"),
    event("B"),
    event("C"),
    event("D", ip="::1"),
    event("E", timestamp=FAR),
    event("F", timestamp=FAR),
    event(None),
    event(None, ip="::2"),
    event(None, ip="::3"),
)
FILES = st.lists(st.lists(st.sampled_from(POOL), max_size=8), min_size=1, max_size=3)

Key = tuple[str, str, int, str | None]


def key(sent: Row) -> Key:
    id_ = sent.get("sg_event_id") or "derived"
    return (id_, sent["event"], sent["timestamp"], sent.get("ip"))


def check(store: Store, files: list[list[Row]]) -> tuple[list[Key], list[Key]]:
    """Proves that every event is in one place; returns those in the tables and those rejected."""
    found = store.activity("sg_event_id, event, epoch(timestamp)::BIGINT, ip, duplicate_of")
    rejects = store.rejects()
    assert {reason for reason, _ in rejects} <= {"id_conflict"}
    rows = [("derived" if row[0].startswith("derived-") else row[0], *row[1:4]) for row in found]
    refused = [key(json.loads(raw)) for _, raw in rejects]
    assert Counter([*rows, *refused]) == dict.fromkeys((key(sent) for file in files for sent in file), 1)
    assert len({row[:2] for row in found}) == len(found)
    contents: dict[tuple[object, ...], list[tuple[str, str | None]]] = {}
    for id_, *content, copy in found:
        contents.setdefault(tuple(content), []).append((id_, copy))
    for alike in contents.values():
        (first,) = (id_ for id_, copy in alike if copy is None)
        assert {copy for _, copy in alike} <= {None, first}
    return sorted(rows, key=str), sorted(refused, key=str)


@settings(max_examples=6, deadline=None)
@given(files=FILES, again=st.randoms(use_true_random=False), chunk_bytes=st.sampled_from([1, 1 << 20]))
def test_every_event_is_in_one_place_and_every_content_counts_once(
    tmp_path_factory, template: Path, files: list[list[Row]], again, chunk_bytes: int
) -> None:
    store = Store(tmp_path_factory.mktemp("order"), template)
    for file in files:
        store.land(*file)
    store.drain(chunk_bytes=chunk_bytes)
    before = check(store, files)
    everything = [sent for file in files for sent in file] * 2
    again.shuffle(everything)
    store.load(*everything)
    assert check(store, files) == before


def test_a_thousand_copies_and_many_days_are_placed_alike(store: Store) -> None:
    sent = [event(f"e{n % 400}", timestamp=T0 + (n % 400) // 2 * 86_400) for n in range(1000)]
    for start in range(0, 1000, 250):
        store.land(*sent[start : start + 250])
    store.drain(chunk_bytes=1)
    check(store, [sent])
    assert sum(copy is not None for _, _, copy in store.activity()) == 200
