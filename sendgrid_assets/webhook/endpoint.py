"""`POST /webhooks/<source>`: what is taken, and what is refused.

Belongs here: the order of checks, and when a 2xx leaves. Does not: how bytes become durable (`segment`), nor
the process (`receiver`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from .body import InFlight, Limits, inflate, read_body
from .event_line import BOM, WHITE
from .refusal import RETRY_AFTER_SECONDS, Refusal
from .segment import NotStored, SegmentWriter
from .signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, verify
from .splitter import split

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from sendgrid_assets.settings import SourceSettings

    from .landing import Landing
    from .metrics import Metrics

logger = logging.getLogger("sendgrid_assets.webhook")


class Source:
    """One source's webhook: its keys, where its events land, and the writer once it is open."""

    def __init__(self, settings: SourceSettings, landing: Landing) -> None:
        self.settings, self.landing = settings, landing
        self.writer: SegmentWriter | None = None

    def stuck(self, seconds: float) -> bool:
        """Whether the commit under way has taken longer: more bodies would only pile up behind it."""
        since = self.writer.busy_since if self.writer else None
        return since is not None and time.monotonic() - since > seconds

    def trouble(self, limits: Limits, free_bytes: int) -> str | None:
        """Why nothing can be stored now, in one sentence; None when it can."""
        if self.writer is None:
            return "The receiver is starting."
        if self.writer.failure:
            failed, since = self.writer.failure
            # Older failures do not count: without requests there would be no success to take them back.
            if self.writer.broken or time.monotonic() - since < RETRY_AFTER_SECONDS:
                return str(failed)
        if self.stuck(limits.commit_seconds):
            return "The landing directory's disk does not answer."
        trouble = self.landing.trouble()
        if trouble is None and _free_bytes(self.landing) < free_bytes:
            trouble = "There is no room on the landing directory's disk."
        return trouble


class Webhook:
    """`POST /webhooks/<source>`, as an ASGI application."""

    def __init__(self, sources: dict[str, Source], metrics: Metrics, most: int, limits: Limits) -> None:
        self._sources, self._metrics, self._most, self._limits = sources, metrics, most, limits
        self._free_bytes = 2 * most if limits.free_bytes is None else limits.free_bytes
        self._in_flight = InFlight(limits.in_flight_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, once what it brought is durable."""
        name = scope["path_params"]["source"]
        label = name if name in self._sources else "unknown"
        try:
            with self._in_flight.holding() as count:
                await self._take(self._sources.get(name), Request(scope, receive), count)
            response = Response(status_code=204)
        except Refusal as refusal:
            self._metrics.refusals.labels(label, refusal.reason).inc()
            logger.log(
                logging.WARNING if refusal.status == 503 else logging.INFO,
                "%s: %d %s",
                label,
                refusal.status,
                refusal.reason,
            )
            response = refusal.response()
        except ClientDisconnect:
            self._metrics.refusals.labels(label, "disconnected").inc()
            return
        self._metrics.requests.labels(label, response.status_code).inc()
        await response(scope, receive, send)

    def trouble(self) -> str | None:
        """Why a POST would be refused with 503 now, whatever its source; None when it would not."""
        for source in self._sources.values():
            if trouble := source.trouble(self._limits, self._free_bytes):
                return trouble
        return None

    async def _take(self, source: Source | None, request: Request, count: Callable[[int], None]) -> None:
        if source is None:
            raise Refusal(404, "unknown_source", "There is no such source.")
        if request.method != "POST":
            raise Refusal(405, "method", "Only POST is taken here.")
        writer = self._writer(source)
        signature = request.headers.get(SIGNATURE_HEADER, "")
        timestamp = request.headers.get(TIMESTAMP_HEADER, "")
        signed = bool(source.settings.webhook_public_key) and not (
            source.settings.webhook_unsigned and not signature and not timestamp
        )
        if signed and not (signature and timestamp):
            raise Refusal(401, "unsigned", "The signature is missing.")
        body = raw = await read_body(request, self._most, self._limits.body_seconds, count)
        if request.headers.get("content-encoding", "").strip().lower() == "gzip":
            body = inflate(raw, self._most)
            count(len(body))
        if signed and not any(
            verify(source.settings.webhook_public_key, signature, timestamp, text)
            for text in ([raw] if body is raw else [raw, body])
        ):
            raise Refusal(401, "bad_signature", "The signature is wrong.")
        await self._store(source, writer, body, signed=signed)

    def _writer(self, source: Source) -> SegmentWriter:
        settings = source.settings
        if not settings.webhook_public_key and not settings.webhook_unsigned:
            raise Refusal(
                503,
                "no_key",
                f"Source {settings.name} has no verification key: set {settings.prefix}WEBHOOK_PUBLIC_KEY to "
                f"the one on SendGrid's webhook page, or {settings.prefix}WEBHOOK_UNSIGNED=true to accept "
                "unsigned events, and start the receiver again.",
            )
        if source.writer is None:
            raise Refusal(503, "starting", "The receiver is starting.")
        if source.writer.broken:
            raise Refusal(503, "broken", "The receiver is ending.")
        if source.stuck(self._limits.commit_seconds):
            raise Refusal(503, "disk_slow", "The landing directory's disk does not answer.")
        if _free_bytes(source.landing) < self._free_bytes:
            raise Refusal(503, "no_room", "There is no room on the landing directory's disk.")
        return source.writer

    async def _store(self, source: Source, writer: SegmentWriter, body: bytes, *, signed: bool) -> None:
        events = split(body)
        if not signed and not _are_events(body, events):
            raise Refusal(400, "no_events", "The body is no array of events.")
        if events:
            stored = writer.submit(events)
        elif events is None and body.strip():
            # Signed, so it is SendGrid's: kept, to end among the rejected events.
            stored = writer.submit_file(body)
        else:
            return
        try:
            await asyncio.wait_for(asyncio.wrap_future(stored), self._limits.commit_seconds)
        except NotStored as error:
            raise Refusal(503, "not_stored", str(error)) from error
        except TimeoutError:
            raise Refusal(503, "disk_slow", "The landing directory's disk does not answer.") from None
        self._metrics.events.labels(source.settings.name).inc(len(events or ()))
        self._metrics.bytes.labels(source.settings.name).inc(len(body))


def _are_events(body: bytes, elements: list[bytes] | None) -> bool:
    """Whether a body of unknown origin looks whole, with an object in every place."""
    ends = [(text[:1], text[-1:]) for text in (body.removeprefix(BOM).strip(WHITE), *(elements or ()))]
    return elements is not None and ends[0] != (b"[", b"}") and set(ends[1:]) <= {(b"{", b"}")}


def _free_bytes(landing: Landing) -> int:
    try:
        disk = os.statvfs(landing.root)
    except OSError:
        # The write itself will say what is wrong.
        return sys.maxsize
    return disk.f_bavail * disk.f_frsize
