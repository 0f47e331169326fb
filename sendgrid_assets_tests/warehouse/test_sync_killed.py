"""A sync that is killed leaves its table as it was; two at once, and one beside a drain, do no harm."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sendgrid_assets.warehouse.errors import OlderListingError
from sendgrid_assets.warehouse.stage import remove_leftovers

from .conftest import Row, Store, event

ROOT = Path(__file__).parents[2]
BEFORE = [{"id": str(n), "name": f"list {n}", "recipient_count": n} for n in range(50)]
AFTER = [{**row, "name": "renamed"} for row in BEFORE[10:]] + [
    {"id": "new", "name": "new", "recipient_count": 1}
]

PREPARED = """
import json, os, signal, sys
from pathlib import Path
from sendgrid_assets.warehouse import file, history, merge, stage, sync_log, upsert
from sendgrid_assets_tests.warehouse.conftest import Store
store = Store(Path(sys.argv[1]))
rows = json.loads(sys.argv[2])
"""
KILLED = """
def killing(*arguments, **named):
    result = original(*arguments, **named) if when == "after" else None
    os.kill(os.getpid(), signal.SIGKILL)
    return result
owner, name, when = {point}
owner = dict(merge=merge, history=history, sync_log=sync_log, upsert=upsert)[owner]
original = getattr(owner, name)
setattr(owner, name, killing)
store.sync("lists", *rows)
"""
STAGING = """
def endless():
    while True:
        yield json.dumps(rows[0]).encode()
        print(flush=True)
with stage.staged(endless(), store.folder / "scratch"):
    pass
"""
POINTS = [
    ("merge", "_stage", "before"),
    ("merge", "_stage", "after"),
    ("merge", "_require_keys", "after"),
    ("merge", "_update", "before"),
    ("merge", "_update", "after"),
    ("merge", "_insert", "after"),
    ("history", "write", "after"),
    ("upsert", "merge", "after"),
]


def table(store: Store) -> list[Row]:
    return store.query("SELECT id, name, deleted_at FROM sendgrid.lists ORDER BY id")  # type: ignore[return-value]


def child(store: Store, script: str, rows: list[Row], **what: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PREPARED + script, str(store.folder), json.dumps(rows)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stderr=subprocess.PIPE, **what)  # type: ignore[call-overload]


@pytest.mark.parametrize("point", POINTS, ids=lambda point: " ".join(point[1:]))
def test_killed_anywhere_in_its_transaction_it_changes_nothing(
    store: Store, point: tuple[str, str, str]
) -> None:
    store.sync("lists", *BEFORE)
    before = table(store)
    process = child(store, KILLED.format(point=point), AFTER)
    _, said = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, said
    assert table(store) == before
    assert store.query("SELECT count(*) FROM _sendgrid_assets.changes") == [(0,)]
    # The next one needs no hand.
    done = store.sync("lists", *AFTER)
    assert (done.inserted, done.updated, done.deleted) == (1, 40, 10)
    assert store.query("SELECT count(*) FROM _sendgrid_assets.changes") == [(51,)]


def test_killed_while_staging_it_leaves_a_file_that_is_removed_in_time(store: Store) -> None:
    scratch = store.folder / "scratch"
    process = child(store, STAGING, BEFORE, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    process.kill()
    process.communicate(timeout=60)
    (left,) = scratch.iterdir()
    assert remove_leftovers(scratch) == 0
    yesterday = dt.datetime.now(dt.UTC).timestamp() - 90_000
    os.utime(left, (yesterday, yesterday))
    assert remove_leftovers(scratch) == 1
    assert list(scratch.iterdir()) == []


def test_two_syncs_at_once_and_a_drain_beside_them(store: Store) -> None:
    store.sync("lists", *BEFORE)
    store.land(*(event(f"e{n}") for n in range(200)))
    loop = "\nfor _ in range(5): store.sync('lists', *rows)"
    processes = [
        child(store, loop, AFTER),
        child(store, loop, AFTER),
        child(store, "\nstore.drain(chunk_bytes=1)", []),
    ]
    told = [process.communicate(timeout=120)[1] for process in processes]
    # A listing begun before another that is in the table is dropped, in so many words.
    for process, said in zip(processes, told, strict=True):
        assert process.returncode == 0 or "OlderListingError" in said, said
    assert len(store.activity()) == 200
    assert store.query("SELECT count(*), count(DISTINCT id) FROM sendgrid.lists") == [(51, 51)]
    assert store.query("SELECT count(*) FROM sendgrid.lists WHERE deleted_at IS NOT NULL") == [(10,)]


def test_an_older_listing_never_goes_over_a_newer(store: Store) -> None:
    began = dt.datetime(2026, 1, 1)  # noqa: DTZ001
    store.sync("lists", *AFTER, started_at=began + dt.timedelta(minutes=1))
    before = table(store)
    with pytest.raises(OlderListingError):
        store.sync("lists", *BEFORE, started_at=began)
    assert table(store) == before
