"""A receiver on loopback with real files, a key to sign with, and the collected facts."""

from __future__ import annotations

import base64
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sendgrid_assets.settings import load_settings
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.reader import Event, Rejected, read
from sendgrid_assets.webhook.receiver import create_app, limits_of, server_config
from sendgrid_assets.webhook.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER

FACTS = Path(os.environ.get("SENDGRID_FACTS_DIR") or Path(__file__).parents[3] / "shared")


def facts(name: str) -> list[Any]:
    """A collected file's entries; the test is skipped where the file is not at hand."""
    path = FACTS / name
    if not path.is_file():
        pytest.skip(f"{path} is absent; SENDGRID_FACTS_DIR says where the collected facts are")
    return json.loads(path.read_text())


# One client for all, for making one costs more than a request; it keeps no connection between requests.
CLIENT = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))


class Signer:
    """Stands for SendGrid: signs bodies with a key of its own."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public_key = base64.b64encode(der).decode()

    def headers(self, body: bytes, timestamp: str = "1700000000") -> dict[str, str]:
        der = self._key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
        return {SIGNATURE_HEADER: base64.b64encode(der).decode(), TIMESTAMP_HEADER: timestamp}


class Served:
    """A running receiver."""

    def __init__(self, url: str, landing: Landing, signer: Signer, server: uvicorn.Server) -> None:
        self.url, self.landing, self.signer, self._server = url, landing, signer, server
        self.port = int(url.rsplit(":", 1)[1])

    def post(self, body: bytes, source: str = "sendgrid", **kwargs: Any) -> httpx.Response:
        kwargs.setdefault("headers", self.signer.headers(body))
        return CLIENT.post(f"{self.url}/webhooks/{source}", content=body, timeout=10, **kwargs)

    def get(self, path: str) -> httpx.Response:
        return CLIENT.get(self.url + path, timeout=10)

    def stop(self) -> None:
        self._server.should_exit = True

    def in_flight(self) -> int:
        """How many requests are begun and not answered."""
        return len(self._server.server_state.tasks)

    def settled(self) -> None:
        """Waits until no segment is open any more."""
        deadline = time.monotonic() + 10
        while any(self.landing.tmp.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not any(self.landing.tmp.iterdir())

    def read(self) -> list[Event | Rejected]:
        self.settled()
        return [line for file in self.landing.waiting() for line in read(file)]

    def files(self) -> list[Path]:
        """Everything that stands anywhere in the landing directory."""
        return [path for path in self.landing.root.rglob("*") if not path.is_dir()]


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer()


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    made = Landing(tmp_path / "landing", "sendgrid")
    made.prepare()
    return made


@pytest.fixture
def serve(tmp_path: Path, signer: Signer) -> Iterator[Callable[..., Any]]:
    """A context manager that serves.

    `environ` adds to the settings, `limits` to the limits, and the rest goes to `create_app`.
    """

    @contextmanager
    def serving(
        environ: dict[str, str] | None = None, limits: dict[str, Any] | None = None, **kwargs: Any
    ) -> Iterator[Served]:
        given = {"SENDGRID_DATA_DIR": str(tmp_path), "SENDGRID_WEBHOOK_PUBLIC_KEY": signer.public_key}
        settings = load_settings(given | (environ or {}))
        # Segments stay open under load as they do in earnest, but not for as long.
        held = replace(limits_of(settings), **{"segment_seconds": 0.05, **(limits or {})})
        server = uvicorn.Server(server_config(create_app(settings, limits=held, **kwargs)))
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            deadline = time.monotonic() + 10
            while not server.started and thread.is_alive() and time.monotonic() < deadline:
                time.sleep(0.005)
            try:
                url = f"http://127.0.0.1:{listening.getsockname()[1]}"
                yield Served(url, Landing(settings.landing_dir, "sendgrid"), signer, server)
            finally:
                server.should_exit = True
                thread.join(15)

    return serving


@pytest.fixture
def served(serve: Callable[..., Any]) -> Iterator[Served]:
    with serve() as running:
        yield running
