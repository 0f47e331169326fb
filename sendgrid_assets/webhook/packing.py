"""Packing: the loaded files of past days into packs, a little at a time.

Belongs here: which files, in which steps, and for how long. Does not: a pack's format (`pack`).

A pack is written aside, made durable and read back; it gets its name; only then do its files go. Where that was cut
short the files are still there beside the day's newest pack, and go the next time if it has them byte for byte.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from . import pack
from .moving import leave, place

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from .archive import Archive, Archived

log = logging.getLogger(__name__)

PACK_BYTES = 64 * 1024 * 1024
"""Bytes of files in one pack, before compression."""

PACK_FILES = 5_000
"""Files in one pack."""

LARGEST = 256 * 1024 * 1024
"""Bytes of the largest file that is packed: a larger one would hold up the drain."""


def pack_days(
    archive: Archive, *, before: dt.date, seconds: float, clock: Callable[[], float] = time.monotonic
) -> int:
    """Packs files of past days, oldest first, until none is left loose or the time is up.

    Args:
        archive: one source's loaded files.
        before: the first day whose files stay loose.
        seconds: when no further pack is begun; each takes about one.
        clock: rising seconds.

    Returns:
        How many files were packed.

    Raises:
        OSError: a pack could not be written; what it was to hold stands as it was.
    """
    begun, packed = clock(), 0
    for day in archive.days():
        if day >= before or clock() - begun >= seconds:
            break
        if archive.has_loose(day):
            for group in _groups(_left_over(archive, day)):
                packed += _pack(archive, day, group)
                if clock() - begun >= seconds:
                    break
    return packed


def _left_over(archive: Archive, day: dt.date) -> list[Archived]:
    """The day's loose files, without those that its newest pack has: these are taken away."""
    loose, packs = archive.loose(day), archive.packs(day)
    if not packs:
        return loose
    try:
        there = {(file.entry, file.size) for file in archive.packed(packs[-1])}
        held = {
            file.path
            for file in loose
            if (file.entry, file.size) in there and pack.holds(packs[-1], file.path)
        }
    except pack.DamagedPackError:
        return loose
    if held:
        leave(archive.landing.disk, held, archive.folder(day), archive.folder(day))
    return [file for file in loose if file.path not in held]


def _groups(files: Iterable[Archived]) -> Iterator[list[Path]]:
    group: list[Path] = []
    size = 0
    for file in files:
        if file.size > LARGEST:
            continue
        if group and (size + file.size > PACK_BYTES or len(group) == PACK_FILES):
            yield group
            group, size = [], 0
        group.append(file.path)
        size += file.size
    if group:
        yield group


def _pack(archive: Archive, day: dt.date, group: Sequence[Path]) -> int:
    disk, folder, aside = archive.landing.disk, archive.folder(day), archive.aside()
    packs = archive.packs(day)
    number = 1 + (int(packs[-1].stem.removeprefix("packed-")) if packs else 0)
    try:
        members = {member.name: member for member in pack.write(disk, aside, group)}
        place(disk, aside, folder / f"packed-{number}.zip")
    except pack.DamagedPackError:
        log.exception("The files of %s stay as they are.", folder)
        return 0
    finally:
        with suppress(FileNotFoundError):
            disk.unlink(aside)
    unchanged = [path for path in group if _is_as_packed(path, members)]
    leave(disk, unchanged, folder, folder)
    return len(unchanged)


def _is_as_packed(path: Path, members: dict[str, pack.Member]) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return members.get(path.name) == pack.Member(path.name, found.st_size, found.st_mtime_ns)
