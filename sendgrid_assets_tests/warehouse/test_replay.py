"""Loaded files loaded again: nothing happens where the rows are there, all of them come back where they are not."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from sendgrid_assets.warehouse.replay import Replayed, replay
from sendgrid_assets.webhook.archive import Archive
from sendgrid_assets.webhook.landing import LandingError
from sendgrid_assets.webhook.packing import pack_days
from sendgrid_assets_tests.processes import call, environment, ours

from .conftest import Store, event, now

OLD = "2026-01-05"


def again(store: Store, **asked: dt.date) -> Replayed:
    return replay(store.warehouse, store.landing, scratch=store.folder / "scratch", **asked)


def everything(store: Store) -> tuple[object, ...]:
    return (
        store.rows("sendgrid.activity"),
        store.rejects("source, file, line, reason, raw"),
        store.ledger("source, file, size, sha256, events, rejected"),
    )


def without_loading_time(state: tuple[object, ...]) -> object:
    rows, *others = state
    return [{k: v for k, v in row.items() if k != "loaded_at"} for row in rows], others  # type: ignore[attr-defined]


@pytest.fixture
def loaded(store: Store) -> Store:
    """Two files packed of an old day, one under a name that came twice, and one loose of today."""
    store.load(event("A"), event("B", "click"), "torn", name="events.ndjson")
    store.load(event("C"), event("A2", ip=None), event("C"), name="events.ndjson")
    (today,) = store.landing.done.iterdir()
    today.rename(today.with_name(OLD))
    pack_days(Archive(store.landing), before=dt.date(2026, 1, 6), seconds=60)
    store.load(event("D", ip="::1"), name="later.ndjson")
    assert store.done() == ["later.ndjson", "packed-1.zip"]
    return store


def test_where_all_is_there_nothing_changes(loaded: Store) -> None:
    before, done = everything(loaded), loaded.done()
    assert again(loaded) == Replayed(files=3, events=6, rows=0, rejected=0, unreadable=0)
    assert (everything(loaded), loaded.done()) == (before, done)
    assert list((loaded.folder / "scratch").iterdir()) == []
    assert loaded.drain().files == 0


LOSSES: dict[str, Callable[[Store], object]] = {
    "rows": lambda store: [store.query(f"DELETE FROM sendgrid.{table}") for table in ("open", "click")],
    "schema": lambda store: (
        store.query("DROP SCHEMA sendgrid CASCADE"),
        # As after a change of the structure: so that the tables are made again.
        store.query("DELETE FROM _sendgrid_assets.schema_version"),
    ),
    "warehouse": lambda store: (store.warehouse.path.unlink(), store.warehouse.wal.unlink(missing_ok=True)),
    "some": lambda store: store.query("DELETE FROM sendgrid.open WHERE sg_event_id IN ('A', 'D')"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_what_was_lost_comes_back_as_it_was(loaded: Store, loss: str) -> None:
    before = everything(loaded)
    LOSSES[loss](loaded)
    done = again(loaded)
    assert (done.files, done.unreadable) == (3, 0)
    assert done.rows == (2 if loss == "some" else 5)
    if loss == "some":
        # A copy that stayed is the first of its content now.
        assert [id_ for id_, _, _ in loaded.activity()] == ["A", "A2", "B", "C", "D"]
    else:
        assert without_loading_time(everything(loaded)) == without_loading_time(before)
    assert again(loaded).rows == 0


def test_only_the_days_asked_for_are_loaded(loaded: Store) -> None:
    LOSSES["rows"](loaded)
    assert again(loaded, first=dt.date(2026, 1, 6)).rows == 1
    assert again(loaded, last=dt.date(2026, 1, 4)).files == 0
    assert again(loaded, first=dt.date(2026, 1, 5), last=dt.date(2026, 1, 5)).rows == 4


def test_packing_and_removing_wait_for_a_replay_and_it_for_them(loaded: Store) -> None:
    today = now().date()
    (loaded.landing.done / str(today)).rename(loaded.landing.done / str(today - dt.timedelta(days=1)))
    LOSSES["rows"](loaded)
    reached, go = threading.Event(), threading.Event()
    copied = Archive.copied

    def paused(self: Archive, *asked: object) -> object:
        reached.set()
        assert go.wait(30)
        return copied(self, *asked)  # type: ignore[arg-type]

    done: list[Replayed] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Archive, "copied", paused)
        replaying = threading.Thread(target=lambda: done.append(again(loaded)))
        replaying.start()
        assert reached.wait(30)
        try:
            # A drain goes on beside it, but for what it would take from under it.
            loaded.land(event("E"), name="now.ndjson")
            assert loaded.drain(retention_days=1, retention_bytes=1).rows == {"open": 1}
            assert loaded.done() == ["later.ndjson", "now.ndjson", "packed-1.zip"]
            with pytest.raises(LandingError, match="Another replay"):
                again(loaded.change(lock_seconds=0.1))
        finally:
            go.set()
            replaying.join(60)
    assert (done[0].files, done[0].rows) == (3, 5)
    loaded.drain(retention_bytes=1, is_published=False)
    assert loaded.done() == ["now.ndjson"]


def test_a_damaged_pack_is_told_and_the_rest_is_loaded(loaded: Store) -> None:
    (path,) = loaded.landing.done.rglob("*.zip")
    path.write_bytes(path.read_bytes()[:-40])
    LOSSES["rows"](loaded)
    assert again(loaded) == Replayed(files=1, events=1, rows=1, unreadable=1)
    assert path.exists()


def command(store: Store, *arguments: str) -> tuple[int, str, str]:
    env = environment(
        SENDGRID_DATA_DIR=str(store.folder),
        SENDGRID_SOURCES="sendgrid,other",
        SENDGRID_PUBLISHED=str(store.published),
    )
    done = call(*ours("replay", *arguments), cwd=store.folder, env=env)
    return done.returncode, done.stdout, done.stderr


def test_the_command_tells_what_it_did_and_publishes(loaded: Store) -> None:
    LOSSES["rows"](loaded)
    code, told, _ = command(loaded)
    assert code == 0
    assert told.splitlines() == [
        "sendgrid: 3 files, 6 events, 5 rows new, 0 rejected anew.",
        "other: 0 files, 0 events, 0 rows new, 0 rejected anew.",
        f"{loaded.published} has them.",
    ]
    with duckdb.connect(loaded.published, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM sendgrid.activity").fetchone() == (5,)
    code, told, _ = command(loaded, "sendgrid", "--from", OLD, "--to", OLD)
    assert (code, told) == (0, "sendgrid: 2 files, 5 events, 0 rows new, 0 rejected anew.\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nobody"], "'nobody' is no source: name one of sendgrid, other."),
        (
            ["--from", "2026-02-01", "--to", "2026-01-01"],
            "--from 2026-02-01 is after --to 2026-01-01: swap them.",
        ),
    ],
)
def test_what_cannot_be_replayed_is_one_sentence(store: Store, arguments: list[str], sentence: str) -> None:
    assert command(store, *arguments) == (1, "", f"Error: {sentence}\n")


def test_files_that_cannot_be_read_are_told_by_the_status(loaded: Store) -> None:
    (path,) = loaded.landing.done.rglob("*.zip")
    path.write_bytes(b"garbage")
    code, told, error = command(loaded, "sendgrid")
    assert (code, told.splitlines()[0]) == (1, "sendgrid: 1 files, 1 events, 0 rows new, 0 rejected anew.")
    assert (
        error.splitlines()[-1] == "Error: 1 files could not be read, as told above; they stand as they were."
    )
    assert str(path) in error
    assert Path(path).read_bytes() == b"garbage"
