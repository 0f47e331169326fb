"""HTTP connections with limits to what uvicorn leaves unbounded: their number, and what each may take up.

Belongs here: how long and how large a request's head may be, and how long an answer may stay unread. Does not: bodies
(`body`).
"""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

# Descriptors that stay free for files, so that connections alone cannot stop the landing.
_KEPT_FOR_FILES = 64
_MOST_BESIDE_BODY = 64 * 1024
# Of a body in chunks of one byte, what one of them takes with all that stands around it.
_FRAMED = 8
_MOST_PIPELINED = 100


class BoundedProtocol(HttpToolsProtocol):
    """Ends a connection that is too long over a head or an answer, or sends too much beside bodies or ahead of answers.

    Attributes:
        head_seconds: for a request's head to be whole.
        unread_seconds: for an answer to be taken.
    """

    head_seconds = 10.0
    unread_seconds = 30.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Paths and queries may hold addresses, so they are never logged, however logging is set up.
        self.access_log = False
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._beside_body = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts the clock; one connection too many is closed."""
        super().connection_made(transport)
        # Anything left unread is told at once, by `pause_writing`.
        transport.set_write_buffer_limits(high=0)
        if len(self.connections) > max(resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _KEPT_FOR_FILES, 1):
            transport.close()
        self._start_clock()

    def data_received(self, data: bytes) -> None:
        """Starts the clock where a request's head has begun; ends what brings too much beside a body."""
        self._beside_body += len(data)
        super().data_received(data)
        if self._beside_body > _MOST_BESIDE_BODY and not self.transport.is_closing():
            self.send_400_response(f"More than {_MOST_BESIDE_BODY} bytes beside the body.")
        if len(self.pipeline) > _MOST_PIPELINED:
            self.transport.abort()
        if self._deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._start_clock()

    def on_message_begin(self) -> None:
        """Counts what stands beside the body anew."""
        super().on_message_begin()
        self._beside_body = 0

    def on_headers_complete(self) -> None:
        """Stops the clock."""
        super().on_headers_complete()
        self._stop_clock()

    def on_body(self, body: bytes) -> None:
        """Takes the body's bytes off the count."""
        super().on_body(body)
        self._beside_body = max(0, self._beside_body - _FRAMED * len(body))

    def pause_writing(self) -> None:
        """Starts the clock of an answer that is not taken."""
        super().pause_writing()
        # Closing would wait until it is.
        self._unread = self.loop.call_later(self.unread_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Stops it."""
        super().resume_writing()
        self._stop_unread()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the clocks."""
        super().connection_lost(exc)
        self._stop_clock()
        self._stop_unread()

    def _unsupported_upgrade_warning(self) -> None:
        """Nothing: the endpoint refuses such a request, and says what to do."""

    def _start_clock(self) -> None:
        self._deadline = self.loop.call_later(self.head_seconds, self.transport.close)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _stop_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
