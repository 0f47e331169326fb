"""Serving an application on loopback: for the length of a test, or until the process is ended.

Belongs here: ports, threads and uvicorn. Does not: what is served.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

_START_SECONDS = 10.0
_STOP_SECONDS = 10.0


@contextlib.contextmanager
def running(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serves the application in a thread; yields its base URL, without a slash at the end.

    Args:
        app: what to serve.
        host: address to listen on.
        port: port to listen on; 0 for any free one.

    Raises:
        OSError: the port is taken.
        TimeoutError: it did not start or stop within ten seconds.
    """
    with socket.create_server((host, port)) as listener:
        server = uvicorn.Server(_config(app))
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="simulated-sendgrid", daemon=True
        )
        thread.start()
        try:
            _wait(server, thread)
            yield f"http://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_STOP_SECONDS)
            if thread.is_alive():
                server.force_exit = True
                raise TimeoutError("the simulated account did not stop")


def serve(app: ASGIApp, host: str, port: int) -> None:
    """Serves the application until the process is interrupted or terminated.

    Raises:
        OSError: the port is taken.
    """
    with socket.create_server((host, port)) as listener:
        uvicorn.Server(_config(app)).run(sockets=[listener])


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="auto",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=2,
    )


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise TimeoutError("the simulated account did not start")
        time.sleep(0.005)
