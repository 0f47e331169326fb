"""A drain that is killed leaves whole chunks or none, and the next one ends its work; two at once do no harm."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from . import killing
from .conftest import Store, event
from .killing import EVENTS, FILES, POINTS

ROOT = Path(__file__).parents[2]
ROUND = FILES * EVENTS + 1


def run(store: Store, plan: list[Any]) -> list[bool]:
    """Which rounds were killed; asserts after each that no file is loaded in part."""
    command = [sys.executable, "-m", killing.__name__, str(store.folder), json.dumps(plan)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    for state in told[1::2]:
        loaded = [file for (file,) in state["ledger"]]
        # The last event of a file is the first of the next, and belongs to the one that was loaded first.
        whole = {file: EVENTS + (file.endswith("-0.ndjson")) for file in loaded}
        assert dict(state["rows"]) == whole
        assert len(set(loaded)) == len(loaded)
        assert state["waiting"] or len(loaded) % FILES == 0
    return told[::2]


def check_all_there_once(store: Store, rounds: int) -> None:
    ids = [id_ for id_, _, _ in store.activity()]
    assert sorted(ids) == sorted(f"{round_}-{n}" for round_ in range(rounds) for n in range(ROUND))
    assert store.waiting() == []
    assert len(store.done()) == len(store.ledger()) == rounds * FILES
    assert store.rejects() == [("not_json", "torn")]
    assert list(store.landing.tmp.iterdir()) == []


def test_a_drain_killed_at_any_point_loads_each_event_once_in_the_end(store: Store) -> None:
    assert run(store, list(range(len(POINTS)))) == [True] * len(POINTS)
    check_all_there_once(store, len(POINTS))


def test_a_drain_killed_at_random_moments_loads_each_event_once_in_the_end(store: Store) -> None:
    seed = random.randrange(1 << 32)
    shares = [random.Random(f"{seed}-{n}").random() for n in range(10)]
    killed = run(store, [None, *shares])
    assert sum(killed) >= 3, f"seed {seed}: too few were killed in their work"
    check_all_there_once(store, 1 + len(shares))


@pytest.mark.parametrize("chunk_bytes", [1, 1 << 20])
def test_two_drains_at_once_neither_double_nor_lose(store: Store, chunk_bytes: int) -> None:
    for number in range(4):
        store.land(*(event(f"{number}-{n}", ip=str(number)) for n in range(20)), event("shared"), "torn")
    script = (
        "import sys; from pathlib import Path; from sendgrid_assets_tests.warehouse.conftest import Store\n"
        "store = Store(Path(sys.argv[1])); print(flush=True); sys.stdin.read(1)\n"
        f"store.drain(chunk_bytes={chunk_bytes})"
    )
    command = [sys.executable, "-c", script, str(store.folder)]
    both = [
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout
        process.stdout.readline()
    for process in both:
        assert process.stdin
        process.stdin.write(b"\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[1].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    ids = [id_ for id_, _, _ in store.activity()]
    assert len(ids) == len(set(ids)) == 4 * 20 + 1
    assert store.ledger() == [(f"{number:04}.ndjson", 21, 1) for number in range(4)]
    assert (store.waiting(), len(store.done())) == ([], 4)
    assert store.rejects() == [("not_json", "torn")]
