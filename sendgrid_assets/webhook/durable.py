"""The calls that make bytes last: create, write, fsync, link, unlink, rename, and fsync of a directory.

Belongs here: one method per call, so that a test can record or fail each. Does not: what is written where.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class FsyncError(OSError):
    """The kernel could not make bytes durable; it may have dropped them, so a second try would lie."""


class Disk:
    """The operating system's own calls."""

    def create(self, path: Path) -> int:
        """Opens a new file for appending and returns its descriptor; FileExistsError where there is one."""
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)

    def write(self, descriptor: int, data: bytes) -> None:
        """Writes all of the bytes."""
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def fsync(self, descriptor: int) -> None:
        """Makes a file's bytes durable.

        Raises:
            FsyncError: they may be lost; never to be tried again.
        """
        try:
            os.fsync(descriptor)
        except OSError as error:
            raise FsyncError(error.errno, "fsync failed") from error

    def fsync_dir(self, path: Path) -> None:
        """Makes a directory's entries durable.

        Raises:
            FsyncError: they may be lost.
        """
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.fsync(descriptor)
        finally:
            os.close(descriptor)

    def link(self, source: Path, target: Path) -> None:
        """Gives a file a second name; FileExistsError where the name is taken, never an overwrite."""
        os.link(source, target, follow_symlinks=False)

    def unlink(self, path: Path) -> None:
        """Takes a name away."""
        path.unlink()

    def rename(self, source: Path, target: Path) -> None:
        """Renames, overwriting: only where the target is known to be free."""
        source.rename(target)
