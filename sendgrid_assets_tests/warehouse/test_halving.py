"""A file over which loading raises an error costs that file; an error that all files meet costs none."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import duckdb
import pytest

from sendgrid_assets.warehouse import halving
from sendgrid_assets.warehouse.errors import LoadError
from sendgrid_assets.warehouse.halving import load_halved
from sendgrid_assets.webhook.landing import LandingFile

from .conftest import Store, event

MADE_NUMBERS = "ALTER TABLE sendgrid.bounce ALTER status SET DATA TYPE INTEGER"
MADE_TEXTS = "ALTER TABLE sendgrid.bounce ALTER status SET DATA TYPE VARCHAR"


def bounce(id_: str, status: str) -> dict[str, object]:
    return event(id_, "bounce", status=status)


@pytest.fixture
def narrowed(store: Store) -> Store:
    """A warehouse in which somebody made a column of texts one of numbers."""
    with store.warehouse.open() as connection:
        connection.execute(MADE_NUMBERS)
    return store


def test_files_that_cannot_be_loaded_are_set_aside_and_all_others_load(
    narrowed: Store, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(9):
        bad = number in (2, 3, 8)
        narrowed.land(
            event(f"o{number}"), bounce(f"b{number}", "5.1.1" if bad else "550"), name=f"{number}.ndjson"
        )
    with caplog.at_level(logging.WARNING):
        done = narrowed.drain()
    assert (done.files, done.rows, done.unreadable) == (6, {"open": 6, "bounce": 6}, 3)
    assert narrowed.rejects("file, line, reason") == [
        (f"{number}.ndjson", None, "cannot be loaded (ConversionException)") for number in (2, 3, 8)
    ]
    assert "@" not in caplog.text
    assert (narrowed.waiting(), len(narrowed.ledger())) == ([], 6)
    # Mended and put back, they load.
    with narrowed.warehouse.open() as connection:
        connection.execute(MADE_TEXTS)
    for number in (2, 3, 8):
        aside = narrowed.landing.rejected / f"{number}.ndjson"
        aside.rename(narrowed.landing.new / aside.name)
    assert narrowed.drain().rows == {"open": 3, "bounce": 3}


def test_an_error_that_every_file_meets_sets_none_aside(
    narrowed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halving, "MOST_FAILING", 2)
    for number in range(4):
        narrowed.land(bounce(f"b{number}", "5.1.1"), name=f"{number}.ndjson")
    with pytest.raises(LoadError, match=r"ndjson cannot be loaded \(ConversionException\)"):
        narrowed.drain()
    assert (len(narrowed.waiting()), narrowed.rejects("file"), narrowed.ledger()) == (
        4,
        [],
        [],
    )
    # One that loads tells that the others are to blame.
    narrowed.land(event("o"), name="0.json")
    assert narrowed.drain().rows == {"open": 1}
    assert (len(narrowed.rejects("file")), narrowed.waiting()) == (4, [])


def test_a_file_that_takes_more_memory_than_there_is_costs_only_itself(narrowed: Store) -> None:
    files = [narrowed.land(event(f"{number}"), name=f"{number}.ndjson") for number in range(5)]
    loaded: list[str] = []

    def load(part: Sequence[LandingFile]) -> None:
        if any(file.name == files[3] for file in part):
            raise duckdb.OutOfMemoryException("somebody@example.com")
        loaded.extend(file.name for file in part)

    assert [(file.name, reason) for file, reason in load_halved(narrowed.landing.waiting(), load)] == [
        (files[3], "cannot be loaded (OutOfMemoryException)")
    ]
    assert loaded == [file for file in files if file != files[3]]


def test_no_room_to_offload_what_memory_does_not_hold_is_no_files_fault(narrowed: Store) -> None:
    for number in range(3):
        narrowed.land(event(f"{number}"), name=f"{number}.ndjson")

    def load(part: Sequence[LandingFile]) -> None:
        if len(part) > 1 or part[0].name == "1.ndjson":
            raise duckdb.OutOfMemoryException(
                "Out of Memory Error: failed to offload data block of size 256.0 KiB (1.0 MiB/1.0 MiB used)."
            )

    with pytest.raises(duckdb.OutOfMemoryException):
        load_halved(narrowed.landing.waiting(), load)


def test_a_file_alone_that_cannot_be_loaded_waits(narrowed: Store) -> None:
    narrowed.land(bounce("b", "5.1.1"), name="a.ndjson")
    for _ in range(2):
        with pytest.raises(LoadError, match=r"^No file can be loaded: a.ndjson") as raised:
            narrowed.drain()
        assert (raised.value.__cause__, raised.value.__context__) == (None, None)
    assert (len(narrowed.waiting()), narrowed.rejects("file")) == (1, [])
