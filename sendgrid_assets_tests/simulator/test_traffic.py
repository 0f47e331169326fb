import base64
import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.running import running
from sendgrid_assets.simulator.traffic import Traffic
from sendgrid_assets.webhook.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, read_public_key, verify

ALWAYS = {"email", "event", "sg_event_id", "sg_message_id", "timestamp"}
OWN = {
    "processed": {"smtp-id"},
    "delivered": {"smtp-id", "response", "tls", "ip"},
    "deferred": {"smtp-id", "response", "attempt", "tls", "domain", "from"},
    "bounce": {"reason", "status", "type"},
    "dropped": {"smtp-id", "reason"},
    "open": {"useragent", "ip", "sg_content_type", "sg_machine_open"},
    "click": {"useragent", "ip", "url", "url_offset"},
    "spamreport": {"smtp-id"},
    "unsubscribe": set(),
    "group_unsubscribe": {"smtp-id", "useragent", "ip", "url", "asm_group_id"},
    "group_resubscribe": {"smtp-id", "useragent", "ip", "url", "asm_group_id"},
}
NOW = 1_800_000_000


class Receiver:
    """A webhook receiver that answers what it is told to, and keeps what it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.posts: list[tuple[bytes, dict[str, str]]] = []

    async def take(self, request: Request) -> Response:
        self.posts.append((await request.body(), dict(request.headers)))
        return Response(status_code=self.status)

    def wait_for(self, posts: int) -> None:
        deadline = time.monotonic() + 10
        while len(self.posts) < posts:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def url(receiver: Receiver) -> Iterator[str]:
    with running(Starlette(routes=[Route("/hook", receiver.take, methods=["POST"])])) as base:
        yield f"{base}/hook"


@pytest.fixture
def traffic(account: Account) -> Traffic:
    return Traffic(account)


def _verified(traffic: Traffic, body: bytes, headers: dict[str, str]) -> bool:
    sent = {name.lower(): value for name, value in headers.items()}
    keys = [read_public_key(traffic.public_key)]
    return verify(keys, sent[SIGNATURE_HEADER.lower()], sent[TIMESTAMP_HEADER.lower()], body)


def test_posts_are_signed_as_sendgrid_signs(receiver: Receiver, url: str, traffic: Traffic) -> None:
    events = traffic.batch(40)
    with httpx.Client() as client:
        assert traffic.post(url, events, client).status_code == 200
    body, headers = receiver.posts[0]
    assert json.loads(body) == events
    assert _verified(traffic, body, headers)
    assert not _verified(traffic, body + b" ", headers)
    assert not _verified(traffic, body, headers | {TIMESTAMP_HEADER.lower(): str(NOW - 1)})
    assert len(traffic.public_key) == 124
    assert headers["user-agent"] == "SendGrid Event API"
    assert headers["content-type"] == "application/json;charset=utf-8"
    assert headers[TIMESTAMP_HEADER.lower()] == str(NOW)


def test_a_given_key_signs(account: Account) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    body = b"[]\r\n"
    assert _verified(Traffic(account, key=key), body, Traffic(account, key=key).headers(body))
    assert not _verified(Traffic(account), body, Traffic(account, key=key).headers(body))


def test_body_has_sendgrid_s_layout(traffic: Traffic) -> None:
    body = traffic.body([{"b": "é<", "a": 1}, {"c": None}])
    assert body == '[{"a":1,"b":"é<"},\r\n{"c":null}]\r\n'.encode()
    assert traffic.body([]) == b"[]\r\n"


def test_same_seed_same_events() -> None:
    one, two, other = (Traffic(Account(seed=seed, clock=lambda: NOW)).batch(200) for seed in (3, 3, 4))
    assert one == two != other


def test_a_few_hundred_events_show_every_type_with_its_fields(traffic: Traffic) -> None:
    events = traffic.batch(500)
    assert {event["event"] for event in events} == {*OWN, "account_status_change"}
    for event in events:
        if event["event"] == "account_status_change":
            assert set(event) == {"event", "sg_event_id", "timestamp", "type"}
            continue
        assert ALWAYS | OWN[event["event"]] <= set(event)
        if event["event"] in ("open", "click", "unsubscribe"):
            assert "smtp-id" not in event
    assert {event["sg_machine_open"] for event in events if event["event"] == "open"} == {True, False}
    assert {event["type"] for event in events if event["event"] == "bounce"} == {"bounce", "blocked"}
    categories = [event["category"] for event in events if "category" in event]
    assert {type(category) for category in categories} == {str, list}
    for field in (
        "order_id",
        "experiment",
        "singlesend_id",
        "marketing_campaign_id",
        "sg_template_id",
        "pool",
    ):
        assert any(field in event for event in events), field
    assert any(event["sg_message_id"] in (None, "") for event in events if event["event"] == "bounce")


def test_ids_have_sendgrid_s_shapes(traffic: Traffic) -> None:
    for event in traffic.batch(500):
        id_ = event["sg_event_id"]
        text = base64.urlsafe_b64decode(id_ + "=" * (-len(id_) % 4))
        if event["event"] == "account_status_change" or not event["sg_message_id"]:
            continue
        message_id, _, suffix = event["sg_message_id"].partition(".")
        assert re.fullmatch(r"[\w-]{22}", message_id)
        assert re.fullmatch(r"recvd-[0-9a-f]{10}-[a-z0-9]{5}-1-[0-9A-F]{8}-\d+\.0", suffix)
        if event["event"] in ("delivered", "deferred", "bounce"):
            attempt = event.get("attempt", r"\d+")
            assert re.fullmatch(rf"{event['event']}-{attempt}-12345678-{message_id}-0", text.decode())
        elif event["event"] in ("processed", "dropped"):
            word = event["event"].replace("dropped", "drop")
            assert text.decode() == f"{word}-12345678-{message_id}-0"
        else:
            assert len(id_) in (22, 48)


def test_events_of_a_message_are_in_order_and_of_late(account: Account, traffic: Traffic) -> None:
    addresses = {row.get("email") for row in account.mc_contacts}
    messages = defaultdict(list)
    for event in traffic.batch(400):
        assert NOW - 7200 < event["timestamp"] < NOW
        if event.get("sg_message_id"):
            messages[event["sg_message_id"]].append(event)
    for events in messages.values():
        assert events[0]["event"] in ("processed", "dropped")
        assert {event["email"] for event in events} <= addresses
        fresh = [event["timestamp"] for event in events if event["event"] in ("processed", "delivered")]
        assert fresh == sorted(fresh)


def test_some_events_come_again_under_a_new_id(traffic: Traffic) -> None:
    contents = defaultdict(set)
    for event in traffic.batch(600):
        contents[json.dumps(event | {"sg_event_id": ""}, sort_keys=True)].add(event["sg_event_id"])
    assert sum(len(ids) > 1 for ids in contents.values()) > 5


def test_run_posts_keeps_what_was_not_taken_and_repeats(
    receiver: Receiver, url: str, account: Account, traffic: Traffic
) -> None:
    receiver.status, stop = 503, threading.Event()
    loop = threading.Thread(target=traffic.run, args=(url,), kwargs={"every": 0.01, "stop": stop})
    loop.start()
    try:
        receiver.wait_for(3)
        receiver.status = 200
        receiver.wait_for(20)
    finally:
        stop.set()
        loop.join(15)
    assert not loop.is_alive()
    bodies = [body for body, _ in receiver.posts]
    assert bodies[0] == bodies[1] == bodies[2], "what was not taken is posted again, byte for byte"
    taken = bodies[bodies.index(bodies[0]) + bodies.count(bodies[0]) :]
    assert 0 < len(taken) - len(set(taken)) < len(taken) / 4, "now and then what was taken, too"
    assert all(_verified(traffic, body, headers) for body, headers in receiver.posts)


def test_run_waits_for_a_receiver_that_is_not_up(traffic: Traffic) -> None:
    with running(Starlette()) as base:
        pass
    stop = threading.Event()
    loop = threading.Thread(target=traffic.run, args=(f"{base}/hook",), kwargs={"every": 0.01, "stop": stop})
    loop.start()
    time.sleep(0.2)
    assert loop.is_alive()
    stop.set()
    loop.join(15)
    assert not loop.is_alive()


def test_an_account_without_contacts_still_has_traffic() -> None:
    assert len(Traffic(Account(contacts=0)).batch(50)) == 50


def test_the_past_is_a_batch_a_day_up_to_yesterday_with_quiet_weekends() -> None:
    monday = 1_764_547_200
    account = Account(clock=lambda: monday)
    batches = Traffic(account).past(7, 30)
    assert [len(batch) for batch in batches] == [30, 30, 30, 30, 30, 10, 10]
    ages = [[(monday - event["timestamp"]) // 86_400 for event in batch] for batch in batches]
    assert [min(some) for some in ages[:5]] == [7, 6, 5, 4, 3]
    assert min(map(min, ages)) == 1
    assert account.now() == monday
