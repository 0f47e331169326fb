"""What the receiver takes: every signed body is kept, durable before its 2xx, and comes back as it was sent."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from sendgrid_assets.settings import load_settings
from sendgrid_assets.webhook.body import MIB
from sendgrid_assets.webhook.reader import Event, Rejected
from sendgrid_assets.webhook.receiver import limits_of
from sendgrid_assets_tests.processes import descriptors

from .conftest import facts
from .recorder import SlowDisk

BODY = b'[{"event":"open","email":"casey@example.com"},\r\n{"event":"click"}]\r\n'


def test_events_stand_in_new_when_the_answer_comes(served) -> None:
    answer = served.post(BODY)
    assert (answer.status_code, answer.content) == (204, b"")
    assert served.read() == [
        Event(1, b'{"event":"open","email":"casey@example.com"}'),
        Event(2, b'{"event":"click"}'),
    ]


@pytest.mark.parametrize("name", ["observed_events.json", "example_events.json"])
def test_collected_payloads_come_back_equal(served, name: str) -> None:
    sent = [entry["event"] for entry in facts(name)]
    with httpx.Client(base_url=served.url) as client:
        for event in sent:
            body = json.dumps([event], ensure_ascii=False).encode()
            answer = client.post("/webhooks/sendgrid", content=body, headers=served.signer.headers(body))
            assert answer.status_code == 204
    lines = served.read()
    assert [json.loads(line.json if isinstance(line, Event) else line.raw) for line in lines] == sent
    assert [isinstance(line, Event) for line in lines] == [isinstance(event, dict) for event in sent]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"no json at all\nover two lines", "not_json"),
        (b"\xff\xfe\x00", "not_json"),
        (b'"text"', "not_an_object"),
        (b"42", "not_an_object"),
        (b"{broken", "not_json"),
        (b'{"a":1} and more', "not_json"),
        (b"[" * 100_000, "too_deep"),
        (b"[42]", "not_an_object"),
    ],
)
def test_a_signed_body_of_another_kind_is_kept_to_be_rejected(served, body: bytes, reason: str) -> None:
    assert served.post(body).status_code == 204
    (line,) = served.read()
    assert isinstance(line, Rejected)
    assert line.reason == reason
    if not body.startswith(b"["):
        assert line.raw == body.decode("utf-8", "backslashreplace")


@pytest.mark.parametrize(
    "poison",
    [b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b"{broken}", b"[1,[2]]", b'"text"', b"null", b"{}{}"],
    ids=["bomb", "broken", "list", "text", "null", "two"],
)
def test_only_the_bad_event_of_a_signed_body_is_rejected(served, poison: bytes) -> None:
    assert served.post(b'[{"a":1},' + poison + b',{"b":2}]').status_code == 204
    assert [type(line) for line in served.read()] == [Event, Rejected, Event]


@pytest.mark.parametrize("mended", [b'{"x":"\xff"}', rb'{"x":"\ud800"}', b'{"x":"\x00"}'])
def test_events_that_can_be_mended_are_no_rejects(served, mended: bytes) -> None:
    assert served.post(b'[{"a":1},' + mended + b',{"b":2}]').status_code == 204
    assert [type(line) for line in served.read()] == [Event, Event, Event]
    assert served.get("/healthz").status_code == 200


def test_one_object_is_an_event_and_an_empty_list_is_nothing(served) -> None:
    assert served.post(b'{"event":\n"open"}').status_code == 204
    assert served.read() == [Event(1, b'{"event": "open"}')]
    before = served.files()
    for body in (b"[]", b" [ ]\r\n", b"", b"\r\n"):
        assert served.post(body).status_code == 204
    assert served.files() == before


def test_a_late_replay_is_taken_again(served) -> None:
    headers = served.signer.headers(BODY, timestamp="1000000000")
    assert [served.post(BODY, headers=headers).status_code for _ in range(2)] == [204, 204]
    assert len(served.read()) == 4


def test_unsigned_operation_takes_events_and_refuses_the_rest(serve) -> None:
    open_to_all = {"SENDGRID_WEBHOOK_PUBLIC_KEY": "", "SENDGRID_WEBHOOK_UNSIGNED": "true"}
    with serve(open_to_all) as served:
        assert served.post(BODY, headers={}).status_code == 204
        assert served.post(b"[]", headers={}).status_code == 204
        printed = json.dumps(json.loads(BODY), indent=2).replace("\n", "\r\n").encode()
        assert served.post(printed, headers={}).status_code == 204
        before = served.files()
        for body in (b"", b"garbage", b"42", b"[1]", b'[{"a":1},2]', b'[{"a":1}', b'[{"a":1}] x'):
            assert served.post(body, headers={}).status_code == 400, body
        assert served.files() == before


def test_the_largest_body_is_not_too_much_in_flight() -> None:
    for most in (1024, 256 * MIB):
        limits = limits_of(load_settings({"SENDGRID_MAX_BODY_BYTES": str(most)}))
        assert limits.in_flight_bytes >= 2 * limits.body_bytes


def test_a_key_beside_unsigned_operation_still_guards_what_is_signed(serve) -> None:
    with serve({"SENDGRID_WEBHOOK_UNSIGNED": "true"}) as served:
        assert served.post(BODY, headers={}).status_code == 204
        assert served.post(BODY).status_code == 204
        assert served.post(b"[]", headers=served.signer.headers(BODY)).status_code == 401


def test_packed_bodies_are_unpacked(served) -> None:
    packed = gzip.compress(BODY)
    for signed in (packed, BODY):
        headers = {**served.signer.headers(signed), "content-encoding": "gzip"}
        assert served.post(packed, headers=headers).status_code == 204
    assert len(served.read()) == 4
    members = gzip.compress(b"[") + gzip.compress(b"") + gzip.compress(BODY[1:])
    headers = {**served.signer.headers(members), "content-encoding": "gzip"}
    assert served.post(members, headers=headers).status_code == 204
    assert len(served.read()) == 6
    broken = packed[:-1]
    headers = {**served.signer.headers(broken), "content-encoding": "gzip"}
    assert served.post(broken, headers=headers).status_code == 204


def test_a_thousand_clients_share_fsyncs(serve) -> None:
    disk = SlowDisk()
    statuses: list[bytes] = []

    async def post(served, body: bytes) -> None:
        signed = "".join(f"{name}: {value}\r\n" for name, value in served.signer.headers(body).items())
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        head = f"POST /webhooks/sendgrid HTTP/1.1\r\nHost: x\r\n{signed}Content-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        statuses.append((await reader.readline()).split()[1])
        writer.close()
        await writer.wait_closed()

    async def post_all(served) -> None:
        await asyncio.gather(*(post(served, b'[{"n":%d}]' % number) for number in range(1_000)))

    # Client and server are one process here.
    with descriptors(3_000), serve(disk=disk) as served:
        started = disk.calls["fsync"]
        asyncio.run(post_all(served))
        assert set(statuses) == {b"204"}
        assert disk.calls["fsync"] - started < 500
        assert sorted(json.loads(line.json)["n"] for line in served.read()) == list(range(1_000))


def test_two_sources_are_kept_apart(serve, signer, tmp_path) -> None:
    both = {"SENDGRID_SOURCES": "sendgrid,other", "OTHER_WEBHOOK_PUBLIC_KEY": signer.public_key}
    with serve(both) as served:
        assert served.post(BODY, source="other").status_code == 204
        assert served.files() == []
        assert len(list((tmp_path / "landing" / "other" / "new").iterdir())) == 1


def test_metrics_tell_what_happened(served) -> None:
    served.post(BODY)
    served.post(BODY, headers={})
    served.post(BODY, source="who@example.com")
    text = served.get("/metrics").text
    for line in (
        'sendgrid_receiver_requests_total{source="sendgrid",status="204"} 1.0',
        'sendgrid_receiver_requests_total{source="unknown",status="404"} 1.0',
        'sendgrid_receiver_events_total{source="sendgrid"} 2.0',
        f'sendgrid_receiver_bytes_total{{source="sendgrid"}} {len(BODY)}.0',
        'sendgrid_receiver_refusals_total{reason="unsigned",source="sendgrid"} 1.0',
        'sendgrid_receiver_fsync_seconds_count{source="sendgrid"} 1.0',
        'sendgrid_receiver_commit_posts_sum{source="sendgrid"} 1.0',
        'sendgrid_receiver_segment_age_seconds{source="sendgrid"} 0.0',
        'sendgrid_landing_backlog_files{source="sendgrid"} 1.0',
        'sendgrid_landing_backlog_bytes{source="sendgrid"} 63.0',
    ):
        assert line in text
    assert "example.com" not in text


def test_the_age_of_an_open_segment_is_told(serve) -> None:
    with serve(limits={"segment_seconds": 60}) as served:
        for _ in range(2):
            assert served.post(BODY).status_code == 204
        time.sleep(0.05)
        found = re.search(r'segment_age_seconds{source="sendgrid"} (\S+)', served.get("/metrics").text)
        assert found
        assert float(found[1]) > 0.05


SECRET = "s3cret_in-the-path"


@pytest.mark.parametrize("key", [True, False], ids=["signed too", "secret alone"])
def test_a_secret_in_the_path(serve, key: bool, caplog: pytest.LogCaptureFixture) -> None:
    environ = {"SENDGRID_WEBHOOK_SECRET": SECRET} | ({} if key else {"SENDGRID_WEBHOOK_PUBLIC_KEY": ""})
    with serve(environ) as served, caplog.at_level(logging.DEBUG):
        for wrong in ("", f"/{SECRET}x", f"/{SECRET[:-1]}", "/", "/%ED%A0%80"):
            assert served.post(BODY, source="sendgrid" + wrong).status_code in (401, 404), wrong
        assert served.post(BODY, source="sendgrid").status_code == 401
        assert served.files() == []
        right = f"sendgrid/{SECRET}"
        assert served.post(BODY, source=right, headers={}).status_code == (401 if key else 204)
        assert served.post(BODY, source=right).status_code == 204
        # Whoever knows the secret is known: what is no event is kept to be rejected.
        assert served.post(b"no events", source=right).status_code == 204
        assert len(served.read()) == (3 if key else 5)
        assert SECRET not in served.get("/metrics").text
        assert SECRET not in served.get("/healthz").text
    ours = [record for record in caplog.records if record.name.startswith(("sendgrid", "uvicorn"))]
    assert any("bad_secret" in record.getMessage() for record in ours)
    assert not any(SECRET in record.getMessage() for record in ours)


def test_nothing_secret_is_logged(served, caplog: pytest.LogCaptureFixture) -> None:
    body = b'[{"email":"marked@example.com"}]'
    signature = served.signer.headers(body)
    with caplog.at_level(logging.DEBUG):
        served.post(body)
        served.post(body + b" ", headers=signature)
        served.post(b"marked@example.com is no event")
        served.post(body, source="marked@example.com")
        served.get("/webhooks/sendgrid?marked@example.com")
    assert "bad_signature" in caplog.text
    ours = "".join(
        record.getMessage() for record in caplog.records if record.name.startswith(("sendgrid", "uvicorn"))
    )
    for secret in ("marked", served.signer.public_key, *signature.values()):
        assert secret not in ours


def test_stopping_answers_what_is_in_flight(serve) -> None:
    stopped = threading.Event()

    def slow_body():
        yield BODY[:10]
        stopped.wait(10)
        yield BODY[10:]

    with serve() as served, ThreadPoolExecutor(20) as pool:

        def post() -> int:
            url = f"{served.url}/webhooks/sendgrid"
            headers = served.signer.headers(BODY)
            return httpx.post(url, content=slow_body(), headers=headers, timeout=20).status_code

        answers = [pool.submit(post) for _ in range(20)]
        deadline = time.monotonic() + 10
        while served.in_flight() < 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        served.stop()
        stopped.set()
        assert {answer.result(20) for answer in answers} == {204}
    assert len(served.read()) == 40
