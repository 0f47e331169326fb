"""A served account or script for each test that asks for one, and a client whose waits take no time."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import certifi
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sendgrid_assets.api.client import Client
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.running import running

API_KEY = "SG.marked-key.0123456789"
START = 1_800_000_000.0

Answer = Response | Callable[[Request], Response]


class Stage:
    """What one port serves: replaced by each test, since a server takes long to stop."""

    app: ASGIApp
    url: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class Script:
    """Gives its answers in turn, the last one again and again, and keeps the requests."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = answers
        self.requests: list[Request] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        response = answer if isinstance(answer, Response) else answer(request)
        await response(scope, receive, send)


@dataclass
class FakeTime:
    """A clock that only waiting moves."""

    now: float = START
    waits: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


MakeClient = Callable[..., Client]


@pytest.fixture(scope="session", autouse=True)
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Plain HTTP needs no certificate authority, and reading all of them takes longer than most tests."""
    first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition("-----END CERTIFICATE-----\n")
    file = tmp_path_factory.mktemp("authority") / "one.pem"
    file.write_text(first + end, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    stage = Stage()
    with running(stage) as stage.url:
        yield stage


@pytest.fixture(scope="session")
def other_stage() -> Iterator[Stage]:
    """A second host: another port."""
    stage = Stage()
    with running(stage) as stage.url:
        yield stage


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def make_client(stage: Stage, fake_time: FakeTime) -> Iterator[MakeClient]:
    """Serves an application and returns a client of it; `url` names another server instead."""
    with contextlib.ExitStack() as clients:

        def make(app: ASGIApp | None = None, *, url: str | None = None, **options: object) -> Client:
            if app is not None:
                stage.app = app
            arguments: dict[str, object] = {"sleep": fake_time.sleep, "clock": fake_time.clock, **options}
            return clients.enter_context(Client(API_KEY, url or stage.url, **arguments))  # type: ignore[arg-type]

        yield make


@pytest.fixture
def account(fake_time: FakeTime) -> Account:
    """A small account on the same clock."""
    return Account(contacts=30, clock=fake_time.clock)


RESET = b"\0"
"""In place of an answer: the connection is reset."""


@contextlib.contextmanager
def raw_server(*answers: bytes) -> Iterator[str]:
    """Sends each connection the next of the answers, byte for byte, and closes it; the last one again and again."""
    ended = threading.Event()

    def serve() -> None:
        for number in range(1_000):
            connection, _ = listener.accept()
            with connection:
                if ended.is_set():
                    return
                connection.recv(65536)
                answer = answers[min(number, len(answers) - 1)]
                if answer == RESET:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()[:2]
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://{address[0]}:{address[1]}"
        finally:
            ended.set()
            socket.create_connection(address).close()
            thread.join()
