"""Group commit: many submissions share one segment file and one fsync.

Belongs here: what becomes durable when, and what a failure means to those who wait. Does not: HTTP, nor what
stands in a line.

A commit writes one file in `tmp/` (locked), fsyncs it, links it into `new/`, fsyncs that folder. Submissions
that come in meanwhile make up the next commit, so batches grow with the load and no one waits for a timer.
"""

from __future__ import annotations

import errno
import fcntl
import os
import queue
import re
import secrets
import socket
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from .durable import FsyncError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .landing import Landing

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OWN_NAME = re.compile(r"\d{13}-.+-\d+-[0-9a-f]{16}\.(ndjson|json)")


class NotStored(Exception):  # noqa: N818
    """The bytes were not made durable; the text says why. A later submission may succeed."""


class Broken(NotStored):
    """An fsync failed: nothing more is stored by this process."""


class _Submission(NamedTuple):
    data: bytes
    suffix: str
    stored: Future[None]


class SegmentWriter:
    """Writes one source's submissions from a thread of its own.

    Args:
        landing: where to; prepared.
        clock: Unix time in seconds.
        observe: told the seconds of each commit, from the first byte to the last fsync.
        on_broken: called once, in the writer's thread, when it can store nothing more.

    Attributes:
        failure: why the last commit failed, and when (`time.monotonic`); None when it did not.
        busy_since: when the commit under way began (`time.monotonic`); None between commits.
    """

    def __init__(
        self,
        landing: Landing,
        *,
        clock: Callable[[], float] = time.time,
        observe: Callable[[float], None] | None = None,
        on_broken: Callable[[], None] | None = None,
    ) -> None:
        self._landing, self._disk = landing, landing.disk
        self._clock, self._observe, self._on_broken = clock, observe, on_broken
        self._host = re.sub(r"[^A-Za-z0-9.]", "_", socket.gethostname()) or "host"
        self._last_ms = 0
        self._waiting: queue.SimpleQueue[_Submission | None] = queue.SimpleQueue()
        self.failure: tuple[NotStored, float] | None = None
        self.busy_since: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"segments-{landing.source}", daemon=True)
        self._thread.start()

    @property
    def broken(self) -> bool:
        """Whether an fsync failed."""
        return self.failure is not None and isinstance(self.failure[0], Broken)

    def submit(self, lines: list[bytes]) -> Future[None]:
        """Stores lines, at least one, each without its end.

        Returns:
            A future that resolves when the lines are durable, or fails with `NotStored`.
        """
        return self._submit(b"\n".join(lines) + b"\n", ".ndjson")

    def submit_file(self, body: bytes) -> Future[None]:
        """Stores bytes that are no events as a `.json` file of their own; else as `submit`."""
        return self._submit(body, ".json")

    def close(self, seconds: float = 10) -> None:
        """Stores what was submitted, then ends the thread; gives up on a disk that takes longer."""
        self._waiting.put(None)
        self._thread.join(seconds)

    def _submit(self, data: bytes, suffix: str) -> Future[None]:
        stored: Future[None] = Future()
        self._waiting.put(_Submission(data, suffix, stored))
        return stored

    def _run(self) -> None:
        ending = False
        while not ending:
            taken = [self._waiting.get()]
            with suppress(queue.Empty):
                while True:
                    taken.append(self._waiting.get_nowait())
            ending = None in taken
            batch = [item for item in taken if item and item.stored.set_running_or_notify_cancel()]
            if batch:
                self.busy_since = time.monotonic()
                self._settle(batch)
                self.busy_since = None

    def _settle(self, batch: list[_Submission]) -> None:
        if not self.broken:
            failed = self._try(batch)
            self.failure = (failed, time.monotonic()) if failed else None
            if self.broken and self._on_broken:
                self._on_broken()
        for item in batch:
            if self.failure:
                reason = self.failure[0]
                item.stored.set_exception(type(reason)(str(reason)))
            else:
                item.stored.set_result(None)

    def _try(self, batch: list[_Submission]) -> NotStored | None:
        started = time.perf_counter()
        try:
            self._commit(batch)
        except FsyncError:
            return Broken("An fsync failed: the receiver ends, and is to be started again.")
        except OSError as error:
            if error.errno in _NO_ROOM:
                return NotStored("There is no room on the landing directory's disk.")
            return NotStored(f"The landing directory cannot be written: {error.strerror}.")
        except MemoryError:
            return NotStored("There is not enough memory.")
        if self._observe:
            self._observe(time.perf_counter() - started)
        return None

    def _commit(self, batch: list[_Submission]) -> None:
        lines = b"".join(item.data for item in batch if item.suffix == ".ndjson")
        files = [(item.data, item.suffix) for item in batch if item.suffix != ".ndjson"]
        for data, suffix in ([(lines, ".ndjson")] if lines else []) + files:
            self._write(data, suffix)
        self._disk.fsync_dir(self._landing.new)

    def _write(self, data: bytes, suffix: str) -> None:
        aside, descriptor = self._create(suffix)
        try:
            try:
                self._disk.write(descriptor, data)
                self._disk.fsync(descriptor)
            finally:
                os.close(descriptor)
            self._disk.link(aside, self._landing.new / aside.name)
        finally:
            self._disk.unlink(aside)

    def _create(self, suffix: str) -> tuple[Path, int]:
        while True:
            # Strictly rising, whatever the clock does: files are loaded in name order.
            self._last_ms = max(int(self._clock() * 1000), self._last_ms + 1)
            name = f"{self._last_ms:013d}-{self._host}-{os.getpid()}-{secrets.token_hex(8)}{suffix}"
            aside = self._landing.tmp / name
            descriptor = self._disk.create(aside)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return aside, descriptor
            # A starting process took the file for an orphan before it was locked.
            os.close(descriptor)


def recover(landing: Landing) -> int:
    """Publishes the whole lines of segments whose writer died, and removes the stray files.

    Returns:
        How many files were published.

    Raises:
        OSError: the landing directory cannot be read or written.
    """
    with os.scandir(landing.tmp) as entries:
        orphans = sorted(
            entry.name
            for entry in entries
            if _OWN_NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
        )
    return sum(_recover(landing, landing.tmp / name) for name in orphans)


def _recover(landing: Landing, path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):
        # Another start was quicker, or it is another user's.
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        names = os.fstat(descriptor).st_nlink
        published = False
        if names == 1 and path.suffix == ".ndjson" and (kept := _whole_lines(descriptor)):
            os.ftruncate(descriptor, kept)
            landing.disk.fsync(descriptor)
            # What stands in `new/` under this name already is whole.
            with suppress(FileExistsError):
                landing.disk.link(path, landing.new / path.name)
                published = True
            landing.disk.fsync_dir(landing.new)
        if names:
            landing.disk.unlink(path)
    except BlockingIOError:
        # Its writer lives.
        return False
    finally:
        os.close(descriptor)
    return published


def _whole_lines(descriptor: int) -> int:
    """Bytes up to the last whole line's end; zeros are what a power cut leaves of bytes never written."""
    data = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    return data.split(b"\0", 1)[0].rfind(b"\n") + 1
