"""`done/`: what was loaded, day by day, as loose files and in packs.

Belongs here: what is there, and how it gets back to be loaded again. Does not: packing (`packing`), removing
(`retention`), and what the ledger says of it (`warehouse.reconcile`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import os
import re
import secrets
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from . import pack
from .landing import LandingFile, is_taken
from .moving import leave, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from .landing import Landing

log = logging.getLogger(__name__)

ASIDE = ".archive-"
"""Begins the name in `tmp/` of what is written for `done/` or from it."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBERED = re.compile(r"\.\d+$")


@dataclass(frozen=True, slots=True)
class Archived:
    """A loaded file.

    Attributes:
        path: itself, or the pack it is in.
        entry: its name there.
        size: its bytes.
        packed: whether it is in a pack.
    """

    path: Path
    entry: str
    size: int
    packed: bool

    @property
    def name(self) -> str:
        """The name it came under."""
        return unnumbered(self.entry)


def unnumbered(entry: str) -> str:
    """A file's own name: without the number that a second of its name gets."""
    return _NUMBERED.sub("", entry)


class Archive:
    """One source's loaded files; to be changed only by who has the landing directory's turn."""

    def __init__(self, landing: Landing) -> None:
        self.landing = landing

    def folder(self, day: dt.date) -> Path:
        """Where a day's files are."""
        return self.landing.done / day.isoformat()

    def days(self) -> list[dt.date]:
        """The days there are, oldest first."""
        days = []
        with os.scandir(self.landing.done) as entries:
            for entry in entries:
                if _DAY.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                    with suppress(ValueError):
                        days.append(dt.date.fromisoformat(entry.name))
        return sorted(days)

    def has_loose(self, day: dt.date) -> bool:
        """Whether any of the day's files is in no pack."""
        return next(self._loose(day), None) is not None

    def loose(self, day: dt.date, names: AbstractSet[str] | None = None) -> list[Archived]:
        """The day's files that are in no pack, in name order; only those of the names, where these are given."""
        found = []
        for name in sorted(self._loose(day)):
            if names is not None and unnumbered(name) not in names:
                continue
            path = self.folder(day) / name
            with suppress(FileNotFoundError):
                found.append(Archived(path, name, path.lstat().st_size, False))
        return found

    def packs(self, day: dt.date) -> list[Path]:
        """The day's packs, oldest first."""
        with suppress(FileNotFoundError), os.scandir(self.folder(day)) as entries:
            names = sorted(
                (int(name[1]), name[0]) for entry in entries if (name := pack.NAME.fullmatch(entry.name))
            )
            return [self.folder(day) / name for _, name in names]
        return []

    def packed(self, path: Path) -> list[Archived]:
        """The files in a pack.

        Raises:
            DamagedPackError: it cannot be read.
        """
        return [Archived(path, member.name, member.size, True) for member in pack.members(path)]

    def files(self, day: dt.date) -> Iterator[Archived]:
        """The day's files, those in packs first; a damaged pack is passed over with a warning."""
        for path in self.packs(day):
            try:
                yield from self.packed(path)
            except pack.DamagedPackError as error:
                log.warning("%s What it holds cannot be loaded again; it is kept.", error)
        yield from self.loose(day)

    def damaged(self, day: dt.date) -> list[Path]:
        """The day's packs that cannot be read."""
        found = []
        for path in self.packs(day):
            try:
                pack.members(path)
            except pack.DamagedPackError:
                found.append(path)
        return found

    def put_back(self, files: Sequence[Archived]) -> tuple[int, int]:
        """Gives files back to `new/`; says how many, and how many must wait since a new one has their name."""
        returned = waiting = 0
        with _unpacking() as unpack:
            for file in files:
                target = self.landing.new / file.name
                try:
                    if file.packed:
                        self._unpack(file, target, unpack)
                    else:
                        place(self.landing.disk, file.path, target)
                        leave(self.landing.disk, [file.path], file.path.parent, self.landing.new)
                except FileExistsError:
                    waiting += 1
                except FileNotFoundError:
                    continue
                except pack.DamagedPackError as error:
                    log.warning("%s %s cannot be loaded again; the pack is kept.", error, file.name)
                else:
                    returned += 1
        return returned, waiting

    def copied(self, files: Sequence[Archived], folder: Path) -> list[LandingFile]:
        """Files to read: loose ones where they are, packed ones copied into an empty folder of the caller's.

        Those that are gone or cannot be read are left out, the latter with a warning.
        """
        found = []
        with _unpacking() as unpack:
            for number, file in enumerate(files):
                path = folder / str(number) if file.packed else file.path
                try:
                    if file.packed:
                        with path.open("xb") as out:
                            unpack(file, out)
                    stat = path.lstat()
                except FileNotFoundError:
                    continue
                except pack.DamagedPackError as error:
                    log.warning("%s %s cannot be loaded again; the pack is kept.", error, file.name)
                else:
                    found.append(LandingFile(path, file.name, stat.st_size, stat.st_mtime))
        return found

    def digests(self, files: Sequence[Archived]) -> Iterator[tuple[int, str]]:
        """SHA-256 of each file, in hexadecimal, with its place; those that are gone or cannot be read are left out."""
        with _unpacking() as unpack:
            for number, file in enumerate(files):
                try:
                    if file.packed:
                        with tempfile.TemporaryFile() as out:
                            unpack(file, out)
                            out.seek(0)
                            digest = hashlib.file_digest(out, "sha256")
                    else:
                        with file.path.open("rb") as loose:
                            digest = hashlib.file_digest(loose, "sha256")
                except (OSError, pack.DamagedPackError) as error:
                    log.warning("%s cannot be compared with what was loaded: %s", file.name, error)
                    continue
                yield number, digest.hexdigest()

    def clear_strays(self) -> None:
        """Removes from `tmp/` what a process that died was writing for us."""
        with os.scandir(self.landing.tmp) as entries:
            strays = [entry.name for entry in entries if entry.name.startswith(ASIDE)]
        for name in strays:
            self.landing.disk.unlink(self.landing.tmp / name)

    def aside(self) -> Path:
        """A free name in `tmp/`."""
        return self.landing.tmp / f"{ASIDE}{secrets.token_hex(8)}"

    def _loose(self, day: dt.date) -> Iterator[str]:
        with suppress(FileNotFoundError), os.scandir(self.folder(day)) as entries:
            for entry in entries:
                if is_taken(entry, unnumbered(entry.name)):
                    yield entry.name

    def _unpack(self, file: Archived, target: Path, unpack: Callable[[Archived, IO[bytes]], None]) -> None:
        if os.path.lexists(target):
            raise FileExistsError(target)
        disk, aside = self.landing.disk, self.aside()
        try:
            with os.fdopen(disk.create(aside), "wb") as out:
                unpack(file, out)
                disk.fsync(out.fileno())
            place(disk, aside, target)
        finally:
            with suppress(FileNotFoundError):
                disk.unlink(aside)
        disk.fsync_dir(self.landing.new)


@contextmanager
def _unpacking() -> Iterator[Callable[[Archived, IO[bytes]], None]]:
    """What writes a packed file to an open one; each pack is opened once."""
    with ExitStack() as stack:
        opened: dict[Path, Callable[[str, IO[bytes]], None]] = {}

        def unpack(file: Archived, out: IO[bytes]) -> None:
            if file.path not in opened:
                opened[file.path] = stack.enter_context(pack.extractor(file.path))
            opened[file.path](file.entry, out)

        yield unpack
