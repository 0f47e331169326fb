"""Disks that record, count or fail the durable calls."""

from __future__ import annotations

import errno
import os
import signal
import stat
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sendgrid_assets.webhook.durable import Disk, FsyncError

SEAM = tuple(name for name in vars(Disk) if not name.startswith("_"))


class CountingDisk(Disk):
    """Counts the calls."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def write(self, descriptor: int, data: bytes) -> None:
        self.calls["write"] += 1
        super().write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        self.calls["fsync"] += 1
        super().fsync(descriptor)


class SlowDisk(CountingDisk):
    """Takes its time for every fsync, as disks under load do."""

    def fsync(self, descriptor: int) -> None:
        time.sleep(0.02)
        super().fsync(descriptor)


class FailingDisk(CountingDisk):
    """Fails the named calls while `failing` holds an errno."""

    def __init__(self, *calls: str, failing: int | None = None) -> None:
        super().__init__()
        self._failed, self.failing = calls, failing

    def write(self, descriptor: int, data: bytes) -> None:
        if "write" in self._failed and self.failing:
            os.write(descriptor, data[: len(data) // 2])
            raise OSError(self.failing, os.strerror(self.failing))
        super().write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        super().fsync(descriptor)
        if "fsync" in self._failed and self.failing:
            raise FsyncError(self.failing, os.strerror(self.failing))

    def link(self, source: Path, target: Path) -> None:
        if "link" in self._failed and self.failing:
            raise OSError(self.failing, os.strerror(self.failing))
        super().link(source, target)


class BrokenFsync(Disk):
    """Every fsync fails as a dying disk's does."""

    def fsync(self, descriptor: int) -> None:
        raise FsyncError(errno.EIO, os.strerror(errno.EIO))


class RecordingDisk(Disk):
    """Keeps a log of operations: what a power cut may leave is worked out from it."""

    def __init__(self) -> None:
        self.log: list[tuple[str, object, object]] = []
        self._open: dict[int, Path] = {}

    def create(self, path: Path) -> int:
        descriptor = super().create(path)
        self._open[descriptor] = path
        self.log.append(("create", path, None))
        return descriptor

    def write(self, descriptor: int, data: bytes) -> None:
        super().write(descriptor, data)
        self.log.append(("write", self._open[descriptor], data))

    def fsync(self, descriptor: int) -> None:
        super().fsync(descriptor)
        # A directory's descriptor comes from `fsync_dir`, which logs itself.
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            # Not all were opened here.
            self.log.append(("fsync", Path(f"/proc/self/fd/{descriptor}").readlink(), None))

    def fsync_dir(self, path: Path) -> None:
        super().fsync_dir(path)
        self.log.append(("fsync_dir", path, None))

    def link(self, source: Path, target: Path) -> None:
        super().link(source, target)
        self.log.append(("link", source, target))

    def unlink(self, path: Path) -> None:
        super().unlink(path)
        self.log.append(("unlink", path, None))

    def acknowledge(self, line: bytes) -> None:
        self.log.append(("acknowledge", line, None))


class DyingDisk(Disk):
    """Kills the process around the n-th call, of one kind or of any; `number` 0 only counts.

    Attributes:
        made: how many calls there were.
    """

    def __init__(self, call: str | None, number: int, *, after: bool) -> None:
        self._call, self._number, self._after = call, number, after
        self.made = 0
        self._within = False

    def __getattribute__(self, name: str) -> Any:
        method = super().__getattribute__(name)
        # An fsync of a directory is one call, whatever it is made of.
        if name not in SEAM or self._call not in (None, name) or self._within:
            return method
        return partial(self._around, name, method)

    def _around(self, name: str, method: Callable[..., Any], *args: Any) -> Any:
        self.made += 1
        mine = self.made == self._number
        if mine and not self._after:
            self._fail(name, args)
        self._within = True
        try:
            result = method(*args)
        finally:
            self._within = False
        if mine:
            self._fail(name, args)
        return result

    def _fail(self, name: str, args: tuple[Any, ...]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class FailingOnce(DyingDisk):
    """The n-th call of any kind fails with an errno; a write does so half way."""

    def __init__(self, number: int, error: int) -> None:
        super().__init__(None, number, after=False)
        self._error = error

    def _fail(self, name: str, args: tuple[Any, ...]) -> None:
        if name == "write":
            os.write(args[0], args[1][: len(args[1]) // 2])
        kind = FsyncError if name.startswith("fsync") else OSError
        raise kind(self._error, os.strerror(self._error))
