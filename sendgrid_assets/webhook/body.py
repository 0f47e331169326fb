"""A request's body, read within limits of bytes, time and memory.

Belongs here: how much is read and for how long. Does not: what the bytes say.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .refusal import Refusal
from .segment import SEGMENT_BYTES, SEGMENT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import Receive

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What one receiver takes at most; bytes and seconds.

    Attributes:
        body_bytes: the largest body, also after unpacking.
        body_seconds: for a body to come in.
        commit_seconds: for bytes to become durable.
        segment_seconds: shortest time between two segments published for their age; 0 publishes each commit.
        segment_bytes: from which size on a segment is published whatever its age.
        in_flight_bytes: bodies in memory, of all requests together.
        backlog_bytes: files of one source that wait to be loaded.
        free_bytes: what must be left free on the disk.
    """

    body_bytes: int = 4 * MIB
    body_seconds: float = 30
    commit_seconds: float = 60
    segment_seconds: float = SEGMENT_SECONDS
    segment_bytes: int = SEGMENT_BYTES
    in_flight_bytes: int = 64 * MIB
    backlog_bytes: int = 8 * 1024 * MIB
    free_bytes: int = 8 * MIB


class InFlight:
    """Counts the bytes of bodies in memory."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0

    @contextmanager
    def holding(self) -> Iterator[Callable[[int], None]]:
        """A function that counts bytes in, until the context ends.

        It raises `Refusal` when there are too many.
        """
        own = 0

        def count(more: int) -> None:
            nonlocal own
            if self._held + more > self._most:
                raise Refusal(503, "busy", "Too much is in flight.")
            own += more
            self._held += more

        try:
            yield count
        finally:
            self._held -= own


class Disconnected(Exception):  # noqa: N818
    """The sender went away before its body was whole."""


async def read_body(
    receive: Receive, announced: str, most: int, seconds: float, count: Callable[[int], None]
) -> bytes:
    """The whole body.

    Args:
        receive: of a request of which nothing was read yet.
        announced: the Content-Length header; empty where there is none.
        most: the largest body taken, in bytes.
        seconds: the longest it may take.
        count: told of each piece's size.

    Raises:
        Refusal: it is too large, too slow, or there are too many others.
        Disconnected: the sender went away.
    """
    if announced.isdecimal() and int(announced) > most:
        raise _too_large(most)
    pieces, size, more = [], 0, True
    try:
        async with asyncio.timeout(seconds):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                piece, more = message.get("body", b""), message.get("more_body", False)
                size += len(piece)
                if size > most:
                    raise _too_large(most)
                count(len(piece))
                pieces.append(piece)
    except TimeoutError:
        raise Refusal(408, "slow", f"The body did not come within {seconds:g} seconds.") from None
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def inflate(body: bytes, most: int) -> bytes:
    """The body unpacked, all members of it, if it is whole gzip; else as it is.

    Raises:
        Refusal: it would be larger than `most` bytes.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as members:
            text = members.read(most + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return body
    if len(text) > most:
        raise _too_large(most)
    return text


def _too_large(most: int) -> Refusal:
    return Refusal(413, "too_large", f"The body is larger than {most} bytes.")
