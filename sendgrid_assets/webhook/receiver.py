"""The receiver as an application and as a process.

Belongs here: the routes, start and end. Does not: what a POST goes through (`endpoint`).
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from .body import Limits
from .durable import FsyncError
from .endpoint import PREFIX, Webhook
from .landing import Landing
from .metrics import Metrics
from .protocol import BoundedProtocol
from .refusal import RETRY_AFTER_SECONDS, Refusal
from .source import Source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from sendgrid_assets.settings import Settings

    from .durable import Disk

logger = logging.getLogger("sendgrid_assets.webhook")

_GRACE_SECONDS = 20


class ReceiverError(Exception):
    """The receiver cannot run, or had to end; the text is one sentence that says why."""


def create_app(
    settings: Settings,
    *,
    limits: Limits | None = None,
    disk: Disk | None = None,
    clock: Callable[[], float] = time.time,
    on_broken: Callable[[], None] | None = None,
) -> ASGIApp:
    """The receiver as an ASGI application; it opens the landing directory when its lifespan begins.

    Args:
        settings: sources, keys, landing directory and the largest body.
        limits: instead of what the settings say.
        disk: the calls that make bytes durable.
        clock: Unix time in seconds.
        on_broken: called once when an fsync failed: the process must end, and be started again.

    Raises:
        LandingError: when the lifespan begins, where the landing directory cannot be used.
    """
    metrics, limits = Metrics(), limits or limits_of(settings)
    sources = {
        source.name: Source(source, Landing(settings.landing_dir, source.name, disk), limits)
        for source in settings.sources
    }

    def start() -> None:
        for source in sources.values():
            source.open(metrics, clock, on_broken)
        recover()

    def recover() -> None:
        for name, source in sources.items():
            try:
                if recovered := source.recover():
                    logger.info("%s: recovered %d segments", name, recovered)
            except FsyncError:
                logger.warning("%s: an fsync failed while recovering segments", name)
                source.is_recovered = True
                if on_broken:
                    on_broken()
            except OSError as error:
                # The others go on, and so does this one with what comes.
                logger.warning("%s: what a dead receiver left waits to be published: %s", name, error)

    async def recover_the_rest() -> None:
        while not all(source.is_recovered for source in sources.values()):
            await asyncio.sleep(RETRY_AFTER_SECONDS)
            await asyncio.to_thread(recover)

    def stop() -> None:
        for source in sources.values():
            source.close()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        recovering = None
        try:
            await asyncio.to_thread(start)
            recovering = asyncio.create_task(recover_the_rest())
            yield
        finally:
            if recovering:
                recovering.cancel()
            await asyncio.to_thread(stop)

    def healthz(_request: Request) -> Response:
        for source in sources.values():
            if trouble := source.trouble():
                return Refusal(503, "health", trouble).response()
        return PlainTextResponse("ok\n")

    def scrape(_request: Request) -> Response:
        for source in sources.values():
            metrics.look(source)
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    webhook = Webhook(sources, metrics, limits)
    pages = Starlette(routes=[Route("/healthz", healthz), Route("/metrics", scrape)], lifespan=lifespan)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        taken = scope["type"] == "http" and scope["path"].startswith(PREFIX)
        await (webhook if taken else pages)(scope, receive, send)

    return app


def limits_of(settings: Settings) -> Limits:
    """What the settings say, and the defaults of the rest."""
    return Limits(
        body_bytes=settings.max_body_bytes,
        # At least one body of the largest size, as it came and unpacked.
        in_flight_bytes=max(Limits.in_flight_bytes, 2 * settings.max_body_bytes),
        backlog_bytes=settings.max_backlog_bytes,
        # Room for what is in flight when the floor is reached, and for the drain to load what waits.
        free_bytes=2 * settings.max_body_bytes,
    )


def server_config(app: ASGIApp) -> uvicorn.Config:
    """How uvicorn serves the receiver."""
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        # No one asks where a request came from.
        proxy_headers=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def run(
    settings: Settings,
    host: str | None = None,
    port: int | None = None,
    *,
    limits: Limits | None = None,
    disk: Disk | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT; requests in flight are answered first.

    Args:
        settings: as for `create_app`, and the address to listen on.
        host: instead of the settings' host.
        port: instead of the settings' port; 0 for any.
        limits: as for `create_app`.
        disk: as for `create_app`.

    Raises:
        ReceiverError: the address cannot be had, or an fsync failed.
        LandingError: the landing directory cannot be used.
    """
    for source in settings.sources:
        Landing(settings.landing_dir, source.name, disk).prepare()
    listening = _listen(host or settings.receiver_host, settings.receiver_port if port is None else port)
    logger.info("listening on %s port %d", *listening.getsockname()[:2])
    broken = False

    def end() -> None:
        nonlocal broken
        broken = server.should_exit = True

    app = create_app(settings, limits=limits, disk=disk, on_broken=end)
    server = uvicorn.Server(server_config(app))
    with listening, _signals_spent():
        server.run(sockets=[listening])
    if broken:
        raise ReceiverError("An fsync failed: what was not stored was refused; start the receiver again.")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ReceiverError(
            f"Port {port} of {host} cannot be had ({error.strerror}): choose another with --port or "
            "SENDGRID_RECEIVER_PORT, and check SENDGRID_RECEIVER_HOST."
        ) from error


@contextmanager
def _signals_spent() -> Iterator[None]:
    """Lets the process end with status 0 after a drain, when uvicorn raises the signal once more."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
