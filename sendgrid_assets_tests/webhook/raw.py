"""Requests written byte by byte, and what comes back."""

from __future__ import annotations

import socket

# Shorter than a head's ten seconds by default: a limit that is not heeded is no answer in time.
PATIENCE = 8.0


def raw_answer(port: int, *pieces: bytes) -> bytes:
    """What comes back for bytes sent as they are, until the connection ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        answer = b""
        try:
            for piece in pieces:
                connection.sendall(piece)
            while more := connection.recv(65536):
                answer += more
        except (BrokenPipeError, ConnectionResetError):
            pass
        return answer


def head(served, body: bytes, *lines: str) -> bytes:
    """A signed request's head, with some lines more."""
    signed = [f"{name}: {value}" for name, value in served.signer.headers(body).items()]
    return "\r\n".join(["POST /webhooks/sendgrid HTTP/1.1", "Host: x", *signed, *lines, "", ""]).encode()
