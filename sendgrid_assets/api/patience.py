"""How long SendGrid is waited for: failing answers, limits that stay shut, and a host down for the whole run.

Belongs here: waiting, when to ask again, and when to give up. Does not: requests and what answers mean
(`api.client`), what a rate limit's headers say (`api.throttle`).
"""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import tenacity

from .errors import StoppedError, UnavailableError
from .prefetch import is_abandoned
from .throttle import LONGEST_WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

OUTAGE_SECONDS = 300.0
"""How long the host may be down, over all collections of a run, before the run gives up."""

THROTTLED_SECONDS = 1800.0
"""How long one request may be put off by 429 answers."""

ATTEMPTS = 6
"""How often one request may fail, rate limits apart."""

ANSWER_SECONDS = 300.0
"""How long one answer may take, from asking to its last byte."""

DOWNLOAD_SECONDS, SLOWEST_DOWNLOAD = 6 * 3600.0, 64 * 1024
"""How long a download may take, and the bytes a second it must bring after its first `ANSWER_SECONDS`."""


class TransientError(Exception):
    """Worth asking again: after `wait` seconds where the host says so, else as the `failure`-th in a row."""

    def __init__(self, what: str, *, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait
        self.failure = 0
        self.asked_at = 0.0


class Watched(httpx.SyncByteStream):
    """An answer's bytes; `check` is told after each piece how many there were, and may end the waiting."""

    def __init__(self, stream: httpx.SyncByteStream, check: Callable[[int], None]) -> None:
        self._stream = stream
        self._check = check

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        for piece in self._stream:
            received += len(piece)
            self._check(received)
            yield piece

    def close(self) -> None:
        """Closes what it reads."""
        self._stream.close()


class Patience:
    """What one run waits for one host; any thread may ask and tell.

    Args:
        sleep: how to wait, in seconds; by default so that `stop` ends it.
        clock: unix time, in seconds.
    """

    def __init__(
        self, *, sleep: Callable[[float], None] | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._stopped = threading.Event()
        self._sleep = sleep or self._stopped.wait
        self._lock = threading.Lock()
        self._down: tuple[float, float] | None = None
        self._waits_until = float("-inf")
        self._waited = 0.0
        self.clock = clock

    @property
    def waited_seconds(self) -> float:
        """Seconds in which at least one thread waited."""
        return self._waited

    @property
    def is_spent(self) -> bool:
        """Whether the host has been down for longer than a run waits."""
        down = self._down
        return down is not None and down[1] - down[0] > OUTAGE_SECONDS

    def pause(self, seconds: float) -> None:
        """Waits, and counts it as waited.

        Raises:
            StoppedError: nobody waits for what this thread waits for.
        """
        with self._lock:
            # Threads that wait side by side for one limit must not count it once each.
            now = self.clock()
            until = max(self._waits_until, now + seconds)
            self._waited += until - max(self._waits_until, now)
            self._waits_until = until
        self._sleep(seconds)
        self.go_on()

    def queue(self, turn: Callable[[], float]) -> None:
        """Waits while `turn` says for how long, up to what is waited for one reset.

        Raises:
            StoppedError: nobody waits for what this thread waits for.
        """
        waited = 0.0
        while waited < LONGEST_WAIT_SECONDS and (seconds := turn()):
            self.pause(seconds)
            waited += seconds

    def watch(self, what: str, allowed: Callable[[int], float]) -> Callable[[int], None]:
        """A check to be made whenever more of an answer has come, given the bytes so far.

        It raises `TransientError` once the answer takes longer than is allowed for so many bytes, counted from
        now, and `StoppedError` as `go_on` does.
        """
        # The computer's own clock: an answer takes as long as it takes, whatever the time is set to.
        begun = time.monotonic()

        def check(received: int) -> None:
            self.go_on()
            if time.monotonic() - begun > allowed(received):
                raise TransientError(f"{what}: the answer did not end in time")

        return check

    def stop(self) -> None:
        """Ends all waiting, and all asking from now on."""
        self._stopped.set()

    def go_on(self) -> None:
        """Does nothing while there is a reason to ask.

        Raises:
            StoppedError: there is none any more.
        """
        if self._stopped.is_set() or is_abandoned():
            raise StoppedError("SendGrid was not asked: the run is ending.")

    def host_is_up(self) -> None:
        """Notes an answer, whatever it said."""
        with self._lock:
            self._down = None

    def retried(self, once: Callable[[], Any], what: str) -> Any:
        """The result of `once`, asked again while it raises `TransientError` and patience lasts.

        Args:
            once: makes one attempt.
            what: named in the error.

        Raises:
            UnavailableError: patience is spent.
            StoppedError: nobody waits for it.
        """
        begun = self.clock()
        failures = 0

        def counted() -> Any:
            nonlocal failures
            asked_at = self.clock()
            try:
                return once()
            except TransientError as error:
                failures += error.wait is None
                error.failure, error.asked_at = failures, asked_at
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
        with self._lock:
            now = self.clock()
            first, last = self._down or (now, now)
            # While nothing is asked, nothing is known: a failure long ago and one now are no outage.
            self._down = (now if error.asked_at - last > OUTAGE_SECONDS else first, now)
        return error.failure >= ATTEMPTS or self.is_spent


def answer_seconds(_received: int) -> float:
    """How long an answer may take."""
    return ANSWER_SECONDS


def download_seconds(received: int) -> float:
    """How long a download of so many bytes may take."""
    return min(ANSWER_SECONDS + received / SLOWEST_DOWNLOAD, DOWNLOAD_SECONDS)


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
