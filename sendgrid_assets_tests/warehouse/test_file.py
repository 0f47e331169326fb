"""The warehouse file: made whole, held by one writer at a time, and named where it cannot be opened."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from sendgrid_assets.warehouse.errors import WarehouseBusyError, WarehouseUnreadableError
from sendgrid_assets.warehouse.publish import publish

from .conftest import Store, event

HOLD = (
    "import duckdb, sys\n"
    "connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == 'read')\n"
    "print(flush=True); sys.stdin.read()"
)


@contextmanager
def held(path: Path, how: str = "write") -> Iterator[subprocess.Popen[bytes]]:
    """A process of somebody else's that has the file open."""
    command = [sys.executable, "-c", HOLD, str(path), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_file_and_its_folder_are_made_when_first_opened(tmp_path: Path) -> None:
    store = Store(tmp_path).change(path=tmp_path / "deep" / "er" / "warehouse.duckdb")
    assert store.query("SELECT count(*) FROM sendgrid.open") == [(0,)]


def test_a_file_is_never_there_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", stop)
        with pytest.raises(KeyboardInterrupt):
            store.query("SELECT 1")
    assert not store.warehouse.path.exists()
    assert store.query("SELECT count(*) FROM sendgrid.open") == [(0,)]
    assert {path.name for path in tmp_path.glob(".*duckdb*")} == set()


def test_opening_alone_writes_nothing(store: Store) -> None:
    store.sync("lists", {"id": 1})
    files = (store.warehouse.path, store.warehouse.wal)
    before = [(path.stat().st_mtime_ns, path.read_bytes()) for path in files]
    with store.warehouse.open() as connection:
        connection.execute("SELECT count(*) FROM sendgrid.activity").fetchall()
    assert [(path.stat().st_mtime_ns, path.read_bytes()) for path in files] == before


def test_a_commit_stands_in_the_log_until_a_checkpoint(store: Store) -> None:
    before = store.warehouse.path.stat().st_mtime_ns
    store.sync("lists", {"id": 1})
    assert store.warehouse.path.stat().st_mtime_ns == before
    assert store.warehouse.wal.stat().st_size > 0
    assert store.query("SELECT id FROM sendgrid.lists") == [("1",)]


def test_a_second_writer_waits_for_its_turn(store: Store) -> None:
    order: list[str] = []

    def write() -> None:
        with store.warehouse.open():
            order.append("second")

    with store.warehouse.turn():
        thread = threading.Thread(target=write)
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_a_turn_that_does_not_come_ends_with_a_sentence(store: Store) -> None:
    impatient = Store(store.folder).change(lock_seconds=0.2)
    with (
        store.warehouse.turn(),
        pytest.raises(
            WarehouseBusyError, match=r"Another run has been writing to .*warehouse\.duckdb for 0 s"
        ),
    ):
        impatient.query("SELECT 1")
    assert impatient.query("SELECT 1") == [(1,)]


def test_a_turn_ends_with_its_process(store: Store) -> None:
    script = (
        "import sys, filelock; lock = filelock.FileLock(sys.argv[1])\n"
        "lock.acquire(); print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, f"{store.warehouse.path}.lock"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        with pytest.raises(WarehouseBusyError):
            Store(store.folder).change(lock_seconds=0.1).query("SELECT 1")
        process.kill()
    assert store.query("SELECT 1") == [(1,)]


@pytest.mark.parametrize("how", ["write", "read"])
def test_a_foreign_process_that_holds_the_file_is_named(store: Store, how: str) -> None:
    with held(store.warehouse.path, how) as process, pytest.raises(WarehouseBusyError) as raised:
        store.query("SELECT 1")
    assert str(raised.value).startswith(f"Process {process.pid} (")
    assert f"holds {store.warehouse.path}: close it there" in str(raised.value)
    assert store.query("SELECT 1") == [(1,)]


def test_a_foreign_process_is_waited_for(store: Store) -> None:
    store.change(foreign_seconds=30.0)
    with held(store.warehouse.path) as process:
        threading.Timer(0.5, process.kill).start()
        assert store.query("SELECT 1") == [(1,)]


def test_a_drain_that_finds_the_file_held_leaves_everything_waiting(store: Store) -> None:
    store.land(event("A"), name="a.ndjson")
    with held(store.warehouse.path), pytest.raises(WarehouseBusyError):
        store.drain()
    assert store.waiting() == ["a.ndjson"]
    assert store.drain().rows == {"open": 1}


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(bytes(data))


DAMAGES: dict[str, Callable[[Store], object]] = {
    "garbage": lambda store: store.warehouse.path.write_bytes(b"garbage" * 1000),
    "empty": lambda store: store.warehouse.path.write_bytes(b""),
    "header": lambda store: _flip(store.warehouse.path, 4096 + 50),
    "cut": lambda store: store.warehouse.path.write_bytes(store.warehouse.path.read_bytes()[:1_000_000]),
    "log": lambda store: _flip(store.warehouse.wal, store.warehouse.wal.stat().st_size // 2),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_cannot_be_read_is_named_and_left_as_it_is(store: Store, damage: str) -> None:
    store.sync("lists", {"id": 1})
    DAMAGES[damage](store)
    files = (store.warehouse.path, store.warehouse.wal)
    before = [path.read_bytes() for path in files]
    with pytest.raises(
        WarehouseUnreadableError,
        match=r"warehouse\.duckdb cannot be opened: .*restore`, or move it and warehouse\.duckdb\.wal aside",
    ):
        store.query("SELECT 1")
    assert [path.read_bytes() for path in files] == before


def test_a_log_left_without_its_file_is_not_replayed_into_a_new_one(store: Store) -> None:
    store.load(event("A"))
    store.warehouse.path.unlink()
    with pytest.raises(
        WarehouseUnreadableError, match=r"warehouse\.duckdb\.wal is left of a warehouse that is gone"
    ):
        store.query("SELECT 1")
    store.warehouse.wal.unlink()
    assert store.drain().rows == {"open": 1}


def test_the_published_file_in_its_place_and_a_drain_bring_everything_back(store: Store) -> None:
    store.load(event("A"))
    publish(store.warehouse, store.published)
    store.load(event("B"))
    store.warehouse.wal.unlink()
    store.warehouse.path.write_bytes(store.published.read_bytes())
    assert store.drain().returned == 1
    assert [id_ for id_, _, _ in store.activity()] == ["A", "B"]


def test_a_duckdb_that_loses_rows_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duckdb, "__version__", "1.4.4")
    with pytest.raises(WarehouseUnreadableError, match=r"DuckDB 1\.4\.4 loses committed rows"):
        store.query("SELECT 1")


def test_the_schema_of_a_source_is_known(store: Store) -> None:
    assert store.warehouse.schema_of("sendgrid") == "sendgrid"
    with pytest.raises(KeyError):
        store.warehouse.schema_of("other")
