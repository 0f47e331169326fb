"""The landing directory: a public protocol, so other programs may write it too.

    <root>/<source>/tmp/            being written; never read
    <root>/<source>/new/            complete files, in name order
    <root>/<source>/done/<date>/    loaded; kept for a retention (`archive`)
    <root>/<source>/rejected/       not readable, with <file>.reason.json beside it

Belongs here: which files wait and where they move. Does not: their content, nor when they move.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import filelock

from .durable import Disk
from .moving import leave, make_folder, place_numbered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

SUFFIXES = tuple(kind + packed for kind in (".ndjson", ".jsonl", ".json") for packed in ("", ".gz"))
REASON = ".reason.json"
# What a name gets in `done/` and `rejected/`, a number and a reason's suffix, must fit a file system's 255 bytes too.
_LONGEST_NAME = 230
"""Ends the name of what says why a file is in `rejected/`."""

OWN_NAME = re.compile(r"\d{13}-.+-\d+-[0-9a-f]{16}\.(ndjson|json)")
"""The name of a file that our receiver writes: no two have the same."""
_RECEIVED_AT = re.compile(r"(\d{13})-")


class LandingError(Exception):
    """The landing directory cannot be used; the text is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class LandingFile:
    """A complete file as it stood when listed; `size` in bytes, `mtime` in Unix seconds."""

    path: Path
    name: str
    size: int
    mtime: float

    @property
    def received_at(self) -> dt.datetime:
        """When its events came in, UTC: what our receiver put into the name, else the last change.

        The present, where that is told as of no year there is.
        """
        stamped = _RECEIVED_AT.match(self.name)
        seconds = int(stamped[1]) / 1000 if stamped else self.mtime
        try:
            return dt.datetime.fromtimestamp(seconds, dt.UTC)
        except (ValueError, OverflowError, OSError):
            return dt.datetime.now(dt.UTC)


