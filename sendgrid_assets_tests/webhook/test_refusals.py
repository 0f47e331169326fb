"""What the receiver refuses: the right status, a sentence, and nothing written anywhere."""

from __future__ import annotations

import errno
import gzip
import re
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable

import httpx
import pytest

from sendgrid_assets.webhook.body import inflate
from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.refusal import Refusal
from sendgrid_assets.webhook.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER

from .raw import head, raw_answer
from .recorder import FailingDisk

BODY = b'[{"event":"open"}]'


@pytest.fixture
def untouched(served):
    yield served
    assert served.files() == []


def test_unknown_source(untouched) -> None:
    for source in ("nobody", "SENDGRID", "sendgrid/", "..%2Fsendgrid", "sendgrid/more"):
        assert untouched.post(BODY, source=source).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods(untouched, method: str) -> None:
    answer = httpx.request(method, f"{untouched.url}/webhooks/sendgrid")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("absent", [SIGNATURE_HEADER, TIMESTAMP_HEADER])
def test_absent_signature(untouched, absent: str) -> None:
    headers = untouched.signer.headers(BODY)
    del headers[absent]
    assert untouched.post(BODY, headers=headers).status_code == 401
    assert untouched.post(BODY, headers={}).status_code == 401


def test_wrong_signature(untouched) -> None:
    headers = untouched.signer.headers(BODY)
    assert untouched.post(BODY.replace(b"open", b"opem"), headers=headers).status_code == 401
    assert untouched.post(BODY, headers=headers | {TIMESTAMP_HEADER: "1700000001"}).status_code == 401
    latin = {name.encode(): b"\xe9" for name in headers}
    assert untouched.post(BODY, headers=latin).status_code == 401


def test_a_source_without_a_key_says_what_to_set(serve) -> None:
    with serve({"SENDGRID_SOURCES": "marketing_eu", "SENDGRID_WEBHOOK_PUBLIC_KEY": ""}) as served:
        answer = served.post(BODY, source="marketing_eu")
        assert answer.status_code == 503
        assert "MARKETING_EU_WEBHOOK_PUBLIC_KEY" in answer.text
        assert "MARKETING_EU_WEBHOOK_UNSIGNED" in answer.text
        assert int(answer.headers["retry-after"]) > 0
        assert served.get("/healthz").status_code == 200
        assert [path for path in served.landing.root.parent.rglob("*") if path.is_file()] == []


def test_large_bodies_are_refused_before_they_are_read(serve) -> None:
    with serve({"SENDGRID_MAX_BODY_BYTES": "1024"}) as served:
        assert served.post(b"[" + b" " * 1023).status_code == 204
        kept = served.files()
        assert served.post(b"[" + b" " * 1024).status_code == 413
        # Announced: refused with no byte of the body sent.
        announced = raw_answer(served.port, head(served, BODY, "Content-Length: 99999999999"))
        assert announced.startswith(b"HTTP/1.1 413 ")
        # Not announced: refused while more would come.
        chunk = b"400\r\n" + b" " * 1024 + b"\r\n"
        endless = raw_answer(served.port, head(served, BODY, "Transfer-Encoding: chunked"), chunk, chunk)
        assert endless.startswith(b"HTTP/1.1 413 ")
        assert served.files() == kept


def bomb() -> bytes:
    """A gigabyte of zeros, packed; all but the first megabyte are the same packed bytes again."""
    packer = zlib.compressobj(wbits=31)
    megabytes = [packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2)]
    return megabytes[0] + megabytes[1] * 999


def test_a_gzip_bomb_is_too_large(untouched) -> None:
    headers = {**untouched.signer.headers(bomb()), "content-encoding": "gzip"}
    assert untouched.post(bomb(), headers=headers).status_code == 413
    assert untouched.get("/healthz").status_code == 200


