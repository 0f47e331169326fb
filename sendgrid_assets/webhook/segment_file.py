"""One segment as a file: written in `tmp/` under a lock, put into `new/` once it is whole.

Belongs here: the order of calls that makes its bytes last. Does not: when it is time (`segment`), nor files whose
writer died (`recovery`).
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from .durable import FsyncError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .landing import Landing

# From this size on, writing a piece by itself costs less than a copy of it.
_LARGE = 64 * 1024


class SegmentFile:
    """A file in `tmp/` that only this process writes: its lock says so to others.

    Attributes:
        size: durable bytes.
    """

    def __init__(self, landing: Landing, name: str, descriptor: int) -> None:
        self._landing, self._disk = landing, landing.disk
        self._name, self._descriptor = name, descriptor
        self._unsynced = self._linked = False
        self.size = 0

    @classmethod
    def create(cls, landing: Landing, name: Callable[[], str]) -> Self:
        """A new file, under the first name that is not taken from us.

        Raises:
            OSError: it cannot be made.
        """
        while True:
            chosen = name()
            descriptor = landing.disk.create(landing.tmp / chosen)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return cls(landing, chosen, descriptor)
            # A starting process took the file for an orphan before it was locked.
            os.close(descriptor)

    def append(self, pieces: list[bytes]) -> None:
        """Adds pieces of bytes, which are durable when it returns, if `keep` or `publish` has made the name so.

        Raises:
            FsyncError: they may be lost, and so may what is added later.
            OSError: nothing of them was kept.
        """
        try:
            for data in _in_few(pieces):
                self._disk.write(self._descriptor, data)
        except (OSError, MemoryError):
            self._cut()
            raise
        self._disk.fsync(self._descriptor)
        self._unsynced = False
        self.size += sum(map(len, pieces))

    def keep(self) -> None:
        """Makes the name in `tmp/` durable: `recovery` finds the file there after a power cut."""
        self._disk.fsync_dir(self._landing.tmp)

    def publish(self) -> None:
        """Puts the file into `new/`, durably; may be called again after an OSError.

        Raises:
            FsyncError: the name may be lost.
            OSError: `new/` cannot be written.
        """
        if self._unsynced:
            self._disk.fsync(self._descriptor)
            self._unsynced = False
        if not self._linked:
            self._disk.link(self._landing.tmp / self._name, self._landing.new / self._name)
            self._linked = True
        self._disk.fsync_dir(self._landing.new)
        self.discard()

    def discard(self) -> None:
        """Takes the name in `tmp/` away, and ends the writing."""
        # What cannot be removed now is by the next start.
        with suppress(OSError):
            self._disk.unlink(self._landing.tmp / self._name)
        self.abandon()

    def abandon(self) -> None:
        """Ends the writing and leaves the file to `recovery`."""
        os.close(self._descriptor)

    def _cut(self) -> None:
        """Back to the durable bytes: a torn line must not stand before what comes next."""
        try:
            os.ftruncate(self._descriptor, self.size)
        except OSError as error:
            raise FsyncError(error.errno, "a torn line cannot be cut off") from error
        self._unsynced = True


def _in_few(pieces: list[bytes]) -> Iterator[bytes]:
    """The same bytes in the same order, small neighbours in one."""
    small: list[bytes] = []
    for piece in pieces:
        if len(piece) < _LARGE:
            small.append(piece)
            continue
        if small:
            yield b"".join(small)
            small = []
        yield piece
    if small:
        yield b"".join(small)
