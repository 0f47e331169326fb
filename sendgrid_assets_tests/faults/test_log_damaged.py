"""A power cut may lose the warehouse's write-ahead log, cut it or leave zeros: what was loaded is loaded again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from .invariant import Told, judge
from .nursery import Nursery
from .plant import Plant
from .traffic import batches


def lost(log: Path) -> None:
    log.unlink()


def emptied(log: Path) -> None:
    log.write_bytes(b"")


def cut(log: Path) -> None:
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])


def ends_in_zeros(log: Path) -> None:
    data = log.read_bytes()
    log.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))


def flipped(log: Path) -> None:
    data = bytearray(log.read_bytes())
    data[len(data) // 2] ^= 0xFF
    log.write_bytes(data)


def older(log: Path) -> None:
    shutil.copy(log.with_name("older.wal"), log)


@pytest.mark.parametrize("damage", [lost, emptied, cut, ends_in_zeros, flipped, older])
def test_what_a_damaged_log_lost_is_loaded_again(
    nursery: Nursery, plant: Plant, damage: Callable[[Path], None]
) -> None:
    told = Told()
    for number, one in enumerate(islice(batches("put", 8, unsound_every=3), 3)):
        plant.put(f"{number}.ndjson", one.lines())
        told.put(one.keys)
        nursery.must("drain", plant)
        if number == 0:
            shutil.copy(plant.warehouse.wal, plant.folder / "older.wal")
    damage(plant.warehouse.wal)
    nursery.must("settle", plant)
    assert judge(plant, told).wrong == ()
