"""HTTP connections with a deadline for the request's head, and a limit to their number.

Belongs here: what uvicorn does not bound. Does not: bodies (`body`).
"""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

# Descriptors that stay free for files, so that connections alone cannot stop the landing.
_KEPT_FOR_FILES = 64


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose next request's head is not whole in time; uvicorn would wait for ever."""

    head_seconds = 10.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Paths and queries may hold addresses, so they are never logged, however logging is set up.
        self.access_log = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts the clock; one connection too many is closed."""
        super().connection_made(transport)
        if len(self.connections) > max(resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _KEPT_FOR_FILES, 1):
            transport.close()
        self._start_clock()

    def data_received(self, data: bytes) -> None:
        """Starts the clock where a request's head has begun."""
        super().data_received(data)
        if self._deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._start_clock()

    def on_headers_complete(self) -> None:
        """Stops the clock."""
        super().on_headers_complete()
        self._stop_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the clock."""
        super().connection_lost(exc)
        self._stop_clock()

    def _start_clock(self) -> None:
        self._deadline = self.loop.call_later(self.head_seconds, self.transport.close)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
