"""What rate limits ask of us: by endpoint, how many requests are left, and until when none is.

Belongs here: the three headers and `Retry-After`, what an endpoint is. Does not: waiting (`api.patience`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits
"""

from __future__ import annotations

import math
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONGEST_WAIT_SECONDS = 300.0
"""Most that is waited for one `X-RateLimit-Reset`: a reset beyond it is not believed."""

_ID = re.compile(r"\d+|(d-)?[0-9a-f]{16,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|d-.+", re.IGNORECASE)


def endpoint_of(method: str, path: str) -> str:
    """What SendGrid counts requests by: the method, and the path with `{id}` in place of each id."""
    return f"{method} " + "/".join("{id}" if _ID.fullmatch(part) else part for part in path.split("/"))


@dataclass(slots=True)
class _Window:
    """The period an endpoint's requests are counted in: when it ends, and how many it still allows."""

    reset: float
    left: float


class Throttle:
    """What is known of every endpoint's period. Any thread may ask and tell.

    Args:
        clock: unix time, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}

    def turn(self, endpoint: str) -> float:
        """Takes a turn and returns 0.0, or returns how many seconds to wait before asking for one again."""
        with self._lock:
            window, now = self._windows.get(endpoint), self._clock()
            if window is None:
                return 0.0
            if window.reset <= now:
                del self._windows[endpoint]
                return 0.0
            if window.left <= 0:
                return window.reset - now
            # Answers on their way have not counted this request yet.
            window.left -= 1
            return 0.0

    def note(self, endpoint: str, headers: Mapping[str, str]) -> None:
        """Takes note of an answer's headers; those that are absent, past or absurd are no reason to wait."""
        left, reset = _number(headers, "X-RateLimit-Remaining"), _number(headers, "X-RateLimit-Reset")
        with self._lock:
            if not 0 < reset - self._clock() <= LONGEST_WAIT_SECONDS or math.isnan(left):
                return
            window = self._windows.get(endpoint)
            if window is None or window.reset < reset:
                self._windows[endpoint] = _Window(reset, left)
            else:
                window.left = min(window.left, left)

    def shut(self, endpoint: str, headers: Mapping[str, str]) -> float:
        """Lets nobody ask for as long as a 429's headers say, and returns those seconds."""
        with self._lock:
            now, window = self._clock(), self._windows.get(endpoint)
            seconds = _until_reset(headers, now)
            self._windows[endpoint] = _Window(max(now + seconds, window.reset if window else 0), 0)
            return seconds


def _until_reset(headers: Mapping[str, str], now: float) -> float:
    for name, base in (("X-RateLimit-Reset", now), ("Retry-After", 0.0)):
        wait = _number(headers, name) - base
        if math.isfinite(wait):
            # A reset just past means that the period has ended; one far off is a clock or header gone wrong.
            return min(max(wait, 1.0), LONGEST_WAIT_SECONDS)
    return 1.0


def _number(headers: Mapping[str, str], name: str) -> float:
    try:
        return float(headers[name])
    except (KeyError, ValueError):
        return math.nan
