"""A disk that is full, by whatever means works here: a small tmpfs, else a limit on the size of files.

A plain user may mount a tmpfs in a namespace of his own, which only processes within it see: so all of a test, or of a
command, is run there (`within_namespace`).

Belongs here: filling it and making room. Does not: what is written to it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sendgrid_assets.warehouse.publish import publish

from .plant import Plant

TMPFS, LIMIT = "tmpfs", "file size limit"
MEANS = (TMPFS, LIMIT)
"""In the order in which they are tried: the first needs root, be it of a namespace, the last nothing."""

_UNSHARED = ["unshare", "-rm"]


@dataclass
class SmallDisk:
    """A folder whose disk can be filled.

    Attributes:
        folder: what stands on it.
        means: what makes it small.
        how: what a child must be started with.
    """

    folder: Path
    means: str
    how: dict[str, Any] = field(default_factory=dict)

    def fill(self, pid: int, leave: int = 8192) -> None:
        """Leaves so many bytes; `pid` is the child that is to meet a full disk."""
        if self.means == LIMIT:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (leave, resource.RLIM_INFINITY))
            return
        with (self.folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 16))
        size = (self.folder / "filler").stat().st_size
        with (self.folder / "filler").open("r+b") as file:
            file.truncate(size - leave)

    def make_room(self, pid: int) -> None:
        if self.means == LIMIT:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        else:
            (self.folder / "filler").unlink()


@contextmanager
def small_disk(folder: Path, size: int, *, means: Sequence[str] = MEANS) -> Iterator[SmallDisk]:
    """A small disk at an empty folder, which is made; by the first of some means that works.

    Raises:
        OSError: none of them does.
    """
    folder.mkdir()
    for one in means:
        with ExitStack() as stack:
            try:
                disk = stack.enter_context(_MADE[one](folder, size))
            except OSError:
                continue
            yield disk
            return
    raise OSError(errno.ENOTSUP, f"no small disk by {', '.join(means)}")


@contextmanager
def _tmpfs(folder: Path, size: int) -> Iterator[SmallDisk]:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, check=False)
    if done.returncode:
        raise PermissionError(done.stderr.decode())
    try:
        yield SmallDisk(folder, TMPFS)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


@contextmanager
def _file_size_limit(folder: Path, size: int) -> Iterator[SmallDisk]:
    yield SmallDisk(folder, LIMIT)


_MADE: dict[str, Callable[[Path, int], Any]] = {
    TMPFS: _tmpfs,
    LIMIT: _file_size_limit,
}


def within_namespace(program: list[str]) -> subprocess.CompletedProcess[str]:
    """Runs a program as its own namespace's root, who may mount there.

    Raises:
        PermissionError: the system lets this user have none.
    """
    try:
        subprocess.run([*_UNSHARED, "true"], check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise PermissionError(errno.EPERM, "no namespace of one's own") from error
    return subprocess.run([*_UNSHARED, *program], check=False, capture_output=True, text=True)


def publish_while_it_fills(plant: Plant, means: str) -> None:
    """A publish whose disk is full half-way through the copy."""
    copied = os.copy_file_range
    filled: list[bool] = []

    def copy(source: int, target: int, count: int) -> int:
        if not filled:
            filled.append(True)
            SmallDisk(plant.folder, means).fill(os.getpid(), os.fstat(source).st_size // 2)
        return copied(source, target, count)

    def unshared(*_: Any) -> int:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    os.copy_file_range = copy  # type: ignore[assignment]
    # Blocks that are shared need no room.
    fcntl.ioctl = unshared  # type: ignore[assignment]
    publish(plant.warehouse, plant.published)
