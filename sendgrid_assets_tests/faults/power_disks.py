"""Every disk that a power cut may leave: which follows from what was done to it, in which order, and what was fsynced.

Belongs here: the operations, and enumerating the disks after each. Does not: who does the operations
(`power_record`), what must hold on such a disk (`power_checks`).

Bytes that were not fsynced may be absent, half there, zeros or whole; entries of a folder that was not fsynced may be
there or not, each for itself; only a rename is there as a whole or not at all.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST_AT_ONCE = 256
"""Disks after one operation past which so many are drawn."""

TORN = ("whole", "absent", "half", "zeros", "half, zeros")
UNTORN = ("whole", "absent")


@dataclass(frozen=True)
class Body:
    """What an inode holds: a file's bytes, or nothing for a folder."""

    inode: int
    data: bytes | None = field(repr=False, compare=False)
    mode: int = 0o644
    mtime_ns: int = 0
    digest: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha1(self.data or b"").digest())


@dataclass(frozen=True)
class Names:
    """Entries that are there together or not at all; None for those that went."""

    entries: tuple[tuple[Path, int | None], ...]


@dataclass(frozen=True)
class Fsync:
    inode: int


@dataclass(frozen=True)
class FsyncFolder:
    path: Path


@dataclass(frozen=True)
class Told:
    """What somebody was told from here on: that it is durable."""

    what: Any


Operation = Body | Names | Fsync | FsyncFolder | Told


@dataclass
class Log:
    """What was there, and what was done then."""

    start: list[Operation] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)


@dataclass(frozen=True)
class Piece:
    """A file as a cut left it."""

    inode: int
    latest: Body
    synced: Body | None
    form: str
    mode: int
    mtime_ns: int

    @property
    def data(self) -> bytes:
        new = self.latest.data or b""
        old = (self.synced.data if self.synced else None) or b""
        kept = len(old) if new.startswith(old) else 0
        half = kept + (len(new) - kept) // 2
        if self.form == "absent":
            return old
        return {
            "whole": new,
            "half": new[:half],
            "zeros": new[:kept] + bytes(len(new) - kept),
            "half, zeros": new[:half] + bytes(len(new) - half),
        }[self.form]

    @property
    def key(self) -> tuple[bytes, ...]:
        """The same for the same bytes, without making them."""
        if self.form == "whole":
            return (self.latest.digest,)
        old = self.synced.digest if self.synced else b""
        return (old,) if self.form == "absent" else (self.latest.digest, old, self.form.encode())


@dataclass(frozen=True)
class Disk:
    """One disk after a cut: its folders, its files, and what had been told."""

    folders: frozenset[Path]
    files: Mapping[Path, Piece]
    told: tuple[Any, ...]

    @property
    def key(self) -> Any:
        pieces = ((path, one.inode, one.key, one.mode, one.mtime_ns) for path, one in self.files.items())
        return self.folders, frozenset(pieces), self.told

    def build(self, root: Path) -> None:
        """Makes it, in an empty folder or none."""
        root.mkdir(parents=True, exist_ok=True)
        for folder in sorted(self.folders):
            (root / folder).mkdir(exist_ok=True)
        placed: dict[int, Path] = {}
        for path, piece in sorted(self.files.items(), key=lambda item: item[0]):
            target = root / path
            if piece.inode in placed:
                target.hardlink_to(placed[piece.inode])
                continue
            placed[piece.inode] = target
            target.write_bytes(piece.data)
            target.chmod(piece.mode)
            os.utime(target, ns=(piece.mtime_ns, piece.mtime_ns))


