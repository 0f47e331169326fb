"""Connections that would take up more than they may: time, memory, and places."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from sendgrid_assets.webhook import protocol
from sendgrid_assets.webhook.protocol import BoundedProtocol

from .raw import PATIENCE, head, raw_answer

BODY = b'[{"event":"open"}]'


@pytest.mark.parametrize(
    "sent", [b"", b"POST /webhooks/sendgrid HT", b"\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"]
)
def test_slow_heads_end_at_their_deadline(serve, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.3)
    with serve() as served:
        assert raw_answer(served.port, sent) == b""
        whole = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        # On a kept connection the next head has a deadline too.
        with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
            connection.sendall(whole)
            assert b"200 OK" in connection.recv(4096)
            connection.sendall(sent or b"G")
            assert connection.recv(4096) == b""


def test_many_slow_connections_stop_no_others_and_are_closed(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 1.0)
    with serve(limits={"body_seconds": 1}) as served:
        slow = [socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) for _ in range(200)]
        try:
            for connection in slow[::2]:
                connection.sendall(head(served, BODY, "Content-Length: 100"))
            assert served.post(BODY).status_code == 204
            for connection in slow:
                while connection.recv(4096):
                    pass
        finally:
            for connection in slow:
                connection.close()
        assert len(served.read()) == 1


def in_chunks(body: bytes, size: int) -> bytes:
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


@pytest.mark.parametrize("line", [b"X-Padding: " + b"x" * 1000 + b"\r\n", b"x" * 1000], ids=["many", "one"])
@pytest.mark.parametrize("place", ["head", "trailer"])
def test_what_stands_beside_a_body_is_bounded(served, place: str, line: bytes) -> None:
    begun = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: "
    if place == "trailer":
        begun = head(served, BODY, "Transfer-Encoding: chunked") + in_chunks(BODY, 5) + b"0\r\nX-Long: "
    with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
        connection.sendall(begun)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(100_000):
                connection.sendall(line)
            pytest.fail("a hundred megabytes were taken")
    assert served.files() == []
    assert served.post(BODY).status_code == 204


def test_a_body_in_pieces_however_small_is_no_padding(served) -> None:
    body = b"[" + b" " * 50_000 + BODY[1:]
    large = b"[" + b" " * 1_000_000 + BODY[1:]
    for sent, size in ((body, 1), (large, 65_536)):
        request = head(served, sent, "Transfer-Encoding: chunked", "Connection: close")
        answer = raw_answer(served.port, request, in_chunks(sent, size), b"0\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 204 ")
    assert len(served.read()) == 2


def test_answers_that_are_never_taken_end_their_connection(served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedProtocol, "unread_seconds", 0.3)
    monkeypatch.setattr(protocol, "_MOST_PIPELINED", 1_000_000)
    until = time.monotonic() + 40
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", served.port))
        # The connection is gone while its answers are still there to be read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() < until:
                connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
                time.sleep(0.1)
            pytest.fail("answers wait to be taken for ever")
    assert served.post(BODY).status_code == 204


def test_requests_far_ahead_of_their_answers_end_their_connection(served) -> None:
    many = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 200_000
    with (
        socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection,
        pytest.raises((BrokenPipeError, ConnectionResetError)),
    ):
        connection.sendall(many)
    assert served.post(BODY).status_code == 204
    few = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 50
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert raw_answer(served.port, few + last).count(b"200 OK") == 51


@pytest.mark.parametrize("how", [f"Content-Length: {len(BODY)}", "Transfer-Encoding: chunked"])
def test_a_request_to_upgrade_is_refused_and_not_taken_for_empty(served, how: str) -> None:
    asks = (
        "Connection: Upgrade",
        "Connection: HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAAQAAP__",
    )
    body = BODY if how.startswith("Content-Length") else in_chunks(BODY, 9) + b"0\r\n\r\n"
    answer = raw_answer(served.port, head(served, BODY, *asks, how) + body)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"without asking for an upgrade" in answer
    assert served.files() == []


def test_a_proxy_that_only_says_upgrade_is_no_upgrade(served) -> None:
    request = head(served, BODY, "Connection: upgrade, close", f"Content-Length: {len(BODY)}") + BODY
    assert raw_answer(served.port, request).startswith(b"HTTP/1.1 204 ")
    assert len(served.read()) == 1
