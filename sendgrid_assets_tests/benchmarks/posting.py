"""Clients that post prepared requests over kept connections: `python -m sendgrid_assets_tests.benchmarks.posting`.

Belongs here: sending, and the time of each answer, in a process apart from the server's. Does not: what is sent
(`receive`).
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sendgrid_assets_tests.processes import ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ANSWER_SECONDS = 120.0


def write(file: Path, requests: Iterator[bytes]) -> None:
    """Writes requests, each as HTTP text, for `posted` to send."""
    with file.open("wb") as out:
        for request in requests:
            out.write(len(request).to_bytes(8, "big") + request)


class Posted:
    """What clients in a process of their own post: they connect at once, and send on `go`."""

    def __init__(self, file: Path, port: int, clients: int) -> None:
        command = [sys.executable, "-m", __name__, str(file), str(port), str(clients)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        self._process.stdout.readline()

    def go(self) -> dict[str, float]:
        """Sends all, and returns the answers' times in ms.

        Raises:
            RuntimeError: an answer was no 2xx.
        """
        said, _ = self._process.communicate("go\n")
        if self._process.returncode:
            raise RuntimeError("not every request was answered with a 2xx")
        figures: dict[str, float] = json.loads(said)
        return figures


def main(file: str, port: str, clients: str) -> None:
    """Does what `Posted` asks for."""
    requests = list(_read(Path(file).read_bytes()))
    connections = [socket.create_connection(("127.0.0.1", int(port))) for _ in range(int(clients))]
    took: list[float] = []
    threads = [
        threading.Thread(target=_post, args=(connection, requests[number :: len(connections)], took))
        for number, connection in enumerate(connections)
    ]
    print("ready", flush=True)  # noqa: T201 - to the process that waits
    sys.stdin.readline()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(took) < len(requests):
        sys.exit(1)
    took.sort()
    figures = {"p50 ms": took[len(took) // 2], "p99 ms": took[len(took) * 99 // 100], "max ms": took[-1]}
    print(json.dumps({name: seconds * 1000 for name, seconds in figures.items()}))  # noqa: T201


def _read(data: bytes) -> Iterator[memoryview]:
    view, at = memoryview(data), 0
    while at < len(data):
        size = int.from_bytes(view[at : at + 8], "big")
        yield view[at + 8 : at + 8 + size]
        at += 8 + size


def _post(connection: socket.socket, requests: Sequence[memoryview], took: list[float]) -> None:
    connection.settimeout(_ANSWER_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for request in requests:
        began = time.perf_counter()
        connection.sendall(request)
        # A 2xx of these servers has no body worth waiting for.
        if not connection.recv(65536).startswith(b"HTTP/1.1 2"):
            return
        took.append(time.perf_counter() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