def test_a_gzip_bomb_is_not_unpacked_first() -> None:
    packed = bomb()
    tracemalloc.start()
    with pytest.raises(Refusal):
        inflate(packed, 1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def test_slow_bodies_end_at_their_deadline(serve) -> None:
    with serve(limits={"body_seconds": 0.3}) as served:
        request = head(served, BODY, f"Content-Length: {len(BODY)}") + BODY[:5]
        assert raw_answer(served.port, request).startswith(b"HTTP/1.1 408 ")
        assert served.files() == []
        assert served.post(BODY).status_code == 204


@pytest.mark.parametrize("length", ["-1", "nine", "18, 18", "9" * 30])
def test_a_length_that_is_none(untouched, length: str) -> None:
    answer = raw_answer(untouched.port, head(untouched, BODY, f"Content-Length: {length}") + BODY)
    assert answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 413")
    assert untouched.get("/healthz").status_code == 200


def test_a_body_without_a_length_is_empty_and_a_shorter_one_is_not_awaited(serve) -> None:
    with serve(limits={"body_seconds": 0.3}) as served:
        empty = served.signer.headers(b"")
        signed = "".join(f"{name}: {value}\r\n" for name, value in empty.items()).encode()
        request = b"POST /webhooks/sendgrid HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + signed + b"\r\n"
        assert raw_answer(served.port, request).startswith(b"HTTP/1.1 204")
        short = head(served, BODY, "Connection: close", f"Content-Length: {len(BODY) + 1}") + BODY
        assert raw_answer(served.port, short).startswith(b"HTTP/1.1 408")
        assert served.files() == []


def test_a_sender_that_goes_away_leaves_nothing(untouched) -> None:
    with socket.create_connection(("127.0.0.1", untouched.port)) as connection:
        connection.sendall(head(untouched, BODY, "Content-Length: 1000") + BODY)
    deadline = time.monotonic() + 10
    while "disconnected" not in untouched.get("/metrics").text and time.monotonic() < deadline:
        time.sleep(0.05)
    assert 'refusals_total{reason="disconnected",source="sendgrid"} 1.0' in untouched.get("/metrics").text


def test_too_much_in_flight(serve) -> None:
    with serve(limits={"in_flight_bytes": 100}) as served:
        answer = served.post(b"[" + b" " * 200 + b"]")
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert served.files() == []
        packed = gzip.compress(b"[" + b" " * 200 + b"]")
        packed_headers = {**served.signer.headers(packed), "content-encoding": "gzip"}
        assert served.post(packed, headers=packed_headers).status_code == 503
        # What was answered is no longer counted.
        assert [served.post(BODY).status_code for _ in range(20)] == [204] * 20


def test_too_much_waits_to_be_loaded(serve) -> None:
    with serve({"SENDGRID_MAX_BACKLOG_BYTES": str(1024 * 1024)}) as served:
        assert served.post(BODY).status_code == 204
        waiting = served.landing.new / "by-another-program.ndjson"
        waiting.write_bytes(b"{}\n" * 400_000)
        answer = until(lambda: served.post(BODY), 503)
        assert int(answer.headers["retry-after"]) > 0
        assert "drain" in served.get("/healthz").text
        text = served.get("/metrics").text
        assert re.search(r'backlog_bytes{source="sendgrid"} 1\.2\d*e\+06', text)
        assert 'refusals_total{reason="backlog",source="sendgrid"} 1.0' in text
        waiting.unlink()
        until(lambda: served.get("/healthz"), 200)
        assert served.post(BODY).status_code == 204


def until(ask: Callable[[], httpx.Response], status: int) -> httpx.Response:
    """The first answer of that status; what is counted once a second takes as long to be noticed."""
    deadline = time.monotonic() + 10
    while (answer := ask()).status_code != status and time.monotonic() < deadline:
        time.sleep(0.05)
    assert answer.status_code == status
    return answer


def test_too_little_disk(serve) -> None:
    with serve(limits={"free_bytes": 1 << 60}) as served:
        answer = served.post(BODY)
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert "no room" in served.get("/healthz").text
        assert served.files() == []


def test_a_full_disk_is_told_and_passes_by_itself(serve) -> None:
    disk = FailingDisk("write")
    with serve(disk=disk) as served:
        assert served.get("/healthz").status_code == 200
        disk.failing = errno.ENOSPC
        answer = served.post(BODY)
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert "no room" in answer.text
        assert served.get("/healthz").status_code == 503
        assert served.files() == []
        disk.failing = None
        assert served.post(BODY).status_code == 204
        assert served.get("/healthz").status_code == 200


@pytest.mark.parametrize("in_the_way", [True, False], ids=["a file", "missing"])
def test_new_is_no_folder(serve, in_the_way: bool) -> None:
    with serve() as served:
        served.landing.new.rmdir()
        if in_the_way:
            served.landing.new.write_bytes(b"")
        assert served.post(BODY).status_code == 503
        health = served.get("/healthz")
        assert (health.status_code, health.text.count("\n")) == (503, 1)
        served.landing.new.unlink(missing_ok=True)
        served.landing.new.mkdir()
        assert served.post(BODY).status_code == 204


def test_a_disk_that_does_not_answer_is_not_waited_for(serve) -> None:
    answers = threading.Event()

    class Stuck(Disk):
        def write(self, descriptor: int, data: bytes) -> None:
            answers.wait(10)
            super().write(descriptor, data)

    with serve(disk=Stuck(), limits={"commit_seconds": 1.0}) as served:
        try:
            assert served.post(BODY).status_code == 503
            # From then on nothing is read that would only wait behind it.
            announced = raw_answer(served.port, head(served, BODY, "Content-Length: 100"))
            assert announced.startswith(b"HTTP/1.1 503 ")
            assert served.get("/healthz").status_code == 503
        finally:
            answers.set()
        deadline = time.monotonic() + 10
        while served.get("/healthz").status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert served.post(BODY).status_code == 204


def test_other_paths_are_not_there(untouched) -> None:
    for path in ("/", "/webhooks", "/docs", "/webhooks/"):
        assert untouched.get(path).status_code == 404
