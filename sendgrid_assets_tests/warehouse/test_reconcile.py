"""What the ledger lacks is found again wherever it is, without looking through all of it at every drain."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest

from sendgrid_assets.warehouse.publish import publish
from sendgrid_assets.warehouse.restore import restore
from sendgrid_assets.webhook.archive import Archive, Archived
from sendgrid_assets.webhook.packing import pack_days

from .conftest import Store, event, ndjson, now

OLD = dt.date(2026, 1, 5)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[dt.date]:
    """The days whose files are all compared with the ledger from now on."""
    days: list[dt.date] = []
    files = Archive.files

    def noted(self: Archive, day: dt.date) -> Iterator[Archived]:
        days.append(day)
        return files(self, day)

    monkeypatch.setattr(Archive, "files", noted)
    return days


def aged(store: Store, *, packed: bool) -> None:
    """Makes what was loaded today that of an old day."""
    (store.landing.done / str(now().date())).rename(store.landing.done / str(OLD))
    if packed:
        pack_days(Archive(store.landing), before=OLD + dt.timedelta(days=1), seconds=60)


@pytest.fixture(params=[False, True], ids=["loose", "packed"])
def loaded(store: Store, request: pytest.FixtureRequest) -> Store:
    store.load(event("A"), name="a.ndjson")
    publish(store.warehouse, store.published)
    store.load(event("B", ip="::1"), "torn", name="b.ndjson")
    aged(store, packed=request.param)
    store.load(event("C", ip="::2"), name="c.ndjson")
    return store


def test_while_nothing_is_lost_no_day_is_looked_through(loaded: Store, looked_at: list[dt.date]) -> None:
    for number in range(3):
        loaded.load(event(f"more{number}"))
        loaded.drain()
    assert looked_at == []


LOSSES: dict[str, tuple[int, Callable[[Store], object]]] = {
    "log": (2, lambda store: store.warehouse.wal.unlink()),
    "entry": (
        1,
        lambda store: store.query("DELETE FROM _sendgrid_assets.loaded_files WHERE file = 'b.ndjson'"),
    ),
    "restored": (2, lambda store: restore(store.warehouse, store.published, with_log=False, over=True)),
    "all": (3, lambda store: (store.warehouse.path.unlink(), store.warehouse.wal.unlink())),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_lost_commits_are_loaded_again_once_however_old(loaded: Store, loss: str) -> None:
    lost, lose = LOSSES[loss]
    lose(loaded)
    assert loaded.drain().returned == lost
    assert [id_ for id_, _, _ in loaded.activity()] == ["A", "B", "C"]
    assert loaded.rejects() == [("not_json", "torn")]
    assert sorted(file for (file,) in loaded.ledger("file")) == ["a.ndjson", "b.ndjson", "c.ndjson"]
    assert loaded.drain().returned == 0


def test_a_log_lost_with_a_drain_that_died_after_moving_its_files_costs_nothing(loaded: Store) -> None:
    publish(loaded.warehouse, loaded.published)
    loaded.drain()
    note = loaded.landing.root / ".drain.json"
    settled = note.read_bytes()
    loaded.load(event("D"), name="d.ndjson")
    # It died before it could say that it was at an end; of its commit nothing is left.
    note.write_bytes(settled.replace(b'"settled":true', b'"settled":false'))
    loaded.warehouse.wal.unlink()
    assert loaded.drain().returned == 1
    assert [id_ for id_, _, _ in loaded.activity()] == ["A", "B", "C", "D"]


def test_a_drain_that_died_has_only_the_last_days_looked_through(
    loaded: Store, looked_at: list[dt.date]
) -> None:
    note = loaded.landing.root / ".drain.json"
    note.write_bytes(note.read_bytes().replace(b'"settled":true', b'"settled":false'))
    loaded.drain()
    assert looked_at == [now().date()]


def test_a_file_that_grew_long_after_it_was_loaded_is_found_the_next_day(loaded: Store) -> None:
    loaded.query("UPDATE _sendgrid_assets.loaded_files SET loaded_at = loaded_at - INTERVAL 2 HOUR")
    (path,) = loaded.landing.done.rglob("c.ndjson")
    loaded.drain()
    with path.open("ab") as file:
        file.write(ndjson([event("D")]))
    assert loaded.drain().returned == 0
    note = loaded.landing.root / ".drain.json"
    today = str(now().date()).encode()
    yesterday = str(now().date() - dt.timedelta(days=1)).encode()
    note.write_bytes(note.read_bytes().replace(b'"day":"' + today, b'"day":"' + yesterday))
    assert loaded.drain().returned == 1
    assert [id_ for id_, _, _ in loaded.activity()] == ["A", "B", "C", "D"]


def test_the_note_stands_in_nobodys_way(loaded: Store) -> None:
    note = loaded.landing.root / ".drain.json"
    note.unlink()
    note.mkdir()
    with pytest.raises(IsADirectoryError):
        loaded.drain()
    note.rmdir()
    assert loaded.load(event("D")).rows == {"open": 1}


def test_a_lost_file_whose_name_a_new_one_has_is_loaded_after_it(loaded: Store) -> None:
    loaded.query("DELETE FROM _sendgrid_assets.loaded_files WHERE file = 'b.ndjson'")
    loaded.query("DELETE FROM sendgrid.open WHERE sg_event_id = 'B'")
    loaded.land(event("E"), name="b.ndjson")
    assert loaded.drain().rows == {"open": 1}
    assert loaded.drain().rows == {"open": 1}
    assert [id_ for id_, _, _ in loaded.activity()] == ["A", "B", "C", "E"]
    assert loaded.drain().returned == 0


@pytest.mark.parametrize("packed", [False, True])
def test_a_lost_file_of_a_name_and_size_that_came_before_is_loaded_again(store: Store, packed: bool) -> None:
    store.load(event("A"), name="events.ndjson")
    publish(store.warehouse, store.published)
    store.load(event("B"), name="events.ndjson")
    store.warehouse.wal.unlink()
    if packed:
        pack_days(Archive(store.landing), before=dt.date.max, seconds=60)
    assert store.drain().returned == 1
    assert sorted(id_ for id_, _, _ in store.activity()) == ["A", "B"]
    # What the ledger has is not loaded over and over.
    (store.landing.root / ".drain.json").unlink()
    assert store.drain().returned == 0
