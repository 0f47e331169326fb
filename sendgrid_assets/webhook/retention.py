"""Retention: loaded files that are past their time, or more than there is to be room for, are removed by the day.

Belongs here: which days go, and what must be true first. Does not: packing, nor what the ledger knows.

Age is counted back from the last day but one on which something was loaded, and never from a later day than today. A
leap of more than a week between two such days may be the clock's: age is counted back from the day before it until
files were loaded on seven days after it. So a clock that jumps ahead, were it for a long weekend, removes nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

from . import pack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .archive import Archive, Archived

log = logging.getLogger(__name__)

LEAP = dt.timedelta(days=7)
"""The longest time between two days with loaded files of which nothing is thought."""

BORNE_OUT = 7
"""Days with loaded files after a leap by which it is believed."""


def sweep(
    archive: Archive,
    *,
    days: int,
    most_bytes: int | None,
    before: dt.date,
    today: dt.date,
    missing: Callable[[Sequence[Archived]], list[Archived]],
) -> int:
    """Removes days past the retention, then the oldest that are too much.

    A day is removed only if the ledger has all of its files, else those it lacks go back to be loaded.

    Args:
        archive: one source's loaded files.
        days: how long they are kept, at least; longer after a leap of the days, as told above.
        most_bytes: how much of them is kept on disk; None for all.
        before: the first day that stays whatever its size: that of the last publish, from which a lost warehouse would
            be restored.
        today: today's date, UTC; its files stay.
        missing: which of some files the ledger lacks.

    Returns:
        How many files were removed.
    """
    there = archive.days()
    removable = [day for day in there if day < min(before, today)]
    now = _counted_from(there, today)
    removed = sum(_remove(archive, day, missing) for day in removable if now and (now - day).days > days)
    if most_bytes is None:
        return removed
    sizes = {day: _size(archive, day) for day in archive.days()}
    excess = sum(sizes.values()) - most_bytes
    for day in removable:
        if excess > 0 and day in sizes:
            removed += _remove(archive, day, missing)
            excess -= sizes[day] - _size(archive, day)
    return removed


def _counted_from(days: Sequence[dt.date], today: dt.date) -> dt.date | None:
    seen = [day for day in days if day <= today]
    for before, after in pairwise(seen[-BORNE_OUT:]):
        if after - before > LEAP:
            return before
    return seen[-2] if len(seen) > 1 else None


def _size(archive: Archive, day: dt.date) -> int:
    total = 0
    with suppress(FileNotFoundError):
        for path in archive.folder(day).iterdir():
            with suppress(FileNotFoundError):
                total += path.lstat().st_size
    return total


def _remove(archive: Archive, day: dt.date, missing: Callable[[Sequence[Archived]], list[Archived]]) -> int:
    disk, folder = archive.landing.disk, archive.folder(day)
    try:
        packed = {path: archive.packed(path) for path in archive.packs(day)}
    except pack.DamagedPackError as error:
        log.warning("%s The files of that day are kept.", error)
        return 0
    loose = archive.loose(day)
    files = [*(file for held in packed.values() for file in held), *loose]
    if lacking := missing(files):
        archive.put_back(lacking)
        return 0
    for path in (*(file.path for file in loose), *packed):
        with suppress(FileNotFoundError):
            disk.unlink(path)
    # What is not ours to remove keeps its folder.
    with suppress(OSError):
        folder.rmdir()
    return len(files)
