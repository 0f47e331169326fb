"""Bodies handed from the event loop to the writer's thread, all of one turn of the loop at once.

Belongs here: who waits for which commit. Does not: how it is made durable (`segment`).

A body handed over by itself would begin a commit of its own while its neighbours are still being looked at.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future

    from .segment import SegmentWriter


class Handover:
    """Hands bodies to a writer, for the requests of one event loop.

    Args:
        writer: where to.
        seconds: after which no one waits any longer.
    """

    def __init__(self, writer: SegmentWriter, seconds: float) -> None:
        self._writer, self._seconds = writer, seconds
        self._gathered: list[bytes] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._overdue: set[Future[None]] = set()

    @property
    def is_slow(self) -> bool:
        """Whether something was waited for in vain, and is still not settled."""
        return bool(self._overdue)

    def store(self, lines: bytes) -> asyncio.Future[None]:
        """Stores whole lines.

        Returns:
            A future that resolves when they are durable. It fails with `NotStored`, or with TimeoutError where the
            disk takes too long: they may be stored all the same.
        """
        loop = asyncio.get_running_loop()
        if not self._gathered:
            loop.call_soon(self._hand_over)
        # Many wait for the same commit: that one of them is cancelled must not reach the others.
        waiting: asyncio.Future[None] = loop.create_future()
        self._gathered.append(lines)
        self._waiting.append(waiting)
        return waiting

    def store_file(self, body: bytes) -> asyncio.Future[None]:
        """Stores bytes that are no events as a file of their own; else as `store`."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._await(self._writer.submit_file(body), [waiting])
        return waiting

    def _hand_over(self) -> None:
        gathered, waiting = self._gathered, self._waiting
        self._gathered, self._waiting = [], []
        self._await(self._writer.submit_lines(gathered), waiting)

    def _await(self, stored: Future[None], waiting: list[asyncio.Future[None]]) -> None:
        loop = asyncio.get_running_loop()

        def give_up() -> None:
            self._overdue.add(stored)
            _fail(waiting, TimeoutError())

        late = loop.call_later(self._seconds, give_up)

        def settle() -> None:
            late.cancel()
            self._overdue.discard(stored)
            if error := stored.exception():
                _fail(waiting, error)
                return
            for one in waiting:
                if not one.done():
                    one.set_result(None)

        stored.add_done_callback(lambda _: loop.call_soon_threadsafe(settle))


def _fail(waiting: list[asyncio.Future[None]], error: BaseException) -> None:
    for one in waiting:
        if not one.done():
            one.set_exception(error)
            # Where the request that waited has gone there is no one to tell.
            one.exception()
