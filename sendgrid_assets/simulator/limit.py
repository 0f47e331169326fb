"""SendGrid's rate limits: so many requests to an endpoint within a fixed window of time.

Belongs here: counting, and the three headers. Does not: the answer to one request too many (`server`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GENEROUS = (600, 60.0)
"""The limit where none is given: requests, and seconds. SendGrid publishes no numbers."""

KNOWN = {"/v3/messages": (6, 60.0)}
"""The one limit SendGrid has told of, since 2025-12-09: it holds where none is given for the path."""


@dataclass(slots=True)
class Window:
    """One endpoint's current window.

    Attributes:
        most: requests allowed in it.
        end: unix seconds, whole, when it ends.
        asked: requests so far.
    """

    most: int
    end: int
    asked: int = 0

    @property
    def exceeded(self) -> bool:
        """Whether the last request counted was one too many."""
        return self.asked > self.most

    @property
    def headers(self) -> dict[str, str]:
        """What each answer of the endpoint says of it."""
        return {
            "X-RateLimit-Limit": str(self.most),
            "X-RateLimit-Remaining": str(max(0, self.most - self.asked)),
            "X-RateLimit-Reset": str(self.end),
        }


class Limits:
    """The windows of all endpoints."""

    def __init__(self, limits: Mapping[str, tuple[int, float]], clock: Callable[[], float]) -> None:
        """Sets the limits.

        Args:
            limits: by path prefix, how many requests each endpoint below it allows, and in how many seconds;
                the longest prefix counts, and any before `KNOWN`.
            clock: unix seconds.
        """
        self._limits = dict(limits)
        self._clock = clock
        self._windows: dict[str, Window] = {}

    def count(self, endpoint: str) -> Window:
        """Counts a request to the endpoint (a path template) and returns its window."""
        window, now = self._windows.get(endpoint), self._clock()
        if window is None or window.end <= now:
            most, seconds = _longest(self._limits, endpoint) or _longest(KNOWN, endpoint) or GENEROUS
            window = self._windows[endpoint] = Window(most, math.ceil(now + seconds))
        window.asked += 1
        return window


def _longest(limits: Mapping[str, tuple[int, float]], endpoint: str) -> tuple[int, float] | None:
    prefixes = (prefix for prefix in limits if endpoint.startswith(prefix))
    return limits.get(max(prefixes, key=len, default=""))
