"""One source's webhook: who may post to it, and whether it can take more now.

Belongs here: each limit past which nothing more is taken. Does not: a request (`endpoint`), nor writing (`segment`).
"""

from __future__ import annotations

import hmac
import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from .backlog import Backlog
from .handover import Handover
from .recovery import recover
from .refusal import RETRY_AFTER_SECONDS, Refusal
from .segment import SegmentWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from sendgrid_assets.settings import SourceSettings

    from .body import Limits
    from .landing import Landing
    from .metrics import Metrics

Trouble = tuple[str, str]
"""Why nothing can be stored: one word for metrics, and a sentence."""

_SLOW = "disk_slow", "The landing directory's disk does not answer."
_NO_ROOM = "no_room", "There is no room on the landing directory's disk."


class Source:
    """A source, its place in the landing directory, and the writer once it is open.

    Args:
        settings: its keys.
        landing: where its events go.
        limits: past which it takes nothing more.
    """

    def __init__(self, settings: SourceSettings, landing: Landing, limits: Limits) -> None:
        self.settings, self.landing, self._limits = settings, landing, limits
        self.backlog = Backlog(landing)
        self.writer: SegmentWriter | None = None
        self.is_recovered = False
        self._handover: Handover | None = None

    def open(
        self, metrics: Metrics, clock: Callable[[], float], on_broken: Callable[[], None] | None
    ) -> None:
        """Begins to write.

        Raises:
            LandingError: the landing directory cannot be used.
        """
        self.landing.prepare()
        with suppress(OSError):
            self.backlog.count()
        self.writer = SegmentWriter(
            self.landing,
            clock=clock,
            segment_seconds=self._limits.segment_seconds,
            segment_bytes=self._limits.segment_bytes,
            observe=metrics.observer(self.settings.name),
            on_broken=on_broken,
        )
        self._handover = Handover(self.writer, self._limits.commit_seconds)

    def recover(self) -> int:
        """Takes up what dead writers left, unless that was done.

        Returns:
            How many segments were recovered.

        Raises:
            OSError: not all can be; the rest stays.
        """
        if self.is_recovered:
            return 0
        recovered = recover(self.landing)
        self.is_recovered = True
        return recovered

    def close(self) -> None:
        """Stores and publishes what was submitted."""
        if self.writer:
            self.writer.close()

    def admit(self, secret: str | None) -> None:
        """Checks the secret in the path.

        Raises:
            Refusal: it is not this source's, or the source has no way to tell who posts.
        """
        settings = self.settings
        own = settings.webhook_secret
        if own is None and secret is not None:
            raise Refusal(404, "unknown_source", "There is no such source.")
        if own is not None and not hmac.compare_digest(
            own.get_secret_value().encode(), (secret or "").encode("utf-8", "surrogatepass")
        ):
            raise Refusal(401, "bad_secret", "The secret at the end of the address is missing or wrong.")
        if own is None and not settings.webhook_public_key and not settings.webhook_unsigned:
            raise Refusal(
                503,
                "no_key",
                f"Source {settings.name} has no verification key: set {settings.prefix}WEBHOOK_PUBLIC_KEY to "
                f"the one on SendGrid's webhook page, or {settings.prefix}WEBHOOK_SECRET for a sender that does "
                f"not sign, or {settings.prefix}WEBHOOK_UNSIGNED=true to accept events from anyone, and start the "
                "receiver again.",
            )

    def ready(self) -> Handover:
        """The way to the writer, where a request's body may be read.

        Raises:
            Refusal: it may not now.
        """
        if self.writer is None or self._handover is None:
            raise Refusal(503, "starting", "The receiver is starting.")
        if trouble := self._overload(self.writer, self._handover):
            raise Refusal(503, *trouble)
        return self._handover

    def trouble(self) -> str | None:
        """Why nothing can be stored now, in one sentence; None when it can."""
        writer, handover = self.writer, self._handover
        if writer is None or handover is None:
            return "The receiver is starting."
        # Older failures do not count: without requests there would be no success to take them back.
        if (failure := writer.failure) and time.monotonic() - failure[1] < RETRY_AFTER_SECONDS:
            return str(failure[0])
        overload = self._overload(writer, handover)
        return overload[1] if overload else self.landing.trouble()

    def _overload(self, writer: SegmentWriter, handover: Handover) -> Trouble | None:
        if writer.broken:
            return "broken", "The receiver is ending."
        busy_since = writer.busy_since
        is_busy = busy_since is not None and time.monotonic() - busy_since > self._limits.commit_seconds
        if handover.is_slow or is_busy:
            # More bodies would only pile up behind the commit under way.
            return _SLOW
        if self.backlog.lately() > self._limits.backlog_bytes:
            return "backlog", "Too much waits to be loaded: see whether the drain runs."
        return _NO_ROOM if _free_bytes(self.landing) < self._limits.free_bytes else None


def _free_bytes(landing: Landing) -> int:
    try:
        disk = os.statvfs(landing.root)
    except OSError:
        # The write itself will say what is wrong.
        return sys.maxsize
    return disk.f_bavail * disk.f_frsize