def disks(
    start: Iterable[Operation],
    operations: Iterable[Operation],
    *,
    untorn: Callable[[Path], bool] = lambda _path: False,
    chance: random.Random | None = None,
) -> Iterator[Disk]:
    """Every disk after each of the operations, each once.

    Args:
        start: what was done long before: all of it is durable.
        operations: what is done now.
        untorn: files of which un-fsynced bytes are all there or none.
        chance: draws where there are too many.
    """
    held = _Held(untorn, chance or random.Random(0))
    for operation in start:
        held.do(operation)
    held.settle()
    seen = set()
    for operation in (Told(None), *operations):
        held.do(operation)
        for disk in held.disks():
            if (key := disk.key) not in seen:
                seen.add(key)
                yield disk


class _Held:
    """What is durable so far, and what is not yet."""

    def __init__(self, untorn: Callable[[Path], bool], chance: random.Random) -> None:
        self._untorn, self._chance = untorn, chance
        self._latest: dict[int, Body] = {}
        self._synced: dict[int, Body] = {}
        self._entries: dict[Path, int] = {}
        self._pending: list[Names] = []
        self._told: list[Any] = []

    def do(self, operation: Operation) -> None:
        match operation:
            case Body():
                self._latest[operation.inode] = operation
            case Names():
                self._pending.append(operation)
            case Fsync():
                self._synced[operation.inode] = self._latest[operation.inode]
            case FsyncFolder():
                for change in [one for one in self._pending if _is_in(one, operation.path)]:
                    _apply(self._entries, change)
                    self._pending.remove(change)
            case Told():
                if operation.what is not None:
                    self._told.append(operation.what)

    def settle(self) -> None:
        for change in self._pending:
            _apply(self._entries, change)
        self._pending.clear()
        self._synced = dict(self._latest)

    def disks(self) -> Iterator[Disk]:
        for entries in self._possible_entries():
            there = {path: inode for path, inode in entries.items() if _is_reached(path, entries)}
            folders = frozenset(path for path, inode in there.items() if self._latest[inode].data is None)
            files = {path: inode for path, inode in there.items() if path not in folders}
            inodes = sorted(set(files.values()))
            for pieces in self._drawn([self._pieces(inode, files) for inode in inodes]):
                by_inode = dict(zip(inodes, pieces, strict=True))
                yield Disk(
                    folders, {path: by_inode[inode] for path, inode in files.items()}, tuple(self._told)
                )

    def _possible_entries(self) -> list[dict[Path, int]]:
        found: dict[Any, dict[Path, int]] = {}
        for happened in self._drawn([(True, False)] * len(self._pending)):
            entries = dict(self._entries)
            for change, there in zip(self._pending, happened, strict=True):
                if there:
                    _apply(entries, change)
            found[frozenset(entries.items())] = entries
        return list(found.values())

    def _pieces(self, inode: int, files: Mapping[Path, int]) -> list[Piece]:
        latest, synced = self._latest[inode], self._synced.get(inode)
        if latest == synced:
            return [Piece(inode, latest, synced, "whole", latest.mode, latest.mtime_ns)]
        if synced and latest.digest == synced.digest:
            return [Piece(inode, latest, synced, "whole", one.mode, one.mtime_ns) for one in (latest, synced)]
        whole = any(self._untorn(path) for path, of in files.items() if of == inode)
        return [
            Piece(inode, latest, synced, form, latest.mode, latest.mtime_ns)
            for form in (UNTORN if whole else TORN)
        ]

    def _drawn(self, choices: list[Any]) -> Iterator[tuple[Any, ...]]:
        number = 1
        for one in choices:
            number *= len(one)
        if number <= MOST_AT_ONCE:
            yield from itertools.product(*choices)
        else:
            for _ in range(MOST_AT_ONCE):
                yield tuple(self._chance.choice(one) for one in choices)


def _is_in(change: Names, folder: Path) -> bool:
    return any(path.parent == folder for path, _ in change.entries)


def _is_reached(path: Path, entries: Mapping[Path, int]) -> bool:
    return all(parent in entries for parent in path.parents if parent != parent.parent)


def _apply(entries: dict[Path, int], change: Names) -> None:
    for path, inode in change.entries:
        if inode is None:
            entries.pop(path, None)
        else:
            entries[path] = inode