class Landing:
    """One source's part of the landing directory."""

    def __init__(self, root: Path, source: str, disk: Disk | None = None) -> None:
        self.source = source
        self.disk = disk or Disk()
        self.root = root / source
        self.tmp, self.new, self.done, self.rejected = (
            self.root / name for name in ("tmp", "new", "done", "rejected")
        )

    def prepare(self) -> None:
        """Makes the folders that are missing.

        Raises:
            LandingError: one is a file, cannot be made, or lies on another file system than `new/`.
        """
        for folder in (self.tmp, self.new, self.done, self.rejected):
            try:
                make_folder(self.disk, folder)
            except (FileExistsError, NotADirectoryError) as error:
                raise LandingError(f"{folder} should be a folder, but a file is in the way.") from error
            except OSError as error:
                raise LandingError(f"{folder} cannot be made: {error.strerror}.") from error
        for folder in (self.tmp, self.done, self.rejected):
            if folder.stat().st_dev != self.new.stat().st_dev:
                raise LandingError(
                    f"{folder} and {self.new} are on two file systems: files could not be moved at once; "
                    "put both on one."
                )

    def trouble(self) -> str | None:
        """Why nothing can be put into `new/` as it stands, in one sentence; None when it can."""
        for folder in (self.tmp, self.new):
            if not folder.is_dir():
                return f"{folder} is no folder."
            if not os.access(folder, os.W_OK | os.X_OK):
                return f"{folder} cannot be written."
        return None

    def turn(self, seconds: float) -> AbstractContextManager[None]:
        """Waits for this drain's turn, and keeps it: a kernel lock, which dies with its process.

        Args:
            seconds: how long to wait.

        Raises:
            LandingError: the turn did not come in time.
        """
        return self._locked(".lock", seconds, "Another drain has been at work")

    def is_drained(self) -> bool:
        """Whether a drain that lives has its turn now.

        Raises:
            OSError: the folder cannot be used.
        """
        try:
            with self.turn(0):
                return False
        except LandingError:
            return True

    def kept(self, seconds: float) -> AbstractContextManager[None]:
        """As `turn`, for what stands in `done/`: nobody else packs or removes any of it."""
        return self._locked(".done.lock", seconds, "Another replay or drain has been reading what was loaded")

    @contextmanager
    def _locked(self, name: str, seconds: float, what: str) -> Iterator[None]:
        lock = filelock.FileLock(self.root / name, timeout=seconds)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise LandingError(
                f"{what} in {self.root} for {seconds:.0f} s: let it end, or end it, and start this one again."
            ) from None
        try:
            yield
        finally:
            lock.release()

    def waiting(self) -> list[LandingFile]:
        """The complete files in `new/`, in name order. Only regular files with an accepted suffix are."""
        return list(self.in_order())

    def in_order(self) -> Iterator[LandingFile]:
        """As `waiting`, one by one: of a long backlog only the names are held."""
        with os.scandir(self.new) as entries:
            names = sorted(entry.name for entry in entries if is_taken(entry))
        return listed(self.new, names)

    def passed_over(self) -> int:
        """How many entries of `new/` are not taken: folders, links, pipes, hidden and unknown names."""
        with os.scandir(self.new) as entries:
            return sum(not is_taken(entry) for entry in entries)

    def publish(self, name: str, data: bytes) -> None:
        """Puts a complete file into `new/`, durably.

        Raises:
            FileExistsError: the name is taken in `new/`; nothing is overwritten.
        """
        aside = self.tmp / f"{name}.{secrets.token_hex(8)}"
        descriptor = self.disk.create(aside)
        try:
            try:
                self.disk.write(descriptor, data)
                self.disk.fsync(descriptor)
            finally:
                os.close(descriptor)
            self.disk.link(aside, self.new / name)
            self.disk.fsync_dir(self.new)
        finally:
            self.disk.unlink(aside)

    def finish(self, files: Iterable[LandingFile], on: dt.date) -> None:
        """Moves loaded files to `done/<on>/`, under a numbered name where their own is taken.

        One that is gone was moved by another drain; one that changed since it was listed stays, to be loaded
        again.
        """
        self._move(files, self.done / on.isoformat())

    def set_aside(self, file: LandingFile, reason: str) -> None:
        """Moves an unreadable file to `rejected/`, with the reason beside it."""
        moved = self._move([file], self.rejected)
        if not moved:
            return
        told = {
            "file": file.name,
            "reason": reason,
            "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "size": file.size,
        }
        note = moved[0].with_name(f"{moved[0].name}{REASON}")
        # One that is there belonged to a file that was mended and taken away.
        with suppress(FileNotFoundError):
            self.disk.unlink(note)
        # Hidden until it is whole; one that a crash leaves is the reason of no file, and cleared as such.
        aside = note.with_name(f".{note.name}")
        with suppress(FileNotFoundError):
            self.disk.unlink(aside)
        descriptor = self.disk.create(aside)
        try:
            self.disk.write(descriptor, json.dumps(told).encode() + b"\n")
            self.disk.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.disk.rename(aside, note)
        self.disk.fsync_dir(self.rejected)

    def clear_reasons(self) -> None:
        """Removes the reasons of files that are no longer in `rejected/`: they were mended, or taken away."""
        with os.scandir(self.rejected) as entries:
            names = {entry.name for entry in entries}
        for name in names:
            if name.endswith(REASON) and name.removesuffix(REASON) not in names:
                self.disk.unlink(self.rejected / name)

    def _move(self, files: Iterable[LandingFile], folder: Path) -> list[Path]:
        make_folder(self.disk, folder)
        left, targets = [], []
        for file in files:
            with suppress(FileNotFoundError):
                found = file.path.lstat()
                if (found.st_size, found.st_mtime) == (file.size, file.mtime):
                    targets.append(place_numbered(self.disk, file.path, folder / file.name))
                    left.append(file.path)
        if left:
            leave(self.disk, left, self.new, folder)
        return targets


def is_taken(entry: os.DirEntry[str], name: str | None = None) -> bool:
    """Whether an entry is a file of ours to load: regular, shown, with a suffix we know and a name not too long.

    Args:
        entry: what stands in the folder.
        name: the name it came under, where that is another.
    """
    name = name or entry.name
    shown = not name.startswith(".") and name.isprintable() and not name.endswith(REASON)
    return (
        shown
        and len(os.fsencode(name)) <= _LONGEST_NAME
        and name.endswith(SUFFIXES)
        and entry.is_file(follow_symlinks=False)
    )


def listed(folder: Path, names: Iterable[str]) -> Iterator[LandingFile]:
    """Files as they stand now, those that are gone left out; their name is the one they came under."""
    for name in names:
        with suppress(FileNotFoundError):
            path = folder / name
            found = path.lstat()
            yield LandingFile(path, name, found.st_size, found.st_mtime)
