"""How long SendGrid is waited for: rate limits, failing answers, and a host that is down for the whole run.

Belongs here: when to ask again, and when to give up. Does not: requests and what answers mean (`api.client`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits
"""

from __future__ import annotations

import logging
import math
import random
import time
from typing import TYPE_CHECKING, Any

import tenacity

from .errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

OUTAGE_SECONDS = 300.0
"""How long the host may be down, over all collections of a run, before the run gives up."""

LONGEST_WAIT_SECONDS = 300.0
"""Most that is waited for one `X-RateLimit-Reset`: a reset beyond it is not believed."""

THROTTLED_SECONDS = 1800.0
"""How long one request may be put off by 429 answers."""

ATTEMPTS = 6
"""How often one request may fail, rate limits apart."""


class TransientError(Exception):
    """Worth asking again: after `wait` seconds where the host says so, else as the `failure`-th in a row."""

    def __init__(self, what: str, *, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait
        self.failure = 0


class Patience:
    """What one run waits for one host.

    Args:
        sleep: how to wait, in seconds.
        clock: unix time, in seconds.

    Attributes:
        waited_seconds: waited so far.
    """

    def __init__(
        self, *, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.time
    ) -> None:
        self._sleep = sleep
        self._down_since: float | None = None
        self.clock = clock
        self.waited_seconds = 0.0

    @property
    def is_spent(self) -> bool:
        """Whether the host has been down for longer than a run waits."""
        return self._down_since is not None and self.clock() - self._down_since > OUTAGE_SECONDS

    def pause(self, seconds: float) -> None:
        """Waits, and counts it as waited."""
        self.waited_seconds += seconds
        self._sleep(seconds)

    def host_is_up(self) -> None:
        """Notes an answer, whatever it said."""
        self._down_since = None

    def until_reset(self, headers: Mapping[str, str]) -> float:
        """Seconds until a rate limit's period ends, as its headers say."""
        for name, base in (("X-RateLimit-Reset", self.clock()), ("Retry-After", 0.0)):
            try:
                wait = float(headers[name]) - base
            except (KeyError, ValueError):
                continue
            if not math.isfinite(wait):
                continue
            # A reset just past means that the period has ended; one far off is a clock or header gone wrong.
            return min(max(wait, 1.0), LONGEST_WAIT_SECONDS)
        return 1.0

    def retried(self, once: Callable[[], Any], what: str) -> Any:
        """The result of `once`, asked again while it raises `TransientError` and patience lasts.

        Args:
            once: makes one attempt.
            what: named in the error.

        Raises:
            UnavailableError: patience is spent.
        """
        begun = self.clock()
        failures = 0

        def counted() -> Any:
            nonlocal failures
            try:
                return once()
            except TransientError as error:
                failures += error.wait is None
                error.failure = failures
                raise

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientError),
            wait=_wait,
            stop=lambda state: self._gives_up(state, begun),
            sleep=self.pause,
            before_sleep=_tell,
            reraise=True,
        )
        try:
            result = retrying(counted)
        except TransientError as error:
            raise UnavailableError(f"SendGrid stayed unavailable for {what}; last: {error}.") from error
        self.host_is_up()
        return result

    def _gives_up(self, state: tenacity.RetryCallState, begun: float) -> bool:
        error = _transient(state)
        if error.wait is not None:
            return self.clock() - begun > THROTTLED_SECONDS
        if self._down_since is None:
            self._down_since = self.clock()
        return error.failure >= ATTEMPTS or self.is_spent


def _wait(state: tenacity.RetryCallState) -> float:
    error = _transient(state)
    if error.wait is not None:
        return error.wait
    return min(2.0 ** (error.failure - 1), 30.0) * random.uniform(0.75, 1.25)  # noqa: S311


def _tell(state: tenacity.RetryCallState) -> None:
    seconds = state.next_action.sleep if state.next_action else 0.0
    log.warning("%s; asking again in %.0f s", _transient(state), seconds)


def _transient(state: tenacity.RetryCallState) -> TransientError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, TransientError)  # noqa: S101 - nothing else is retried
    return error
