"""The published file is at every instant a whole copy of what was committed, and replaced only by another."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import duckdb
import pytest

from sendgrid_assets.warehouse.file import WarehouseBusyError
from sendgrid_assets.warehouse.publish import PublishError, is_due, publish

from .conftest import Store, event

COUNT = "SELECT count(*) FROM sendgrid.lists"

READER = """
import sys, duckdb
path, count = sys.argv[1:]
connection = duckdb.connect(path, read_only=True)
print(connection.execute(count).fetchone()[0], flush=True)
for line in sys.stdin:
    print(connection.execute(count).fetchone()[0], flush=True)
"""

COUNTER = """
import sys, time, duckdb
from pathlib import Path
path, count, stop = sys.argv[1:]
while True:
    ended = Path(stop).exists()
    with duckdb.connect(path, read_only=True) as connection:
        rows, files, events = connection.execute(count).fetchone()
    assert rows == events, (rows, events)
    print(rows, flush=True)
    if ended:
        break
    time.sleep(0.03)
"""


def commit(store: Store, id_: str) -> None:
    store.sync("lists", {"id": id_}, whole=False)


def read(path: Path) -> list[str]:
    with duckdb.connect(path, read_only=True) as connection:
        return [id_ for (id_,) in connection.execute("SELECT id FROM sendgrid.lists ORDER BY id").fetchall()]


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


def test_readers_keep_what_they_opened_and_later_ones_see_the_new(store: Store) -> None:
    commit(store, "A")
    publish(store.warehouse, store.published)
    command = [sys.executable, "-c", READER, str(store.published), COUNT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdin
        assert reader.stdout
        assert reader.stdout.readline() == "1\n"
        commit(store, "B")
        assert publish(store.warehouse, store.published) is not None
        reader.stdin.write("again\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "1\n"
        assert read(store.published) == ["A", "B"]
        reader.stdin.close()


def test_a_log_that_a_reader_left_is_not_replayed_into_the_new_file(store: Store) -> None:
    commit(store, "A")
    publish(store.warehouse, store.published)
    store.published.chmod(0o644)
    with duckdb.connect(store.published) as connection:
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        connection.execute("INSERT INTO sendgrid.lists (id) VALUES ('mine')")
    assert store.published.with_name("published.duckdb.wal").stat().st_size > 0
    commit(store, "B")
    publish(store.warehouse, store.published)
    assert read(store.published) == ["A", "B"]


def test_no_room_leaves_the_old_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(store, "A")
    publish(store.warehouse, store.published)
    commit(store, "B")
    usage = namedtuple("usage", "total used free")  # noqa: PYI024
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage(100, 95, 5))
        with pytest.raises(PublishError, match=r"No room for \d+ bytes beside .*the old file stands"):
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
    with pytest.raises(PublishError, match="could not be written"):
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


def test_whoever_opens_it_while_it_is_replaced_sees_a_committed_state(store: Store, tmp_path: Path) -> None:
    publish(store.warehouse, store.published)
    stop = tmp_path / "stop"
    # Rows and ledger are of one commit, so they agree in every state that was committed.
    count = (
        "SELECT (SELECT count(*) FROM sendgrid.activity), count(*), coalesce(sum(events), 0)::BIGINT"
        " FROM _sendgrid_assets.loaded_files"
    )
    command = [sys.executable, "-c", COUNTER, str(store.published), count, str(stop)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as counting:
        told: list[str] = []
        thread = threading.Thread(target=lambda: told.extend(counting.communicate()))
        thread.start()
        for number in range(50):
            with store.warehouse.open() as connection:
                connection.execute("BEGIN")
                connection.execute(
                    "INSERT INTO sendgrid.open (sg_event_id) SELECT range::VARCHAR FROM range(10)"
                )
                connection.execute(
                    "INSERT INTO _sendgrid_assets.loaded_files (file, events) VALUES (?, 10)", [str(number)]
                )
                connection.execute("COMMIT")
            assert publish(store.warehouse, store.published) is not None
        stop.touch()
        thread.join(60)
    assert (counting.returncode, told[1]) == (0, "")
    counts = [int(line) for line in told[0].split()]
    assert counts == sorted(counts)
    assert counts[-1] == 500
    assert len(set(counts)) > 5
    assert all(count % 10 == 0 for count in counts)
