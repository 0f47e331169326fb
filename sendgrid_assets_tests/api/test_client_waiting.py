"""Rate limits, failures that pass, and how long the client goes on asking."""

import contextlib
from collections.abc import Callable

import pytest
from starlette.responses import JSONResponse, Response

from sendgrid_assets.api import client as client_module
from sendgrid_assets.api.errors import SendGridError, UnavailableError
from sendgrid_assets.api.patience import ATTEMPTS, OUTAGE_SECONDS, THROTTLED_SECONDS
from sendgrid_assets.api.throttle import LONGEST_WAIT_SECONDS
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.server import create_app

from .conftest import API_KEY, RESET, START, FakeTime, MakeClient, Script, raw_server

PATH = "/v3/asm/groups"
GOOD = JSONResponse([])
LAST_BACK_OFF = 40.0


def too_many(**headers: str) -> Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse({"errors": [{"message": "too many requests"}]}, 429, headers=names)


def failing(status: int) -> Response:
    return JSONResponse({"errors": [{"message": "internal error"}]}, status)


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (too_many(X_RateLimit_Reset=f"{START + 42:.0f}"), 42.0),
        (too_many(x_ratelimit_reset=f"{START + 42:.0f}", Retry_After="7"), 42.0),
        (too_many(Retry_After="7"), 7.0),
        (too_many(X_RateLimit_Reset="soon", Retry_After="7"), 7.0),
        (too_many(), 1.0),
        (too_many(X_RateLimit_Reset=""), 1.0),
        (too_many(X_RateLimit_Reset="soon", Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"), 1.0),
        (too_many(X_RateLimit_Reset="nan", Retry_After="-inf"), 1.0),
        (too_many(X_RateLimit_Reset=f"{START:.0f}"), 1.0),
        (too_many(X_RateLimit_Reset=f"{START - 9_000:.0f}"), 1.0),
        (too_many(X_RateLimit_Reset="0"), 1.0),
        (too_many(X_RateLimit_Reset=f"{START + 9e9:.0f}"), LONGEST_WAIT_SECONDS),
        (too_many(X_RateLimit_Reset=f"{START * 1000:.0f}"), LONGEST_WAIT_SECONDS),
        (too_many(Retry_After="86400"), LONGEST_WAIT_SECONDS),
    ],
)
def test_rate_limit_is_waited_for(
    make_client: MakeClient, fake_time: FakeTime, answer: Response, wait: float
) -> None:
    client = make_client(Script(answer, GOOD))
    assert client.get(PATH) == b"[]"
    assert fake_time.waits == [wait]
    assert client.waited_seconds == wait
    assert client.requests == 2


def test_waiting_for_the_reset_is_enough_for_an_account(
    make_client: MakeClient, fake_time: FakeTime, account: Account
) -> None:
    app = create_app(account, api_key=API_KEY, limits={"/v3/asm": (2, 60.0)})
    others, client = make_client(app), make_client()
    for _ in range(5):
        client.get(PATH)
        # Another program with the same account: our own count of what is left is too high.
        others.get(PATH)
        others = make_client()
    assert client.requests > 5
    assert sum(fake_time.waits) <= 5 * 60


def test_limit_that_stays_shut_ends_the_asking(make_client: MakeClient, fake_time: FakeTime) -> None:
    script = Script(lambda _: too_many(X_RateLimit_Reset=f"{fake_time.now + 60:.0f}"))
    with pytest.raises(UnavailableError, match=f"{PATH}.*429"):
        make_client(script).get(PATH)
    assert THROTTLED_SECONDS < sum(fake_time.waits) <= THROTTLED_SECONDS + 60


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_failing_host_is_asked_again(make_client: MakeClient, fake_time: FakeTime, status: int) -> None:
    client = make_client(Script(failing(status), failing(status), GOOD))
    assert client.get(PATH) == b"[]"
    assert client.requests == 3
    assert len(fake_time.waits) == 2
    assert fake_time.waits[0] < fake_time.waits[1]


