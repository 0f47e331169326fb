"""Rate limits are kept to rather than run into: requests wait for the reset before SendGrid has to say no."""

import contextlib
import threading

import pytest
from starlette.responses import JSONResponse, Response

from sendgrid_assets.api.errors import BadAnswerError
from sendgrid_assets.api.throttle import LONGEST_WAIT_SECONDS, Throttle, endpoint_of
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.server import create_app

from .conftest import API_KEY, START, FakeTime, MakeClient, Script
from .waiting import begun, eventually

PATH = "/v3/asm/groups"


def limited(remaining: object, reset: object) -> Response:
    return JSONResponse(
        [], headers={"X-RateLimit-Remaining": f"{remaining}", "X-RateLimit-Reset": f"{reset}"}
    )


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/v3/asm/groups", "GET /v3/asm/groups"),
        ("/v3/asm/groups/103/suppressions", "GET /v3/asm/groups/{id}/suppressions"),
        ("/v3/marketing/segments/2.0", "GET /v3/marketing/segments/2.0"),
        (
            "/v3/marketing/stats/singlesends/27d3a1ba-2e9f-11ee-8a2d-0eb2ca0b2f01/links",
            "GET /v3/marketing/stats/singlesends/{id}/links",
        ),
        ("/v3/templates/d-0123456789abcdef0123456789ABCDEF", "GET /v3/templates/{id}"),
        ("/v3/templates/d-short", "GET /v3/templates/{id}"),
        ("/v3/x/0123456789abcdef0123", "GET /v3/x/{id}"),
        ("/v3/x/added", "GET /v3/x/added"),
        ("/v3/x/devices", "GET /v3/x/devices"),
    ],
)
def test_an_id_is_no_part_of_an_endpoint(path: str, endpoint: str) -> None:
    assert endpoint_of("GET", path) == endpoint


def test_request_after_the_last_one_allowed_waits_for_the_reset(
    make_client: MakeClient, fake_time: FakeTime
) -> None:
    client = make_client(Script(limited(0, START + 42), JSONResponse([])))
    client.get(PATH)
    assert fake_time.waits == []
    client.get(PATH)
    assert fake_time.waits == [42.0]
    assert client.waited_seconds == 42.0
    assert client.requests == 2


def test_answer_that_leaves_some_is_no_reason_to_wait(make_client: MakeClient, fake_time: FakeTime) -> None:
    client = make_client(Script(limited(1, START + 42), JSONResponse([])))
    client.get(PATH)
    client.get(PATH)
    assert fake_time.waits == []


@pytest.mark.parametrize(
    "answer",
    [
        limited(0, START),
        limited(0, START - 100),
        limited(0, 0),
        limited(0, -1),
        limited(0, START + LONGEST_WAIT_SECONDS + 1),
        limited(0, START * 1000),
        limited(0, "soon"),
        limited(0, ""),
        limited(0, "nan"),
        limited(0, "inf"),
        limited("none", START + 42),
        limited("", START + 42),
        limited("nan", START + 42),
        JSONResponse([], headers={"X-RateLimit-Remaining": "0"}),
        JSONResponse([], headers={"X-RateLimit-Reset": f"{START + 42}"}),
    ],
)
def test_reset_that_is_past_absent_or_absurd_is_not_waited_for(
    make_client: MakeClient, fake_time: FakeTime, answer: Response
) -> None:
    client = make_client(Script(answer))
    client.get(PATH)
    client.get(PATH)
    assert fake_time.waits == []


def test_only_the_endpoint_that_is_used_up_waits(make_client: MakeClient, fake_time: FakeTime) -> None:
    client = make_client(Script(limited(0, START + 42), JSONResponse([])))
    client.get("/v3/asm/groups/1/suppressions")
    client.get("/v3/asm/groups")
    client.post("/v3/asm/groups/1/suppressions", {})
    assert fake_time.waits == []
    client.get("/v3/asm/groups/2/suppressions")
    assert fake_time.waits == [42.0]


def test_endpoint_may_be_told(make_client: MakeClient, fake_time: FakeTime) -> None:
    client = make_client(Script(limited(0, START + 42), JSONResponse([])))
    client.get("/v3/categories/spring", endpoint="/v3/categories/{id}")
    client.get("/v3/categories/autumn", endpoint="/v3/categories/{id}")
    assert fake_time.waits == [42.0]


def test_failing_answers_headers_count_too(make_client: MakeClient, fake_time: FakeTime) -> None:
    missing = JSONResponse(
        {}, 404, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{START + 42}"}
    )
    client = make_client(Script(missing, JSONResponse([])))
    for _ in range(2):
        with contextlib.suppress(BadAnswerError):
            client.get(PATH)
    assert fake_time.waits == [42.0]


def test_an_account_never_has_to_say_no(
    make_client: MakeClient, fake_time: FakeTime, account: Account
) -> None:
    client = make_client(create_app(account, api_key=API_KEY, limits={"/v3/asm": (3, 60.0)}))
    for _ in range(10):
        client.get(PATH)
    assert fake_time.waits == [60.0] * 3
    assert client.requests == len(account.requests) == 10


def test_answer_that_comes_late_does_not_open_what_a_later_one_shut() -> None:
    throttle = Throttle(lambda: START)
    throttle.note("GET /x", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{START + 9}"})
    throttle.note("GET /x", {"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": f"{START + 9}"})
    assert throttle.turn("GET /x") == 9.0


def test_requests_under_way_are_counted_before_their_answers_are_seen() -> None:
    throttle = Throttle(lambda: START)
    throttle.note("GET /x", {"X-RateLimit-Remaining": "2", "X-RateLimit-Reset": f"{START + 9}"})
    assert [throttle.turn("GET /x") for _ in range(4)] == [0.0, 0.0, 9.0, 9.0]
    throttle.note("GET /x", {"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": f"{START + 69}"})
    assert throttle.turn("GET /x") == 0.0


class HeldTime:
    """A clock that stands, and waiting that lasts, until it is let go."""

    def __init__(self) -> None:
        self.now = START
        self.waits: list[float] = []
        self._released = threading.Event()

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        assert self._released.wait(10)

    def let_go(self, seconds: float) -> None:
        self.now += seconds
        self._released.set()


def test_429_of_one_thread_makes_the_others_of_its_endpoint_wait(make_client: MakeClient) -> None:
    held = HeldTime()
    refused = JSONResponse({}, 429, headers={"Retry-After": "30"})
    script = Script(refused, JSONResponse([]))
    client = make_client(script, sleep=held.sleep, clock=held.clock)
    asked = [begun(lambda: client.get(PATH))]
    eventually(lambda: held.waits == [30.0])
    asked += [begun(lambda: client.get(PATH)) for _ in range(3)]
    eventually(lambda: len(held.waits) == 4)
    assert len(script.requests) == 1
    assert client.get("/v3/elsewhere") == b"[]"
    held.let_go(30)
    assert [future.result(10) for future in asked] == [b"[]"] * 4
    assert held.waits == [30.0] * 4
    assert [request.url.path for request in script.requests].count(PATH) == 5
    # Four threads waited, but for the same half minute.
    assert client.waited_seconds == 30.0
