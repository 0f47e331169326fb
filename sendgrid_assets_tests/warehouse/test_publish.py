"""The published file is at every instant a whole copy of what was committed, and replaced only by another."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sendgrid_assets.warehouse import publish as publishing
from sendgrid_assets.warehouse.copying import copy_aside
from sendgrid_assets.warehouse.errors import PublishError, WarehouseBusyError
from sendgrid_assets.warehouse.publish import is_due, publish

from .conftest import Store, commit, event, read
from .test_file import held

ROOT = Path(__file__).parents[2]

LIMITED = """
import resource, sys
from pathlib import Path
from sendgrid_assets.warehouse.errors import PublishError
from sendgrid_assets.warehouse.publish import publish
from sendgrid_assets_tests.warehouse.conftest import Store
store = Store(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]) + 4096, resource.RLIM_INFINITY))
try:
    publish(store.warehouse, store.published)
except PublishError as error:
    print(error)
"""


def strays(store: Store) -> list[str]:
    return sorted(path.name for path in store.folder.glob(".*"))


def test_a_publish_holds_everything_committed(store: Store) -> None:
    commit(store, "A")
    first = publish(store.warehouse, store.published)
    assert first is not None
    assert (first.path, first.size) == (store.published, store.published.stat().st_size)
    assert read(store.published) == ["A"]
    commit(store, "B")
    assert read(store.published) == ["A"]
    assert publish(store.warehouse, store.published) is not None
    assert read(store.published) == ["A", "B"]


def test_it_has_comments_and_bookkeeping_and_no_trace_of_the_copying(store: Store) -> None:
    store.load(event("A"), name="a.ndjson")
    publish(store.warehouse, store.published)
    assert stat.S_IMODE(store.published.stat().st_mode) == 0o444
    assert not store.warehouse.wal.exists()
    assert not store.published.with_name("published.duckdb.wal").exists()
    assert strays(store) == []
    with duckdb.connect(store.published, read_only=True) as connection:
        assert connection.execute("SELECT file FROM _sendgrid_assets.loaded_files").fetchall() == [
            ("a.ndjson",)
        ]
        found = connection.execute("SELECT comment FROM duckdb_tables() WHERE table_name = 'open'").fetchone()
    assert found is not None
    assert found[0].startswith("One row per opening")


def test_nothing_to_do_is_nothing_done(store: Store) -> None:
    commit(store, "A")
    assert is_due(store.warehouse, store.published)
    publish(store.warehouse, store.published)
    before = store.published.stat()
    assert not is_due(store.warehouse, store.published)
    assert publish(store.warehouse, store.published) is None
    store.query("SELECT 1")
    assert publish(store.warehouse, store.published) is None
    assert store.published.stat() == before


@pytest.mark.parametrize("change", ["commit", "checkpoint", "lost copy"])
def test_it_is_due_once_it_lacks_something(store: Store, change: str) -> None:
    commit(store, "A")
    publish(store.warehouse, store.published)
    if change == "lost copy":
        store.published.unlink()
    else:
        commit(store, "B")
    if change == "checkpoint":
        publish(store.warehouse, None)
    assert is_due(store.warehouse, store.published)
    assert publish(store.warehouse, store.published) is not None
    assert len(read(store.published)) == 1 + (change != "lost copy")


def test_without_a_warehouse_an_empty_one_is_published(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert not is_due(store.warehouse, store.published)
    assert publish(store.warehouse, None) is None
    assert not store.warehouse.path.exists()
    assert publish(store.warehouse, store.published) is not None
    assert read(store.published) == []


def test_switched_off_it_only_checkpoints(store: Store) -> None:
    commit(store, "A")
    assert publish(store.warehouse, None) is None
    assert not store.warehouse.wal.exists()
    assert not store.published.exists()
    assert store.query("SELECT id FROM sendgrid.lists") == [("A",)]


def test_a_folder_that_is_missing_is_made(store: Store) -> None:
    store.published = store.folder / "for" / "people" / "published.duckdb"
    assert publish(store.warehouse, store.published) is not None
    assert read(store.published) == []


def test_no_room_leaves_the_old_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(store, "A")
    publish(store.warehouse, store.published)
    commit(store, "B")
    usage = namedtuple("usage", "total used free")  # noqa: PYI024
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage(100, 95, 5))
        with pytest.raises(
            PublishError,
            match=r"published\.duckdb could not be written: no room for \d+ bytes .*the old file stands",
        ):
            publish(store.warehouse, store.published)
    assert (read(store.published), strays(store)) == (["A"], [])
    assert publish(store.warehouse, store.published) is not None
    assert read(store.published) == ["A", "B"]


@pytest.mark.parametrize("name", ["fsync", "utime"])
def test_a_copy_that_breaks_off_leaves_the_old_file(
    store: Store, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    commit(store, "A")
    publish(store.warehouse, store.published)
    commit(store, "B")
    publish(store.warehouse, None)

    def stop(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, name, stop)
        with pytest.raises(
            PublishError, match=r"published\.duckdb could not be written: No space left on device"
        ):
            publish(store.warehouse, store.published)
    assert (read(store.published), strays(store)) == (["A"], [])


def test_a_file_where_the_folder_should_be_is_named(store: Store) -> None:
    (store.folder / "taken").write_bytes(b"")
    with pytest.raises(PublishError, match=r"taken.published\.duckdb could not be written"):
        publish(store.warehouse, store.folder / "taken" / "published.duckdb")
    assert store.query("SELECT 1") == [(1,)]


def test_a_folder_where_the_file_should_be_is_named(store: Store) -> None:
    store.published.mkdir()
    commit(store, "A")
    with pytest.raises(PublishError, match=r"published\.duckdb could not be written: Is a directory"):
        publish(store.warehouse, store.published)
    assert strays(store) == []


def test_a_part_left_by_a_kill_is_removed(store: Store) -> None:
    stray = store.folder / ".published.duckdb.1.part"
    stray.write_bytes(b"half")
    publish(store.warehouse, store.published)
    assert strays(store) == []


def test_a_publish_waits_for_its_turn(store: Store) -> None:
    with store.warehouse.turn(), pytest.raises(WarehouseBusyError):
        publish(Store(store.folder).change(lock_seconds=0.1).warehouse, store.published)
    assert not store.published.exists()


def test_a_process_that_writes_meanwhile_is_named_and_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(store, "A")
    store.change(foreign_seconds=0.3)
    with monkeypatch.context() as patch, ExitStack() as stack:
        # Somebody comes between the checkpoint and the copy.
        patch.setattr(
            publishing, "copy_aside", _after(lambda: stack.enter_context(held(store.warehouse.path)))
        )
        with pytest.raises(WarehouseBusyError, match=r"A process has .*warehouse\.duckdb open for writing"):
            publish(store.warehouse, store.published)
    assert strays(store) == []
    assert publish(store.warehouse, store.published) is not None
    assert read(store.published) == ["A"]


def _after(first: Callable[[], object]) -> Callable[..., Path]:
    def copy(*args: Any, **kwargs: Any) -> Path:
        first()
        return copy_aside(*args, **kwargs)

    return copy


def test_a_checkpoint_that_finds_no_room_leaves_the_old_file_and_every_row(store: Store) -> None:
    commit(store, "A")
    publish(store.warehouse, store.published)
    store.load(*(event(str(n), url=f"https://example.com/{n}" * 40) for n in range(20_000)))
    command = [sys.executable, "-c", LIMITED, str(store.folder), str(store.warehouse.path.stat().st_size)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "could not be checkpointed" in done.stdout
    assert strays(store) == []
    with duckdb.connect(store.published, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM sendgrid.activity").fetchone() == (0,)
    assert publish(store.warehouse, store.published) is not None
    with duckdb.connect(store.published, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM sendgrid.activity").fetchone() == (20_000,)
