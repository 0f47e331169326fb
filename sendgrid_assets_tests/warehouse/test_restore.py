"""A copy put back as the warehouse: what is refused, what is kept, and that what came since comes back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, Popen

import duckdb
import filelock
import pytest

from sendgrid_assets.warehouse.errors import WarehouseBusyError
from sendgrid_assets.warehouse.publish import is_due, publish
from sendgrid_assets.warehouse.restore import Restored, RestoreError, restore

from .conftest import Store, commit, event, read
from .test_file import DAMAGES, held


def put_back(store: Store, source: Path | None = None, *, over: bool = False) -> Restored:
    return restore(store.warehouse, source or store.published, with_log=source is not None, over=over)


def ids(store: Store) -> list[str]:
    return [id_ for (id_,) in store.query("SELECT id FROM sendgrid.lists ORDER BY id")]


def files(store: Store) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in store.folder.iterdir() if path.is_file()}


@pytest.fixture
def two(store: Store) -> Store:
    """A is published; B only stands in the warehouse's log."""
    commit(store, "A")
    publish(store.warehouse, store.published)
    commit(store, "B")
    return store


def test_every_event_and_row_is_there_after_a_restore_and_a_drain(store: Store) -> None:
    store.load(event("A"), event("B"), "torn", name="first.ndjson")
    publish(store.warehouse, store.published)
    store.load(event("C", "click"), name="second.ndjson")
    store.land(event("D"), name="third.ndjson")
    DAMAGES["garbage"](store)
    done = put_back(store)
    assert done.path == store.warehouse.path
    assert [id_ for id_, _, _ in store.activity()] == ["A", "B"]
    drained = store.drain()
    assert (drained.returned, drained.files, dict(drained.rows)) == (1, 2, {"click": 1, "open": 1})
    assert [id_ for id_, _, _ in store.activity()] == ["A", "B", "C", "D"]
    assert store.rejects() == [("not_json", "torn")]
    assert [file for (file,) in store.ledger("file")] == ["first.ndjson", "second.ndjson", "third.ndjson"]
    publish(store.warehouse, store.published)
    with duckdb.connect(store.published, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM sendgrid.activity").fetchone() == (4,)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_warehouse_that_cannot_be_read_is_moved_aside_as_it_is(two: Store, damage: str) -> None:
    DAMAGES[damage](two)
    main, log = two.warehouse.path.read_bytes(), two.warehouse.wal.read_bytes()
    done = put_back(two)
    moved, moved_log = done.moved
    assert (moved.read_bytes(), moved_log.read_bytes()) == (main, log)
    assert moved_log.name == f"{moved.name}.wal"
    assert ids(two) == ["A"]
    assert two.warehouse.path.read_bytes() == two.published.read_bytes()
    assert list(two.folder.glob(".*")) == []
    commit(two, "C")
    publish(two.warehouse, two.published)
    assert read(two.published) == ["A", "C"]


def test_it_tells_of_which_instant_it_is_and_leaves_nothing_due(two: Store) -> None:
    done = put_back(two, over=True)
    with duckdb.connect(two.published, read_only=True) as connection:
        told = connection.execute("SELECT published_at FROM _sendgrid_assets.published").fetchone()
    assert (done.published_at,) == told
    assert not is_due(two.warehouse, two.published)


def test_a_lost_warehouse_is_put_back(two: Store) -> None:
    two.warehouse.path.unlink()
    two.warehouse.wal.unlink()
    assert put_back(two).moved == ()
    assert ids(two) == ["A"]


def test_a_log_that_is_left_alone_is_kept_and_not_replayed(two: Store) -> None:
    log = two.warehouse.wal.read_bytes()
    two.warehouse.path.unlink()
    (moved,) = put_back(two).moved
    assert moved.read_bytes() == log
    assert ids(two) == ["A"]


def test_one_that_can_be_read_is_replaced_only_by_consent_and_can_come_back(two: Store) -> None:
    before = files(two)
    with pytest.raises(RestoreError, match=r"warehouse\.duckdb can be read.*--force moves it aside"):
        put_back(two)
    assert files(two) == before
    moved, _ = put_back(two, over=True).moved
    assert ids(two) == ["A"]
    # With its log, in which B is.
    put_back(two, moved, over=True)
    assert ids(two) == ["A", "B"]
    assert moved.read_bytes() == before["warehouse.duckdb"]
    assert moved.with_name(moved.name + ".wal").read_bytes() == before["warehouse.duckdb.wal"]
    assert list(two.folder.glob(".*")) == []


def test_a_log_that_a_reader_left_beside_the_published_file_is_not_taken(two: Store) -> None:
    log = two.published.with_name("published.duckdb.wal")
    log.write_bytes(two.warehouse.wal.read_bytes())
    put_back(two, over=True)
    assert ids(two) == ["A"]
    assert log.exists()


def test_the_old_files_permissions_are_the_new_ones(two: Store) -> None:
    two.warehouse.path.chmod(0o640)
    put_back(two, over=True)
    assert two.warehouse.path.stat().st_mode & 0o777 == 0o640
    assert two.published.stat().st_mode & 0o777 == 0o444


def test_a_new_files_permissions_let_its_owner_write(two: Store) -> None:
    two.warehouse.path.unlink()
    put_back(two)
    assert two.warehouse.path.stat().st_mode & 0o700 == 0o600


def _foreign(file: Path) -> None:
    with duckdb.connect(file) as connection:
        connection.execute("CREATE TABLE theirs AS SELECT 7 AS number")


def _newer(file: Path) -> None:
    with duckdb.connect(file) as connection:
        connection.execute("CREATE SCHEMA _sendgrid_assets")
        connection.execute("CREATE TABLE _sendgrid_assets.schema_version AS SELECT 99 AS version")


UNFIT: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda file: None, "other.* is no file: give a copy of the warehouse with --from"),
    "folder": (lambda file: file.mkdir(), "other.* is no file: give a copy of the warehouse with --from"),
    "empty": (
        lambda file: file.touch(),
        "other.* is a database, but no copy of a warehouse|other.* cannot be read",
    ),
    "garbage": (lambda file: file.write_bytes(b"garbage" * 9999), "other.* cannot be read: "),
    "foreign": (_foreign, "other.* is a database, but no copy of a warehouse of ours"),
    "newer": (_newer, "other.* has structure 99 and this release knows 1: install the newer one"),
}


