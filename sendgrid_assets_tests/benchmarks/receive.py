"""The benchmarks `receive-1`, `receive-100` and `receive-1000`: signed POSTs, verified and durable.

Belongs here: the POSTs and the ways to take them. Does not: the clients (`posting`), what an event looks like
(`landed_events`).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import socket
import threading
import time
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from sendgrid_assets.settings import load_settings
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.traffic import Traffic
from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.receiver import create_app, server_config
from sendgrid_assets.webhook.segment import SegmentWriter
from sendgrid_assets.webhook.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, read_public_key, verify

from . import landed_events, posting
from .benchmark import Benchmark, Outcome, Target, Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from starlette.requests import Request

    from .benchmark import Facts
    from .run import Run

_POSTS = {1: 20_000, 100: 6_000, 1_000: 800}
_CLIENTS = 32


class _CountingDisk(Disk):
    def __init__(self) -> None:
        self.fsyncs = 0

    def fsync(self, descriptor: int) -> None:
        self.fsyncs += 1
        super().fsync(descriptor)


@contextmanager
def _prepare(folder: Path, scale: float, events: int) -> Iterator[Callable[[float], Facts]]:
    traffic = Traffic(Account(contacts=0))
    made: dict[float, Facts] = {}

    def facts(share: float) -> Facts:
        if share not in made:
            posts = max(4, round(_POSTS[events] * scale * share))
            file = folder / f"{share:g}"
            posting.write(file, _requests(traffic, posts, events))
            made[share] = {"file": str(file), "rows": posts * events, "key": traffic.public_key}
        return made[share]

    yield facts


def _requests(traffic: Traffic, posts: int, events: int) -> Iterator[bytes]:
    lines = landed_events.lines()
    for _ in range(posts):
        # As SendGrid lays its bodies out.
        body = b"[" + b",\r\n".join(line.rstrip() for line in islice(lines, events)) + b"]\r\n"
        headers = {**traffic.headers(body), "Host": "receiver", "Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        yield f"POST /webhooks/sendgrid HTTP/1.1\r\n{head}\r\n".encode() + body


def _served(
    run: Run, app: Starlette, stored: Callable[[], Iterable[bytes]] | None, fsyncs: Callable[[], int]
) -> Outcome:
    """Posts everything to an application in this process.

    Args:
        run: whose.
        app: what is posted to.
        stored: every event it stored, as JSON; None where it does not tell events apart.
        fsyncs: how many it has made.
    """
    server = uvicorn.Server(server_config(app))
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        clients = posting.Posted(Path(run.facts["file"]), listening.getsockname()[1], _CLIENTS)
        # What is still being written would be waited for by the first fsync.
        os.sync()
        before = fsyncs()
        with run.timed():
            figures = clients.go()
        figures["fsyncs"] = fsyncs() - before
        server.should_exit = True
        thread.join()
    events = None
    if stored:
        ids = sorted(json.loads(event)["sg_event_id"] for event in stored())
        events = hashlib.sha256("\n".join(ids).encode()).hexdigest()
    return Outcome(run.facts["rows"], events, figures)


def _ours(run: Run) -> Outcome:
    disk = _CountingDisk()
    settings = load_settings(
        {"SENDGRID_DATA_DIR": str(run.folder), "SENDGRID_WEBHOOK_PUBLIC_KEY": run.facts["key"]}
    )

    def stored() -> Iterator[bytes]:
        for file in Landing(settings.landing_dir, "sendgrid").waiting():
            yield from file.path.read_bytes().splitlines()

    return _served(run, create_app(settings, disk=disk), stored, lambda: disk.fsyncs)


def _limit(run: Run) -> Outcome:
    disk = _CountingDisk()
    landing = Landing(run.folder / "landing", "sendgrid", disk)
    landing.prepare()
    writer = SegmentWriter(landing)

    async def take(request: Request) -> Response:
        await asyncio.wrap_future(writer.submit([await request.body()]))
        return Response(status_code=204)

    app = Starlette(routes=[Route("/webhooks/{source}", take, methods=["POST"])])
    try:
        return _served(run, app, None, lambda: disk.fsyncs)
    finally:
        writer.close()


def _plain(run: Run) -> Outcome:
    key, written = read_public_key(run.facts["key"]), []

    async def take(request: Request) -> Response:
        body = await request.body()
        signature, timestamp = request.headers[SIGNATURE_HEADER], request.headers[TIMESTAMP_HEADER]
        if not verify([key], signature, timestamp, body):
            return Response(status_code=401)
        events = json.loads(body)
        path = run.folder / f"{secrets.token_hex(8)}.json"
        with path.open("w") as out:
            json.dump(events, out)
            out.flush()
            os.fsync(out.fileno())
        written.append(path)
        return Response(status_code=204)

    def stored() -> Iterator[bytes]:
        for path in written:
            yield from (json.dumps(event).encode() for event in json.loads(path.read_bytes()))

    app = Starlette(routes=[Route("/webhooks/{source}", take, methods=["POST"])])
    return _served(run, app, stored, lambda: len(written))


def _benchmark(events: int, targets: tuple[Target, ...]) -> Benchmark:
    several = "one event" if events == 1 else f"{events:,} events"
    return Benchmark(
        name=f"receive-{events}",
        what=f"{_CLIENTS} clients in a process of their own post {several} at a time, signed, and await each answer.",
        prepare=lambda folder, scale: _prepare(folder, scale, events),
        variants=(
            Variant(
                "ours", "ours", "the receiver: verified, split into lines, durable before the answer", _ours
            ),
            Variant(
                "same server",
                "limit",
                "reads the body and writes it with the same group commit, no more",
                _limit,
            ),
            Variant(
                "plain endpoint",
                "peer",
                "verifies, parses, writes and fsyncs one file per POST",
                _plain,
                share=0.25,
            ),
        ),
        targets=targets,
    )


RECEIVE_1 = _benchmark(1, (Target("same server", least=0.5), Target("plain endpoint", least=10)))
RECEIVE_100 = _benchmark(100, (Target("same server", least=0.5),))
RECEIVE_1000 = _benchmark(1_000, (Target("same server", least=0.8),))
