"""The receiver's numbers, in Prometheus' format.

Belongs here: their names and meanings. Does not: when they are counted.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


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
        self.backlog = Gauge(
            "sendgrid_landing_backlog_files",
            "Files waiting to be loaded.",
            ("source",),
            registry=self._registry,
        )

    def text(self) -> bytes:
        """All numbers, as scraped."""
        return generate_latest(self._registry)
