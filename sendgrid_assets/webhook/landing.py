"""The landing directory: a public protocol, so other programs may write it too.

    <root>/<source>/tmp/            being written; never read
    <root>/<source>/new/            complete files, in name order
    <root>/<source>/done/<date>/    loaded; kept for a retention
    <root>/<source>/rejected/       not readable, with <file>.reason.json beside it

Belongs here: which files there are and how they move. Does not: their content, nor when they move.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .durable import Disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SUFFIXES = tuple(kind + packed for kind in (".ndjson", ".jsonl", ".json") for packed in ("", ".gz"))
_RECEIVED_AT = re.compile(r"(\d{13})-")
_NUMBERED = re.compile(r"\.\d+$")


class LandingError(Exception):
    """The landing directory cannot be used; the text is one sentence that says why."""


@dataclass(frozen=True)
class LandingFile:
    """A complete file as it stood when listed; `size` in bytes, `mtime` in Unix seconds."""

    path: Path
    name: str
    size: int
    mtime: float

    @property
    def received_at(self) -> dt.datetime:
        """When its events came in, UTC: what our receiver put into the name, else the last change."""
        stamped = _RECEIVED_AT.match(self.name)
        seconds = int(stamped[1]) / 1000 if stamped else self.mtime
        return dt.datetime.fromtimestamp(seconds, dt.UTC)


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
                self._make(folder)
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

    def waiting(self) -> list[LandingFile]:
        """The complete files in `new/`, in name order. Only regular files with an accepted suffix are."""
        return sorted(self._files(self.new), key=lambda file: file.name)

    def passed_over(self) -> int:
        """How many entries of `new/` are not taken: folders, links, pipes, hidden and unknown names."""
        with os.scandir(self.new) as entries:
            return sum(not _taken(entry) for entry in entries)

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

    def finish(self, file: LandingFile, on: dt.date) -> None:
        """Moves a loaded file to `done/<on>/`, under a numbered name where its own is taken.

        One that is gone was moved by another drain; one that changed since it was listed stays, to be loaded
        again.
        """
        self._move(file, self.done / on.isoformat())

    def set_aside(self, file: LandingFile, reason: str) -> None:
        """Moves an unreadable file to `rejected/`, with the reason beside it."""
        moved = self._move(file, self.rejected)
        if moved is None:
            return
        told = {
            "file": file.name,
            "reason": reason,
            "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "size": file.size,
        }
        note = moved.with_name(f"{moved.name}.reason.json")
        descriptor = self.disk.create(note)
        try:
            self.disk.write(descriptor, json.dumps(told).encode() + b"\n")
            self.disk.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.disk.fsync_dir(self.rejected)

    def reconcile(self, ledgered: Callable[[str, int], bool], newest_days: int) -> int:
        """Returns files of `done/` that were not loaded to `new/`, and says how many.

        Args:
            ledgered: whether a file of this name and size in bytes was loaded.
            newest_days: how many of the newest day folders to look through.
        """
        returned = 0
        for day in sorted(self._days(), reverse=True)[:newest_days]:
            for file in list(self._files(self.done / day.isoformat(), numbered=True)):
                if not ledgered(file.name, file.size):
                    # Where a new file has the name, this one waits for a later drain.
                    with suppress(FileExistsError, FileNotFoundError):
                        self._carry(file.path, self.new / file.name)
                        returned += 1
        return returned

    def sweep(self, older_than_days: int, today: dt.date | None = None) -> int:
        """Removes files that have been in `done/` for more than so many days, and says how many.

        Args:
            older_than_days: the retention.
            today: the day to count back from; that of UTC by default.
        """
        oldest_kept = (today or dt.datetime.now(dt.UTC).date()) - dt.timedelta(days=older_than_days)
        removed = 0
        for day in self._days():
            if day < oldest_kept:
                folder = self.done / day.isoformat()
                removed += sum(1 for _ in folder.iterdir())
                shutil.rmtree(folder)
        return removed

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir()
        if not folder.is_dir():
            raise NotADirectoryError
        self.disk.fsync_dir(folder.parent)

    def _days(self) -> Iterator[dt.date]:
        for folder in self.done.iterdir():
            with suppress(ValueError):
                yield dt.date.fromisoformat(folder.name)

    def _files(self, folder: Path, *, numbered: bool = False) -> Iterator[LandingFile]:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = _NUMBERED.sub("", entry.name) if numbered else entry.name
                if _taken(entry, name):
                    with suppress(FileNotFoundError):
                        found = entry.stat(follow_symlinks=False)
                        yield LandingFile(folder / entry.name, name, found.st_size, found.st_mtime)

    def _move(self, file: LandingFile, folder: Path) -> Path | None:
        try:
            found = file.path.lstat()
        except FileNotFoundError:
            return None
        if (found.st_size, found.st_mtime) != (file.size, file.mtime):
            return None
        self._make(folder)
        number = 0
        while True:
            target = folder / (f"{file.name}.{number}" if number else file.name)
            try:
                self._carry(file.path, target)
            except FileNotFoundError:
                return None
            except FileExistsError:
                number += 1
            else:
                return target

    def _carry(self, source: Path, target: Path) -> None:
        try:
            self.disk.link(source, target)
        except FileExistsError:
            # The same file under both names is a move that was cut short.
            if not os.path.samestat(source.lstat(), target.lstat()):
                raise
        except PermissionError:
            # Linux refuses links to other users' files (fs.protected_hardlinks), but not to rename them.
            if os.path.lexists(target):
                raise FileExistsError(target) from None
            self.disk.rename(source, target)
            self.disk.fsync_dir(target.parent)
            self.disk.fsync_dir(source.parent)
            return
        self.disk.fsync_dir(target.parent)
        self.disk.unlink(source)
        self.disk.fsync_dir(source.parent)


def _taken(entry: os.DirEntry[str], name: str | None = None) -> bool:
    name = name or entry.name
    shown = not name.startswith(".") and name.isprintable() and name.endswith(SUFFIXES)
    return shown and entry.is_file(follow_symlinks=False)
