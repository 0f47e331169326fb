"""`POST /webhooks/<source>`: what is taken, and what is refused.

Belongs here: the order of checks, and when a 2xx leaves. Does not: how bytes become durable (`segment`), what a
source can take now (`source`), nor the process (`receiver`).

Plain ASGI: a router and request objects would cost as much as all that is done for a small body.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from .body import Disconnected, InFlight, Limits, read_body
from .envelope import Envelope
from .refusal import Refusal
from .segment import NotStored
from .signature import SIGNATURE_HEADER, TIMESTAMP_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Message, Receive, Scope, Send

    from .envelope import Opened
    from .handover import Handover
    from .metrics import Metrics
    from .source import Source

logger = logging.getLogger("sendgrid_assets.webhook")

PREFIX = "/webhooks/"

_SIGNATURE, _TIMESTAMP = (name.lower().encode() for name in (SIGNATURE_HEADER, TIMESTAMP_HEADER))
_TAKEN: tuple[Message, Message] = (
    {"type": "http.response.start", "status": 204, "headers": []},
    {"type": "http.response.body", "body": b""},
)


class Webhook:
    """`POST /webhooks/<source>` and `/webhooks/<source>/<secret>`, as an ASGI application.

    Args:
        sources: by name.
        metrics: where each answer is counted.
        limits: of time and memory.
    """

    def __init__(self, sources: Mapping[str, Source], metrics: Metrics, limits: Limits) -> None:
        self._sources, self._metrics, self._limits = sources, metrics, limits
        self._in_flight = InFlight(limits.in_flight_bytes)
        # Looked up once: each look-up takes a lock.
        self._taken = {
            name: (
                metrics.requests.labels(name, 204),
                metrics.events.labels(name),
                metrics.bytes.labels(name),
            )
            for name in sources
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, once what it brought is durable."""
        name, *rest = scope["path"].removeprefix(PREFIX).split("/", 1)
        source = self._sources.get(name)
        label = name if source else "unknown"
        try:
            with self._in_flight.holding() as count:
                await self._take(source, rest[0] if rest else None, scope, receive, count)
        except Refusal as refusal:
            self._metrics.refusals.labels(label, refusal.reason).inc()
            self._metrics.requests.labels(label, refusal.status).inc()
            level = logging.WARNING if refusal.status == 503 else logging.INFO
            logger.log(level, "%s: %d %s", label, refusal.status, refusal.reason)
            await refusal.response()(scope, receive, send)
        except Disconnected:
            self._metrics.refusals.labels(label, "disconnected").inc()
        else:
            for message in _TAKEN:
                await send(message)

    async def _take(
        self,
        source: Source | None,
        secret: str | None,
        scope: Scope,
        receive: Receive,
        count: Callable[[int], None],
    ) -> None:
        if source is None:
            raise Refusal(404, "unknown_source", "There is no such source.")
        if scope["method"] != "POST":
            raise Refusal(405, "method", "Only POST is taken here.")
        source.admit(secret)
        handover = source.ready()
        settings, headers = source.settings, dict(scope["headers"])
        if b"upgrade" in headers and _asks_to_upgrade(scope):
            # The parser ends such a message at its head, so its body would be lost.
            raise Refusal(400, "upgrade", "Send it as plain HTTP/1.1, without asking for an upgrade.")
        signature, timestamp = _text(headers, _SIGNATURE), _text(headers, _TIMESTAMP)
        keys = settings.webhook_public_key
        if settings.webhook_unsigned and not signature and not timestamp:
            keys = ()
        if keys and not (signature and timestamp):
            raise Refusal(401, "unsigned", "The signature is missing.")
        length, most = _text(headers, b"content-length"), self._limits.body_bytes
        envelope = Envelope(
            raw=await read_body(receive, length, most, self._limits.body_seconds, count),
            packed=_text(headers, b"content-encoding").strip().lower() == "gzip",
            keys=keys,
            signature=signature,
            timestamp=timestamp,
            trusted=bool(keys or settings.webhook_secret),
            most=most,
        )
        opened = await envelope.open()
        if opened.body is not envelope.raw:
            count(len(opened.body))
        await _store(handover, opened)
        requests, events, size = self._taken[settings.name]
        requests.inc()
        events.inc(opened.events)
        size.inc(len(opened.body))


def _asks_to_upgrade(scope: Scope) -> bool:
    return any(name == b"connection" and b"upgrade" in value.lower() for name, value in scope["headers"])


async def _store(handover: Handover, opened: Opened) -> None:
    if opened.lines:
        stored = handover.store(opened.lines)
    elif opened.lines is None and opened.body.strip():
        # From a sender who is known: kept, to end among the rejected events.
        stored = handover.store_file(opened.body)
    else:
        return
    try:
        await stored
    except NotStored as error:
        raise Refusal(503, "not_stored", str(error)) from error
    except TimeoutError:
        raise Refusal(503, "disk_slow", "The landing directory's disk does not answer.") from None


def _text(headers: dict[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")
