"""Several threads ask through one client, and all of them end when it is stopped."""

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from starlette.responses import JSONResponse, Response

from sendgrid_assets.api.client import Client
from sendgrid_assets.api.errors import DeadKeyError, SendGridError, StoppedError
from sendgrid_assets.api.prefetch import Ahead

from .conftest import MakeClient, Script
from .waiting import begun, eventually

PATH = "/v3/asm/groups"
SOON = 5.0


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hasty")
def test_every_request_is_counted(make_client: MakeClient) -> None:
    script = Script(JSONResponse([]))
    client = make_client(script)

    def ask() -> None:
        for _ in range(20):
            assert client.get(PATH) == b"[]"

    for future in [begun(ask) for _ in range(6)]:
        future.result(60)
    assert client.requests == len(script.requests) == 120


def test_dead_key_is_dead_for_every_thread(make_client: MakeClient) -> None:
    script = Script(JSONResponse({}, 401))
    client = make_client(script)
    with pytest.raises(DeadKeyError) as first:
        client.get(PATH)
    with pytest.raises(DeadKeyError) as second:
        begun(lambda: client.get(PATH)).result(SOON)
    assert first.value is not second.value
    assert len(script.requests) == 1


def used_up() -> Response:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{time.time() + 200:.0f}"}
    return JSONResponse([], headers=headers)


@pytest.mark.parametrize("end", [Client.stop, Client.close], ids=["stop", "close"])
@pytest.mark.parametrize(
    ("answer", "work"),
    [
        (lambda _: JSONResponse({}, 429, headers={"Retry-After": "200"}), lambda client: client.get(PATH)),
        (lambda _: used_up(), lambda client: (client.get(PATH), client.get(PATH))),
        (lambda _: JSONResponse([]), lambda client: (client.get(PATH), client.pause(200))),
        (lambda _: JSONResponse({}, 503), lambda client: client.get(PATH)),
    ],
    ids=["429", "throttle", "pause", "back-off"],
)
def test_stopping_wakes_who_waits(
    make_client: MakeClient,
    answer: Callable[[object], Response],
    work: Callable[[Client], object],
    end: Callable[[Client], None],
) -> None:
    script = Script(answer)
    client = make_client(script, sleep=None, clock=time.time)
    future = begun(lambda: work(client))
    eventually(lambda: client.waited_seconds > 0)
    end(client)
    with pytest.raises(StoppedError):
        future.result(SOON)
    assert len(script.requests) == 1


def test_stopped_client_asks_for_nothing_more(make_client: MakeClient) -> None:
    script = Script(JSONResponse([]))
    client = make_client(script)
    client.stop()
    for ask in (
        lambda: client.get(PATH),
        lambda: client.post(PATH, {}),
        lambda: client.glance(PATH),
        lambda: client.pause(1),
        lambda: client.download("http://127.0.0.1:9/file", len, lambda: None),
    ):
        with pytest.raises(StoppedError):
            ask()
    assert script.requests == []
    assert issubclass(StoppedError, SendGridError)


def test_own_sleep_is_used_and_noticed_to_have_been_stopped(make_client: MakeClient) -> None:
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        client.stop()

    client = make_client(Script(JSONResponse({}, 429, headers={"Retry-After": "9"})), sleep=sleep)
    with pytest.raises(StoppedError):
        client.get(PATH)
    assert waits == [9.0]


def test_closing_does_not_wait_for_a_silent_host(make_client: MakeClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = make_client(url="http://{}:{}".format(*listener.getsockname()), sleep=None, clock=time.time)
        future = begun(lambda: client.get(PATH))
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            before = time.monotonic()
            client.close()
            assert time.monotonic() - before < SOON
            # Its connection is its own until it is done.
            assert not client._http.is_closed
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
            with pytest.raises(StoppedError):
                future.result(SOON)
        eventually(lambda: client._http.is_closed)


def test_work_that_nobody_will_take_asks_for_nothing_more(make_client: MakeClient) -> None:
    asked, left = threading.Event(), threading.Event()
    script = Script(JSONResponse([]))
    client = make_client(script)

    def work() -> None:
        client.get(PATH)
        asked.set()
        assert left.wait(SOON)
        results.append(outcome(lambda: client.get(PATH)))

    results: list[object] = []
    with Ahead[None]() as ahead:
        ahead.begin(work)
        assert asked.wait(SOON)
    left.set()
    eventually(lambda: bool(results))
    assert isinstance(results[0], StoppedError)
    assert len(script.requests) == 1
    assert client.get(PATH) == b"[]"


def outcome(work: Callable[[], object]) -> object:
    """What it returns or raises."""
    try:
        return work()
    except SendGridError as error:
        return error
