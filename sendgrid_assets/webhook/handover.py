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
        self._turn: asyncio.Future[None] | None = None

    def store(self, lines: bytes) -> asyncio.Future[None]:
        """Stores whole lines.

        Returns:
            A future that resolves when they are durable. It fails with `NotStored`, or with TimeoutError where the
            disk takes too long: they may be stored all the same.
        """
        if self._turn is None:
            loop = asyncio.get_running_loop()
            self._turn = loop.create_future()
            loop.call_soon(self._hand_over)
        self._gathered.append(lines)
        # Many wait for the same commit: that one of them is cancelled must not reach the others.
        return asyncio.shield(self._turn)

    def store_file(self, body: bytes) -> asyncio.Future[None]:
        """Stores bytes that are no events as a file of their own; else as `store`."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._await(self._writer.submit_file(body), waiting)
        return waiting

    def _hand_over(self) -> None:
        gathered, waiting = self._gathered, self._turn
        assert waiting  # noqa: S101 - `store` made it
        self._gathered, self._turn = [], None
        self._await(self._writer.submit_lines(b"".join(gathered), posts=len(gathered)), waiting)

    def _await(self, stored: Future[None], waiting: asyncio.Future[None]) -> None:
        loop = asyncio.get_running_loop()
        late = loop.call_later(self._seconds, _fail, waiting, TimeoutError())

        def settle() -> None:
            late.cancel()
            if error := stored.exception():
                _fail(waiting, error)
            elif not waiting.done():
                waiting.set_result(None)

        stored.add_done_callback(lambda _: loop.call_soon_threadsafe(settle))


def _fail(waiting: asyncio.Future[None], error: BaseException) -> None:
    if not waiting.done():
        waiting.set_exception(error)
        # Where every request that waited has gone there is no one to tell.
        waiting.exception()
