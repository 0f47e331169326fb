"""A disk that is full, by whatever means works here: a small tmpfs, else a limit on the size of files.

Belongs here: filling it and making room. Does not: what is written to it.
"""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


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
        if self.means == "tmpfs":
            with (self.folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(bytes(1 << 16))
            size = (self.folder / "filler").stat().st_size
            with (self.folder / "filler").open("r+b") as file:
                file.truncate(size - leave)
        else:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (leave, resource.RLIM_INFINITY))

    def make_room(self, pid: int) -> None:
        if self.means == "tmpfs":
            (self.folder / "filler").unlink()
        else:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[SmallDisk]:
    """A small disk at an empty folder, which is made."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        yield SmallDisk(folder, "file size limit")
        return
    try:
        yield SmallDisk(folder, "tmpfs")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)