def test_host_that_stays_down_is_given_up(make_client: MakeClient, fake_time: FakeTime) -> None:
    script = Script(failing(503))
    with pytest.raises(UnavailableError, match=f"{PATH}.*503"):
        make_client(script).get(PATH)
    assert len(script.requests) == ATTEMPTS
    assert sum(fake_time.waits) < LAST_BACK_OFF


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        RESET,
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1, 2",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\n[1]",
        b"no HTTP at all\r\n\r\n",
    ],
    ids=["closed", "reset", "short", "chunk cut", "not the encoding it says", "not HTTP"],
)
def test_broken_answer_is_asked_for_again(make_client: MakeClient, answer: bytes) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"
    with raw_server(answer, answer, whole) as url:
        client = make_client(url=url)
        assert client.get(PATH) == b"[]"
        assert client.requests == 3
    with raw_server(answer) as url, pytest.raises(UnavailableError, match=PATH):
        make_client(url=url).get(PATH)


def test_host_that_cannot_be_reached_is_unavailable(make_client: MakeClient) -> None:
    with raw_server(b"") as url:
        pass
    with pytest.raises(UnavailableError, match="ConnectError"):
        make_client(url=url).get(PATH)


def test_silent_host_times_out(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_TIMEOUT", 0.02)
    with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n") as url, pytest.raises(UnavailableError):
        make_client(url=url).get(PATH)


def test_outage_budget_holds_over_collections(make_client: MakeClient, fake_time: FakeTime) -> None:
    script = Script(failing(502))
    client = make_client(script)
    asked = []
    for number in range(40):
        before = len(script.requests)
        with pytest.raises(UnavailableError):
            client.get(f"/v3/{number}")
        asked.append(len(script.requests) - before)
    assert OUTAGE_SECONDS < sum(fake_time.waits) < OUTAGE_SECONDS + LAST_BACK_OFF
    assert asked[0] == ATTEMPTS
    assert set(asked[20:]) == {0}


@pytest.mark.parametrize(
    "sign_of_life",
    [GOOD, failing(404), failing(403), too_many()],
    ids=["200", "404", "403", "429"],
)
def test_answer_ends_an_outage(make_client: MakeClient, fake_time: FakeTime, sign_of_life: Response) -> None:
    down = [failing(502)] * ATTEMPTS
    client = make_client(Script(*down, sign_of_life, *down, GOOD))

    with pytest.raises(UnavailableError):
        client.get(PATH)
    fake_time.now += OUTAGE_SECONDS / 2
    while client.requests <= ATTEMPTS + 1:
        with contextlib.suppress(SendGridError):
            client.get(PATH)
    assert client.requests == 2 * ATTEMPTS + 1
    assert client.get(PATH) == b"[]"


def test_time_in_which_nothing_is_asked_is_no_outage(make_client: MakeClient, fake_time: FakeTime) -> None:
    client = make_client(Script(*[failing(502)] * ATTEMPTS, failing(502), GOOD))
    with pytest.raises(UnavailableError):
        client.get(PATH)
    fake_time.now += 2 * OUTAGE_SECONDS
    assert client.get(PATH) == b"[]"
    assert client.requests == ATTEMPTS + 2


def test_rate_limits_do_not_use_up_the_attempts_at_a_failing_host(
    make_client: MakeClient, fake_time: FakeTime
) -> None:
    client = make_client(Script(*[too_many()] * ATTEMPTS, failing(502), failing(502), GOOD))
    assert client.get(PATH) == b"[]"
    assert fake_time.waits[:ATTEMPTS] == [1.0] * ATTEMPTS
    assert sum(fake_time.waits[ATTEMPTS:]) < 5


def test_alternating_failures_and_limits_end(make_client: MakeClient) -> None:
    answers: list[Callable[[object], Response]] = [lambda _: too_many(), lambda _: failing(500)] * 40
    client = make_client(Script(*answers))
    with pytest.raises(UnavailableError):
        client.get(PATH)
    assert client.requests == 2 * ATTEMPTS


def test_slow_failures_are_one_outage(make_client: MakeClient, fake_time: FakeTime) -> None:
    def slow(_: object) -> Response:
        fake_time.now += 0.7 * OUTAGE_SECONDS
        return failing(502)

    client = make_client(Script(slow))
    with pytest.raises(UnavailableError):
        client.get(PATH)
    assert client.requests == 3
    with pytest.raises(UnavailableError, match="was not asked for"):
        client.get(PATH)
