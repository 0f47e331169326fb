"""The receiver's numbers, in Prometheus' format.

Belongs here: their names and meanings. Does not: when they are counted.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .source import Source


class Metrics:
    """One receiver's numbers; `source` is a configured name or `unknown`, never text from a request."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "sendgrid_receiver_requests",
            "Requests by source and HTTP status.",
            ("source", "status"),
            registry=self._registry,
        )
        self.refusals = Counter(
            "sendgrid_receiver_refusals",
            "Requests not taken, by source and reason.",
            ("source", "reason"),
            registry=self._registry,
        )
        self.events = Counter(
            "sendgrid_receiver_events", "Events stored.", ("source",), registry=self._registry
        )
        self.bytes = Counter(
            "sendgrid_receiver_bytes", "Bytes of bodies stored.", ("source",), registry=self._registry
        )
        self.fsync = Histogram(
            "sendgrid_receiver_fsync_seconds",
            "From a group's first byte written to its last fsync.",
            ("source",),
            buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
            registry=self._registry,
        )
        self.posts = Histogram(
            "sendgrid_receiver_commit_posts",
            "POSTs made durable together.",
            ("source",),
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
            registry=self._registry,
        )
        self.segment_age = Gauge(
            "sendgrid_receiver_segment_age_seconds",
            "How long the oldest stored event has waited to be put into new/; 0 where none waits.",
            ("source",),
            registry=self._registry,
        )
        self.backlog_files = Gauge(
            "sendgrid_landing_backlog_files",
            "Files waiting to be loaded.",
            ("source",),
            registry=self._registry,
        )
        self.backlog_bytes = Gauge(
            "sendgrid_landing_backlog_bytes",
            "Bytes of files waiting to be loaded.",
            ("source",),
            registry=self._registry,
        )

    def observer(self, source: str) -> Callable[[float, int], None]:
        """What takes each commit's seconds and POSTs of a source."""
        seconds, posts = self.fsync.labels(source), self.posts.labels(source)

        def observe(took: float, submitted: int) -> None:
            seconds.observe(took)
            posts.observe(submitted)

        return observe

    def look(self, source: Source) -> None:
        """Takes what is not counted as it happens: the segment's age and the backlog."""
        name, since = source.settings.name, source.writer.open_since if source.writer else None
        self.segment_age.labels(name).set(0 if since is None else time.monotonic() - since)
        try:
            source.backlog.count()
        except OSError:
            files = size = math.nan
        else:
            files, size = float(source.backlog.files), float(source.backlog.bytes)
        self.backlog_files.labels(name).set(files)
        self.backlog_bytes.labels(name).set(size)

    def text(self) -> bytes:
        """All numbers, as scraped."""
        return generate_latest(self._registry)
