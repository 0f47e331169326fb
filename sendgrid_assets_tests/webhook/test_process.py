"""The receiver as a process: killed, stopped, out of disk, out of luck, and two at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.reader import Event, read
from sendgrid_assets.webhook.recovery import recover

PROGRAM = """
import dataclasses, logging, sys
from sendgrid_assets.settings import load_settings
from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.landing import LandingError
from sendgrid_assets.webhook.receiver import ReceiverError, limits_of, run
from sendgrid_assets_tests.webhook.recorder import BrokenFsync, DyingDisk
logging.basicConfig(level=logging.INFO)
try:
    settings = load_settings()
    limits = dataclasses.replace(limits_of(settings), segment_seconds=float(sys.argv[3]))
    run(settings, port=int(sys.argv[1]), disk=eval(sys.argv[2]), limits=limits)
except (LandingError, ReceiverError) as error:
    sys.exit(str(error))
"""


@contextlib.contextmanager
def process(
    data: Path, disk: str = "None", port: int = 0, segment_seconds: float = 0.05, **kwargs
) -> Iterator[subprocess.Popen[str]]:
    environ = {
        "PATH": os.environ["PATH"],
        "SENDGRID_DATA_DIR": str(data),
        "SENDGRID_WEBHOOK_UNSIGNED": "true",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    command = [sys.executable, "-c", PROGRAM, str(port), disk, str(segment_seconds)]
    with subprocess.Popen(
        command, env=environ, cwd=data, stderr=subprocess.PIPE, text=True, **kwargs
    ) as running:
        try:
            yield running
        finally:
            if running.poll() is None:
                running.kill()
            running.wait(10)


def address(running: subprocess.Popen[str]) -> str:
    """The receiver's URL, once it is ready."""
    assert running.stderr
    for line in running.stderr:
        if found := re.search(r"listening on (\S+) port (\d+)", line):
            url = f"http://{found[1]}:{found[2]}"
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                with contextlib.suppress(httpx.TransportError):
                    httpx.get(f"{url}/healthz")
                    return url
                time.sleep(0.02)
    raise AssertionError("the receiver did not start")


def post(url: str, body: bytes) -> int:
    return httpx.post(f"{url}/webhooks/sendgrid", content=body, timeout=10).status_code


def stored(data: Path) -> list[bytes]:
    landing = Landing(data / "landing", "sendgrid")
    return [line.json for file in landing.waiting() for line in read(file) if isinstance(line, Event)]


async def storm(url: str, running: subprocess.Popen[str], first: int, *, may_live: bool) -> set[bytes]:
    """Posts from many clients at once until the process is killed; what was acknowledged, as it is to be stored."""
    acknowledged: set[bytes] = set()

    async def client(session: httpx.AsyncClient, number: int) -> None:
        for count in range(10_000):
            event = b'{"id":"%d-%d-%d","nul":"\0"}' % (first, number, count)
            answer = await session.post("/webhooks/sendgrid", content=b"[" + event + b"]")
            if answer.status_code == 204:
                acknowledged.add(event.replace(b"\0", rb"\u0000"))

    async with httpx.AsyncClient(base_url=url) as session:
        clients = [asyncio.create_task(client(session, number)) for number in range(8)]
        # They end by themselves when the process does.
        _, living = await asyncio.wait(clients, timeout=0.5 if may_live else 10)
        assert may_live or not living
        running.kill()
        await asyncio.gather(*clients, return_exceptions=True)
    return acknowledged


@pytest.mark.parametrize("call", ["create", "write", "fsync", "link", "fsync_dir", "unlink", "anywhere"])
def test_killed_at_any_call_nothing_acknowledged_is_lost(tmp_path: Path, call: str) -> None:
    acknowledged: set[bytes] = set()
    for turn in (1, 2):
        disk = "None" if call == "anywhere" else f"DyingDisk({call!r}, 12, after={turn == 1})"
        with process(tmp_path, disk) as running:
            url = address(running)
            if turn == 2:
                assert list((tmp_path / "landing/sendgrid/tmp").iterdir()) == [], "the start recovers"
            acknowledged |= asyncio.run(storm(url, running, turn, may_live=disk == "None"))
    landing = Landing(tmp_path / "landing", "sendgrid")
    recover(landing)
    found = stored(tmp_path)
    assert acknowledged
    assert acknowledged <= set(found)
    assert len(found) == len(set(found))
    assert list(landing.tmp.iterdir()) == []


def test_a_failed_fsync_is_told_and_ends_the_process(tmp_path: Path) -> None:
    Landing(tmp_path / "landing", "sendgrid").prepare()
    with process(tmp_path, "BrokenFsync()") as running:
        assert post(address(running), b'[{"a":1}]') == 503
        assert running.wait(10) != 0
        assert running.stderr
        assert "fsync failed" in running.stderr.read()
    assert stored(tmp_path) == []


def test_sigterm_ends_with_status_zero(tmp_path: Path) -> None:
    with process(tmp_path) as running:
        url = address(running)
        assert post(url, b'[{"a":1}]') == 204
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
    assert stored(tmp_path) == [b'{"a":1}']


