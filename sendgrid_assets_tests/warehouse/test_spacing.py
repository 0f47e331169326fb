"""A publish is recent for a multiple of what its copy and the rest took, whatever the clock or the note of it say."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from sendgrid_assets.warehouse import spacing
from sendgrid_assets.warehouse.publish import publish

from .conftest import Store, commit, event


def noted(store: Store) -> Path:
    return store.folder / "warehouse.duckdb.published"


@pytest.mark.parametrize(("copying", "waits"), [(3.0, 60.0), (0.0, 12.0), (0.5, 20.0)])
def test_it_is_recent_for_twenty_times_its_copying_and_four_times_the_rest(
    store: Store, copying: float, waits: float
) -> None:
    assert spacing.wait_seconds(store.warehouse) == 0
    assert spacing.last_seconds(store.warehouse) is None
    spacing.note(store.warehouse, 3.0, copying=copying)
    assert spacing.last_seconds(store.warehouse) == 3.0
    assert waits - 1 < spacing.wait_seconds(store.warehouse) <= waits


def test_a_note_that_does_not_tell_the_copying_apart_is_taken_for_all_copying(store: Store) -> None:
    noted(store).write_text(json.dumps({"at": time.time() - 50, "seconds": 3.0}))
    assert 9 < spacing.wait_seconds(store.warehouse) <= 10
    noted(store).write_text(json.dumps({"at": time.time() - 61, "seconds": 3.0}))
    assert spacing.wait_seconds(store.warehouse) == 0


def test_a_publish_notes_itself_and_one_that_did_nothing_does_not(store: Store) -> None:
    commit(store, "A")
    done = publish(store.warehouse, store.published)
    assert done
    assert spacing.last_seconds(store.warehouse) == done.seconds
    assert 0 < json.loads(noted(store).read_bytes())["copying"] < done.seconds
    before = noted(store).stat().st_mtime_ns
    publish(store.warehouse, store.published)
    assert noted(store).stat().st_mtime_ns == before


def test_a_clock_set_back_holds_nothing_up(store: Store) -> None:
    noted(store).write_text(json.dumps({"at": time.time() + 86400 * 365, "seconds": 3.0}))
    assert spacing.wait_seconds(store.warehouse) == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"at": 1}',
        '{"at": "x", "seconds": 1}',
        '{"at": 1e9, "seconds": Infinity}',
        '{"at": 1e9, "seconds": 1, "copying": null}',
        "\xff",
    ],
)
def test_a_note_that_cannot_be_read_holds_nothing_up(store: Store, text: str) -> None:
    noted(store).write_text(text, encoding="latin-1")
    assert spacing.wait_seconds(store.warehouse) == 0
    spacing.note(store.warehouse, 1.0, copying=1.0)
    assert spacing.wait_seconds(store.warehouse) > 19


def test_a_note_that_cannot_be_written_costs_no_publish(store: Store) -> None:
    noted(store).mkdir()
    commit(store, "A")
    assert publish(store.warehouse, store.published)
    assert spacing.wait_seconds(store.warehouse) == 0


def test_a_note_cut_short_by_a_kill_goes_though_nothing_is_due(store: Store) -> None:
    store.load(event())
    publish(store.warehouse, store.published)
    stray = store.warehouse.path.with_name(f".{store.warehouse.path.name}.published.part")
    stray.write_text("{")
    assert publish(store.warehouse, store.published) is None
    assert not stray.exists()
