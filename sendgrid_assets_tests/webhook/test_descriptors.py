"""A receiver with few descriptors: connections leave some for files, and a landing without any refuses."""

from __future__ import annotations

import contextlib
import resource
import socket
import subprocess
import time
from pathlib import Path

import httpx

from sendgrid_assets_tests.processes import wait_for

from .test_process import address, post, process, stop, stored


def test_too_few_descriptors_pass_by_themselves(tmp_path: Path) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))

    with process(tmp_path, preexec_fn=limited) as running:
        url = address(running)
        port = int(url.rsplit(":", 1)[1])
        with contextlib.ExitStack() as many:
            for _ in range(90):
                many.enter_context(socket.create_connection(("127.0.0.1", port)))
            with contextlib.suppress(httpx.TransportError):
                assert post(url, b'[{"a":1}]') in (204, 503)
            # Connections leave some for files.
            assert len(descriptors(running)) < 70
        deadline = time.monotonic() + 10
        status = 0
        while status != 204 and time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                status = post(url, b'[{"a":2}]')
        assert status == 204


def test_a_landing_out_of_descriptors_refuses_until_there_are_some(tmp_path: Path) -> None:
    with process(tmp_path) as running, httpx.Client(base_url=address(running), timeout=30) as client:

        def posted(number: int) -> int:
            return client.post("/webhooks/sendgrid", content=b'[{"n":%d}]' % number).status_code

        assert posted(1) == 204
        # The open segment is put into `new/` before there is no descriptor for another.
        wait_for(lambda: not list((tmp_path / "landing/sendgrid/tmp").iterdir()), "published")
        _, hard = resource.prlimit(running.pid, resource.RLIMIT_NOFILE)
        most = max(map(int, descriptors(running))) + 1
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (most, hard))
        assert posted(2) == 503
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (hard, hard))
        with httpx.Client(base_url=str(client.base_url), timeout=30) as again:
            answer = again.post("/webhooks/sendgrid", content=b'[{"n":3}]')
        assert answer.status_code == 204
        stop(running)
    assert stored(tmp_path) == [b'{"n":1}', b'{"n":3}']


def descriptors(running: subprocess.Popen[str]) -> list[str]:
    return [entry.name for entry in Path(f"/proc/{running.pid}/fd").iterdir()]