def test_a_port_in_use_names_the_mend(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with process(tmp_path, port=port) as running:
            _, told = running.communicate(timeout=10)
    assert running.returncode == 1
    (line,) = told.splitlines()
    assert str(port) in line
    assert "--port" in line
    assert "SENDGRID_RECEIVER_PORT" in line


def test_an_unusable_landing_directory_refuses_to_start(tmp_path: Path) -> None:
    (tmp_path / "landing").write_bytes(b"")
    with process(tmp_path) as running:
        _, told = running.communicate(timeout=10)
    assert running.returncode == 1
    assert len(told.splitlines()) == 1
    assert "a file is in the way" in told


def test_a_limit_on_file_size_is_a_full_disk_that_passes(tmp_path: Path) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))

    with process(tmp_path, preexec_fn=limited) as running:
        url = address(running)
        large = b'[{"a":"' + b"x" * 100_000 + b'"}]'
        assert post(url, large) == 503
        assert httpx.get(f"{url}/healthz").status_code == 503
        assert list((tmp_path / "landing/sendgrid/tmp").iterdir()) == []
        assert post(url, b'[{"a":1}]') == 204
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert post(url, large) == 204
        assert httpx.get(f"{url}/healthz").status_code == 200


def stop(running: subprocess.Popen[str]) -> None:
    running.send_signal(signal.SIGTERM)
    assert running.wait(20) == 0


def test_four_processes_share_a_directory(tmp_path: Path) -> None:
    def events(number: int) -> list[bytes]:
        return [b'{"n":%d,"of":%d}' % (count, number) for count in range(500)]

    def post_all(url: str, number: int) -> set[int]:
        with httpx.Client(base_url=url) as client:
            return {
                client.post("/webhooks/sendgrid", content=b"[" + event + b"]").status_code
                for event in events(number)
            }

    with contextlib.ExitStack() as stack, ThreadPoolExecutor(4) as pool:
        workers = [stack.enter_context(process(tmp_path)) for _ in range(4)]
        urls = [address(worker) for worker in workers]
        assert set().union(*pool.map(post_all, urls, range(4))) == {204}
        for worker in workers:
            stop(worker)
    assert sorted(stored(tmp_path)) == sorted(event for number in range(4) for event in events(number))
    assert list((tmp_path / "landing/sendgrid/tmp").iterdir()) == []


def test_a_start_leaves_the_open_segment_of_another_process_alone(tmp_path: Path) -> None:
    tmp = tmp_path / "landing/sendgrid/tmp"
    with process(tmp_path, segment_seconds=60) as one:
        first = address(one)
        assert [post(first, b'[{"n":%d}]' % number) for number in range(3)] == [204] * 3
        (segment,) = tmp.iterdir()
        with process(tmp_path, segment_seconds=60) as two:
            second = address(two)
            assert segment.exists()
            assert [post(url, b'[{"n":%d}]' % number) for number, url in ((3, first), (4, second))] == [
                204
            ] * 2
            assert len(stored(tmp_path)) == 2
            stop(two)
        stop(one)
    assert sorted(stored(tmp_path)) == [b'{"n":%d}' % number for number in range(5)]
    assert list(tmp.iterdir()) == []


def test_sigterm_answers_fifty_slow_posts_and_ends_with_status_zero(tmp_path: Path) -> None:
    request = b"POST /webhooks/sendgrid HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
    with process(tmp_path, segment_seconds=60) as running, contextlib.ExitStack() as stack:
        port = int(address(running).rsplit(":", 1)[1])
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=15)) for _ in range(50)
        ]
        for connection in slow:
            connection.sendall(request + b'[{"n":')
        # A request that was answered says that those before it are being read.
        assert post(f"http://127.0.0.1:{port}", b'[{"n":0}]') == 204
        running.send_signal(signal.SIGTERM)
        for connection in slow:
            connection.sendall(b"111}]"[1:])
        assert [connection.recv(4096).split()[1] for connection in slow] == [b"204"] * 50
        assert running.wait(20) == 0
    assert len(stored(tmp_path)) == 51
    assert list((tmp_path / "landing/sendgrid/tmp").iterdir()) == []


def resident_mb(running: subprocess.Popen[str]) -> float:
    status = Path(f"/proc/{running.pid}/status")
    if not status.exists():
        pytest.skip("only Linux says how much memory another process has held")
    return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if "VmHWM" in line)


def test_endless_bodies_take_no_memory(tmp_path: Path) -> None:
    head = b"POST /webhooks/sendgrid HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with process(tmp_path) as running:
        url = address(running)
        assert post(url, b"[" + b" " * 1_000_000 + b"]") == 204
        before = resident_mb(running)
        for _ in range(8):
            with socket.create_connection(
                ("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=10
            ) as connection:
                connection.sendall(head)
                with contextlib.suppress(OSError):
                    for _ in range(64):
                        connection.sendall(chunk)
        assert post(url, b'[{"n":1}]') == 204
        # Eight times sixty-four megabytes were sent, of which each request may hold four.
        assert resident_mb(running) - before < 64
    assert stored(tmp_path) == [b'{"n":1}']
