"""Group commit: many submissions share one segment file and one fsync.

Belongs here: what becomes durable when, and what a failure means to those who wait. Does not: HTTP, what stands in
a line, the calls that make one file last (`segment_file`).

A commit writes to one file in `tmp/` and fsyncs it. Submissions that come in meanwhile make up the next commit, so
batches grow with the load and no one waits for a timer. At rest each commit is put into `new/` at once; where the
last one was a moment ago the file stays open and later commits append to it, so that load makes few large files
and not many small ones.
"""

from __future__ import annotations

import errno
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
from .segment_file import SegmentFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from .landing import Landing

SEGMENT_SECONDS = 1.0
"""Shortest time between two segments put into `new/` for their age."""
SEGMENT_BYTES = 32 * 1024 * 1024
"""From this size on a segment is put into `new/` whatever its age."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_RETRY_SECONDS = 1.0


class NotStored(Exception):  # noqa: N818
    """The bytes were not made durable; the text says why. A later submission may succeed."""


class Broken(NotStored):
    """An fsync failed: nothing more is stored by this process."""


class _Submission(NamedTuple):
    bodies: list[bytes]
    suffix: str
    stored: Future[None]


class SegmentWriter:
    """Writes one source's submissions from a thread of its own.

    Args:
        landing: where to; prepared.
        clock: Unix time in seconds.
        segment_seconds: shortest time between two segments put into `new/` for their age; 0 puts each commit there
            at once.
        segment_bytes: from this size on a segment is put there whatever its age.
        observe: told the seconds of each commit, from the first byte to the last fsync, and its POSTs.
        on_broken: called once, in the writer's thread, when it can store nothing more.

    Attributes:
        failure: why the last attempt failed, and when (`time.monotonic`); None when it did not.
        busy_since: when the commit under way began (`time.monotonic`); None between commits.
        open_since: when the segment that waits in `tmp/` was begun (`time.monotonic`); None where there is none.
    """

    def __init__(
        self,
        landing: Landing,
        *,
        clock: Callable[[], float] = time.time,
        segment_seconds: float = SEGMENT_SECONDS,
        segment_bytes: int = SEGMENT_BYTES,
        observe: Callable[[float, int], None] | None = None,
        on_broken: Callable[[], None] | None = None,
    ) -> None:
        self._landing, self._clock = landing, clock
        self._segment_seconds, self._segment_bytes = segment_seconds, segment_bytes
        self._observe, self._on_broken = observe, on_broken
        self._host = re.sub(r"[^A-Za-z0-9.]", "_", socket.gethostname()) or "host"
        self._last_ms = 0
        self._waiting: queue.SimpleQueue[_Submission | None] = queue.SimpleQueue()
        self._open: SegmentFile | None = None
        self._due = float("-inf")
        self._overdue = False
        self.failure: tuple[NotStored, float] | None = None
        self.busy_since: float | None = None
        self.open_since: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"segments-{landing.source}", daemon=True)
        self._thread.start()

    @property
    def broken(self) -> bool:
        """Whether an fsync failed."""
        failure = self.failure
        return failure is not None and isinstance(failure[0], Broken)

    def submit(self, lines: list[bytes]) -> Future[None]:
        """Stores lines, at least one, each without its end; else as `submit_lines`."""
        return self.submit_lines([b"\n".join([*lines, b""])])

    def submit_lines(self, bodies: list[bytes]) -> Future[None]:
        """Stores whole lines, at least one: those of one POST in each of the bodies.

        Returns:
            A future that resolves when the lines are durable, or fails with `NotStored`.
        """
        return self._submit(bodies, ".ndjson")

    def submit_file(self, body: bytes) -> Future[None]:
        """Stores bytes that are no events as a `.json` file of their own; else as `submit_lines`."""
        return self._submit([body], ".json")

    def close(self, seconds: float = 10) -> None:
        """Stores what was submitted and puts all into `new/`, then ends the thread; gives up on a slow disk."""
        self._waiting.put(None)
        self._thread.join(seconds)

    def _submit(self, bodies: list[bytes], suffix: str) -> Future[None]:
        stored: Future[None] = Future()
        self._waiting.put(_Submission(bodies, suffix, stored))
        return stored

    def _run(self) -> None:
        ending = False
        while not ending:
            taken = self._taken()
            ending = None in taken
            batch = [item for item in taken if item and item.stored.set_running_or_notify_cancel()]
            if batch:
                self._settle(batch)
            if self._open and (ending or time.monotonic() >= self._due):
                self._attempt(self._publish_open)
        if self._open:
            # What could not be published now is by the next start.
            self._open.abandon()

    def _taken(self) -> list[_Submission | None]:
        """What was submitted, once there is something; nothing where the open segment's time came first."""
        patience = max(self._due - time.monotonic(), 0) if self._open else None
        taken: list[_Submission | None] = []
        with suppress(queue.Empty):
            taken.append(self._waiting.get(timeout=patience))
            while True:
                taken.append(self._waiting.get_nowait())
        return taken

    def _settle(self, batch: list[_Submission]) -> None:
        started = time.perf_counter()
        if not self.broken and self._attempt(lambda: self._commit(batch)) and self._observe:
            self._observe(time.perf_counter() - started, sum(len(item.bodies) for item in batch))
        for item in batch:
            if self.failure:
                reason = self.failure[0]
                item.stored.set_exception(type(reason)(str(reason)))
            else:
                item.stored.set_result(None)

    def _attempt(self, act: Callable[[], None]) -> bool:
        """Whether it succeeded; why it did not is in `failure`."""
        self.busy_since = time.monotonic()
        failed = _failure(act)
        self.failure = (failed, time.monotonic()) if failed else None
        self.busy_since = None
        if self.broken:
            if self._open:
                self._open.abandon()
                self._open = self.open_since = None
            if self._on_broken:
                self._on_broken()
        return failed is None

    def _commit(self, batch: list[_Submission]) -> None:
        if self._open and self._overdue:
            self._publish_open()
        lines = [body for item in batch if item.suffix == ".ndjson" for body in item.bodies]
        for item in batch:
            if item.suffix != ".ndjson":
                self._begin(item.bodies, item.suffix, publish=True)
        if not lines:
            return
        if self._open:
            self._open.append(lines)
        else:
            at_rest = time.monotonic() >= self._due
            file = self._begin(lines, ".ndjson", publish=at_rest)
            if at_rest:
                self._due = time.monotonic() + self._segment_seconds
            else:
                self._open, self.open_since = file, time.monotonic()
        if self._open and self._open.size >= self._segment_bytes:
            self._due = float("-inf")

    def _begin(self, bodies: list[bytes], suffix: str, *, publish: bool) -> SegmentFile:
        """A file that holds these bytes durably, in `new/` or for now in `tmp/`."""
        file = SegmentFile.create(self._landing, lambda: self._name(suffix))
        try:
            file.append(bodies)
            if publish:
                file.publish()
            else:
                file.keep()
        except BaseException:
            file.discard()
            raise
        return file

    def _publish_open(self) -> None:
        assert self._open  # noqa: S101 - its callers look
        # Where it fails nothing more is taken until it succeeds, so that the segment stays within its bounds.
        self._overdue, self._due = True, time.monotonic() + _RETRY_SECONDS
        self._open.publish()
        self._open = self.open_since = None
        self._overdue, self._due = False, time.monotonic() + self._segment_seconds

    def _name(self, suffix: str) -> str:
        # Strictly rising, whatever the clock does: files are loaded in name order.
        self._last_ms = max(int(self._clock() * 1000), self._last_ms + 1)
        return f"{self._last_ms:013d}-{self._host}-{os.getpid()}-{secrets.token_hex(8)}{suffix}"


def _failure(act: Callable[[], None]) -> NotStored | None:
    try:
        act()
    except FsyncError:
        return Broken("An fsync failed: the receiver ends, and is to be started again.")
    except OSError as error:
        if error.errno in _NO_ROOM:
            return NotStored("There is no room on the landing directory's disk.")
        return NotStored(f"The landing directory cannot be written: {error.strerror}.")
    except MemoryError:
        return NotStored("There is not enough memory.")
    return None
