"""A pack: many loaded files of one day in one, byte for byte; an ordinary zip file, so any tool reads it too.

Belongs here: its format. Does not: which files are packed and when (`packing`).

Each member has the name its file had in the day's folder; its comment is the file's modification time in
nanoseconds, which zip itself would round.
"""

from __future__ import annotations

import os
import re
import shutil
import time
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from .durable import Disk

NAME = re.compile(r"packed-(\d+)\.zip")
_PIECE = 1 << 20
_FIRST, _LAST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)


class DamagedPackError(Exception):
    """A pack cannot be read; the text says which, and why."""


@dataclass(frozen=True, slots=True)
class Member:
    """One packed file: its name in the day's folder, bytes, and modification time in Unix nanoseconds."""

    name: str
    size: int
    mtime_ns: int


class _Out:
    """What zipfile writes to: our disk, front to back, in large pieces."""

    def __init__(self, disk: Disk, descriptor: int) -> None:
        self._disk, self._descriptor, self._held = disk, descriptor, bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        if len(self._held) >= _PIECE:
            self.flush()
        return len(data)

    def flush(self) -> None:
        self._disk.write(self._descriptor, bytes(self._held))
        self._held.clear()

    def close(self) -> None:
        self.flush()


def write(disk: Disk, target: Path, files: Iterable[Path]) -> list[Member]:
    """Writes a pack, durably, and reads it back.

    Args:
        disk: the calls to write with.
        target: a new file.
        files: what to pack; each is taken as long as it is when opened, those that are gone are left out.

    Returns:
        What is in it.

    Raises:
        OSError: it could not be written.
        DamagedPackError: what was written is not what was read.
    """
    descriptor = disk.create(target)
    try:
        out = _Out(disk, descriptor)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as pack:
            for path in files:
                _add(pack, path)
        out.close()
        disk.fsync(descriptor)
    finally:
        os.close(descriptor)
    with _opened(target) as pack:
        if damaged := pack.testzip():
            raise DamagedPackError(f"{target}: {damaged} was not written as it was read.")
        return list(map(_member, pack.infolist()))


def members(path: Path) -> list[Member]:
    """What a pack holds.

    Raises:
        DamagedPackError: it cannot be read.
    """
    with _opened(path) as pack:
        return list(map(_member, pack.infolist()))


def holds(path: Path, file: Path) -> bool:
    """Whether a pack has this very file: name, modification time and every byte.

    Raises:
        DamagedPackError: the pack cannot be read.
    """
    with _opened(path) as pack, file.open("rb") as loose:
        if file.name not in pack.NameToInfo:
            return False
        info = pack.getinfo(file.name)
        found = os.fstat(loose.fileno())
        if _member(info) != Member(file.name, found.st_size, found.st_mtime_ns):
            return False
        with _told(path), pack.open(info) as packed:
            return all(packed.read(_PIECE) == piece for piece in iter(lambda: loose.read(_PIECE), b""))


@contextmanager
def extractor(path: Path) -> Iterator[Callable[[str, IO[bytes]], None]]:
    """What writes a member's bytes, by its name, to an open file, and gives that the member's time.

    Raises:
        DamagedPackError: the pack cannot be read; from the function, the member cannot.
    """
    with _opened(path) as pack:

        def extract(member: str, target: IO[bytes]) -> None:
            with _told(path), pack.open(member) as packed:
                shutil.copyfileobj(packed, target, _PIECE)
                target.flush()
            mtime = _member(pack.getinfo(member)).mtime_ns
            os.utime(target.fileno(), ns=(mtime, mtime))

        yield extract


def _add(pack: zipfile.ZipFile, path: Path) -> None:
    try:
        loose = path.open("rb")
    except FileNotFoundError:
        return
    with loose:
        found = os.fstat(loose.fileno())
        at = time.gmtime(found.st_mtime)[:6]
        info = zipfile.ZipInfo(path.name, min(max(at, _FIRST), _LAST))
        info.comment = b"%d" % found.st_mtime_ns
        info.compress_type = zipfile.ZIP_STORED if path.suffix == ".gz" else zipfile.ZIP_DEFLATED
        info.file_size = found.st_size
        info.external_attr = 0o640 << 16
        with pack.open(info, "w") as packed:
            left = found.st_size
            while left and (piece := loose.read(min(left, _PIECE))):
                packed.write(piece)
                left -= len(piece)


def _member(info: zipfile.ZipInfo) -> Member:
    return Member(info.filename, info.file_size, int(info.comment or 0))


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    with _told(path):
        pack = zipfile.ZipFile(path)
    with pack:
        yield pack


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DamagedPackError(f"{path} is damaged: {error}.") from error
