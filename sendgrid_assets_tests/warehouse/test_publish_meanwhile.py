"""What goes on beside a publish: a notebook that reads or writes the published file, and a drain that commits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sendgrid_assets.warehouse import publish as publishing
from sendgrid_assets.warehouse.copying import copy_aside
from sendgrid_assets.warehouse.publish import is_due, publish

from .conftest import Store, commit, event, read

ROOT = Path(__file__).parents[2]

NOTEBOOK = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reads")
connection.execute("PRAGMA disable_checkpoint_on_shutdown")
print(connection.execute("SELECT list(id ORDER BY id) FROM sendgrid.lists").fetchone()[0], flush=True)
for line in sys.stdin:
    connection.execute("INSERT INTO sendgrid.lists (id) VALUES (?)", [line.strip()])
    print("written", flush=True)
"""

DRAIN = """
import sys
from pathlib import Path
from sendgrid_assets_tests.warehouse.conftest import Store
print(flush=True)
Store(Path(sys.argv[1])).drain()
"""


class Notebook:
    """Somebody's process that has the published file open, for as long as it likes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def told(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def write(self, id_: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{id_}\n")
        self._process.stdin.flush()
        assert self.told() == "written"


@contextmanager
def notebook(store: Store, how: str) -> Iterator[Notebook]:
    """One that `reads`, or `writes` as root may, and anybody who changes the file's mode; it ends by kill -9."""
    if how == "writes" and os.geteuid():
        store.published.chmod(0o644)
    command = [sys.executable, "-c", NOTEBOOK, str(store.published), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Notebook(process)
        finally:
            process.kill()


def log(store: Store) -> Path:
    return store.published.with_name("published.duckdb.wal")


@pytest.fixture
def shown(store: Store) -> Store:
    commit(store, "A")
    publish(store.warehouse, store.published)
    return store


def publish_another(store: Store, id_: str) -> None:
    commit(store, id_)
    assert publish(store.warehouse, store.published) is not None


@pytest.mark.parametrize("how", ["reads", "writes"])
def test_a_notebook_that_holds_it_is_no_hindrance(shown: Store, how: str) -> None:
    with notebook(shown, how) as held:
        assert held.told() == "['A']"
        for id_ in ("B", "C"):
            publish_another(shown, id_)
            assert read(shown.published)[-1] == id_
    assert read(shown.published) == ["A", "B", "C"]
    assert not log(shown).exists()


def test_what_a_notebook_wrote_before_or_after_is_gone_with_the_next_publish(shown: Store) -> None:
    with notebook(shown, "writes") as before:
        assert before.told() == "['A']"
        before.write("mine")
        assert log(shown).stat().st_size > 0
        publish_another(shown, "B")
        assert read(shown.published) == ["A", "B"]
        # Its log has no name any more: what it goes on writing reaches nobody.
        before.write("mine too")
    assert read(shown.published) == ["A", "B"]
    with notebook(shown, "writes") as after:
        assert after.told() == "['A', 'B']"
        publish_another(shown, "C")
        # The log of the file that it has open comes to stand beside the new one.
        after.write("mine")
    assert is_due(shown.warehouse, shown.published)
    publish_another(shown, "D")
    assert read(shown.published) == ["A", "B", "C", "D"]
    assert not log(shown).exists()


def test_whoever_is_not_root_cannot_write_it(shown: Store) -> None:
    command = [sys.executable, "-c", NOTEBOOK, str(shown.published), "writes"]
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root may write it, and setpriv is not there to take that away")
        without = ("--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
        command = ["setpriv", *without, *command]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 1
    assert "Permission denied" in done.stderr
    publish_another(shown, "B")
    assert read(shown.published) == ["A", "B"]


@pytest.mark.parametrize("when", ["before the copy", "after the copy"])
def test_a_days_last_event_that_comes_during_a_publish_is_published_with_no_further_one(
    shown: Store, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    publish_another(shown, "B")
    commit(shown, "C")
    reached, go = threading.Event(), threading.Event()

    def pause() -> None:
        reached.set()
        assert go.wait(60)

    shown.land(event("last"), name="last.ndjson")
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "copy_aside", _paused(pause, first=when == "before the copy"))
        thread = threading.Thread(target=lambda: publish(shown.warehouse, shown.published))
        thread.start()
        try:
            assert reached.wait(60)
            command = [sys.executable, "-c", DRAIN, str(shown.folder)]
            with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as drain:
                assert drain.stdout
                assert drain.stdout.readline() == b"\n"
                # It waits for its turn: nothing is committed that the copy might hold in part.
                assert shown.waiting() == ["last.ndjson"]
                go.set()
                assert drain.wait(60) == 0
        finally:
            go.set()
            thread.join(60)
    assert read(shown.published) == ["A", "B", "C"]
    assert shown.waiting() == []
    assert is_due(shown.warehouse, shown.published)
    assert publish(shown.warehouse, shown.published) is not None
    with publishing.duckdb.connect(shown.published, read_only=True) as connection:
        assert connection.execute("SELECT sg_event_id FROM sendgrid.activity").fetchall() == [("last",)]
    assert not is_due(shown.warehouse, shown.published)


def _paused(pause: Callable[[], None], *, first: bool) -> Callable[..., Path]:
    def copy(*args: Any, **kwargs: Any) -> Path:
        if first:
            pause()
        aside = copy_aside(*args, **kwargs)
        if not first:
            pause()
        return aside

    return copy