@pytest.mark.parametrize("unfit", UNFIT)
def test_what_is_no_copy_of_a_warehouse_replaces_nothing(two: Store, unfit: str) -> None:
    make, told = UNFIT[unfit]
    other = two.folder / "other"
    make(other)
    before = files(two)
    with pytest.raises(RestoreError, match=told):
        put_back(two, other, over=True)
    assert files(two) == before
    assert ids(two) == ["A", "B"]


def test_the_warehouse_is_no_copy_of_itself(two: Store) -> None:
    link = two.folder / "link"
    link.symlink_to(two.warehouse.path)
    with pytest.raises(RestoreError, match="link is the warehouse itself"):
        put_back(two, link, over=True)
    assert ids(two) == ["A", "B"]


@pytest.mark.parametrize("how", ["write", "read"])
def test_nothing_is_restored_while_a_process_holds_the_warehouse(two: Store, how: str) -> None:
    before = files(two)
    with (
        held(two.warehouse.path, how),
        pytest.raises(WarehouseBusyError, match=r"A process has .*warehouse\.duckdb open .*end it"),
    ):
        put_back(two, over=True)
    assert files(two) == before
    assert put_back(two, over=True).moved


def test_nothing_is_restored_while_a_run_has_its_turn(two: Store) -> None:
    script = (
        "import sys, filelock; lock = filelock.FileLock(sys.argv[1])\n"
        "lock.acquire(); print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, f"{two.warehouse.path}.lock"]
    with Popen(command, stdin=PIPE, stdout=PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        with pytest.raises(WarehouseBusyError, match=r"A run is writing to .*: stop Dagster"):
            put_back(two, over=True)
        process.kill()
    assert put_back(two, over=True).moved


def test_nobody_gets_in_while_it_is_restored(two: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def trying(descriptor: int) -> None:
        with pytest.raises(filelock.Timeout):
            filelock.FileLock(f"{two.warehouse.path}.lock", timeout=0, thread_local=False).acquire()
        if two.warehouse.path.exists():
            tried.append(_opened_elsewhere(two.warehouse.path))

    with monkeypatch.context() as patch:
        patch.setattr("sendgrid_assets.warehouse.restore.sync_folder", trying)
        put_back(two, over=True)
    # Before the old file is moved; then the new one stands, whole.
    assert tried == ["held", "opened", "opened"]


def _opened_elsewhere(path: Path) -> str:
    script = (
        "import sys, duckdb\n"
        "try: duckdb.connect(sys.argv[1], read_only=True); print('opened')\n"
        "except duckdb.IOException as error: print('held' if 'PID' in str(error) else error)"
    )
    with Popen([sys.executable, "-c", script, str(path)], stdout=PIPE, text=True) as process:
        return process.communicate(timeout=60)[0].strip()
