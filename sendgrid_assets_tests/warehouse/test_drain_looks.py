"""What lands while a drain is loading is taken by that drain where loading takes long, and not for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from sendgrid_assets.warehouse import drain
from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.landing import Landing

from .conftest import Store, event, ndjson


class Busy(Disk):
    """Brings another file each time that a loaded one is moved away."""

    def __init__(self, store: Store, files: int) -> None:
        self._landing, self._files = store.landing, files
        self.brought = 0

    def link(self, source: Path, target: Path) -> None:
        super().link(source, target)
        if source.parent == self._landing.new and self.brought < self._files:
            self.brought += 1
            self._landing.publish(f"{self.brought}.ndjson", ndjson([event(f"B{self.brought}")]))


def busy(store: Store, files: int) -> Busy:
    """Makes the store's landing directory one that gets so many files more while it is drained."""
    store.land(event("A"), name="0.ndjson")
    disk = Busy(store, files)
    store.landing = Landing(store.folder / "landing", "sendgrid", disk)
    return disk


def test_what_comes_while_loading_takes_long_is_loaded_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "LONG_SECONDS", -1.0)
    busy(store, files=1)
    done = store.drain()
    assert (done.files, done.rows, store.waiting()) == (2, {"open": 2}, [])
    assert store.done() == ["0.ndjson", "1.ndjson"]


def test_what_comes_while_loading_is_quick_waits_for_the_next_drain(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "LONG_SECONDS", 3600.0)
    busy(store, files=1)
    assert store.drain().files == 1
    assert store.waiting() == ["1.ndjson"]


def test_a_source_that_never_pauses_keeps_no_drain_from_its_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "LONG_SECONDS", -1.0)
    disk = busy(store, files=100)
    assert store.drain().files == drain.MOST_LOOKS
    assert disk.brought == drain.MOST_LOOKS
    assert len(store.waiting()) == 1
