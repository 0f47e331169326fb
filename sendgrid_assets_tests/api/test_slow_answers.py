"""An answer that drips is given up, however regularly it drips."""

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from sendgrid_assets.api import patience
from sendgrid_assets.api.errors import UnavailableError
from sendgrid_assets.api.patience import ATTEMPTS, download_seconds

from .conftest import MakeClient

PATH = "/v3/asm/groups"


@contextlib.contextmanager
def dripping(start: bytes, drops: bytes, seconds: float) -> Iterator[str]:
    """Sends each connection the start, then the drops one byte at a time, for ever."""
    ended = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(start)
            for number in range(100_000):
                if ended.wait(seconds):
                    return
                connection.sendall(drops[number % len(drops) :][:1])

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            if ended.is_set():
                connection.close()
                return
            threads.append(threading.Thread(target=drip, args=(connection,), daemon=True))
            threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        accepting = threading.Thread(target=serve, daemon=True)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{address[1]}"
        finally:
            ended.set()
            socket.create_connection(address).close()
            for thread in (accepting, *threads):
                thread.join(5)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n"


@pytest.mark.parametrize(
    ("start", "drops"),
    [
        (HEAD + b"\r\n[", b" "),
        (
            HEAD + b"Content-Encoding: gzip\r\n\r\n",
            gzip.compress(b"[]", mtime=0)[:10] + b"\0\0\0\xff\xff" * 9,
        ),
        (b"HTTP/1.1 503 Unavailable\r\nContent-Length: 1000000\r\n\r\n", b" "),
    ],
    ids=["plain", "packed, so that nothing shows", "failing"],
)
def test_answer_has_a_time_limit(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, start: bytes, drops: bytes
) -> None:
    monkeypatch.setattr(patience, "ANSWER_SECONDS", 0.15)
    with dripping(start, drops, 0.01) as url:
        client = make_client(url=url)
        before = time.monotonic()
        with pytest.raises(UnavailableError, match=f"{PATH}.*did not end in time"):
            client.get(PATH)
        assert time.monotonic() - before < 10
        assert client.requests == ATTEMPTS


def test_answer_within_its_time_is_waited_for(make_client: MakeClient) -> None:
    body = b"[" + b" " * 30 + b"]"
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    with dripping(head, body, 0.005) as url:
        assert make_client(url=url).get(PATH) == body


def test_download_has_a_time_limit(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "ANSWER_SECONDS", 0.1)
    written: list[bytes] = []
    with (
        dripping(HEAD + b"\r\n", b"x", 0.01) as url,
        pytest.raises(UnavailableError, match=r"export file.*did not end in time"),
    ):
        make_client().download(f"{url}/file?X-Amz-Signature=1", written.append, written.clear)
    assert written


def test_large_download_may_take_longer_than_an_answer() -> None:
    answer, slowest, most = patience.ANSWER_SECONDS, patience.SLOWEST_DOWNLOAD, patience.DOWNLOAD_SECONDS
    assert download_seconds(0) == answer
    assert download_seconds(1000 * slowest) == answer + 1000
    assert download_seconds(1 << 50) == most
