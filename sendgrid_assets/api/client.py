"""The HTTP client: one key, one host, retries, rate limits, and what a status code means.

Belongs here: a single request and its answer. Does not: paging (`api.paging`), rows (`api.listing`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits
"""

from __future__ import annotations

import contextlib
import logging
import math
import random
import time
from typing import TYPE_CHECKING, Any, Self

import httpx
import tenacity

from .errors import BadAnswerError, DeadKeyError, NoMorePages, RefusedError, UnavailableError

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
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)


class _TransientError(Exception):
    """Worth asking again: after `wait` seconds where the host says so, else as the `failure`-th in a row."""

    def __init__(self, what: str, *, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait
        self.failure = 0


class _Link(httpx.URL):
    """A presigned link whose query, a credential, does not show where httpx logs the address."""

    def __str__(self) -> str:
        return super().__str__().partition("?")[0]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class Client:
    """Asks one SendGrid account, read-only but for starting exports.

    Args:
        key: the API key; goes to `url`'s own host only.
        url: `https://api.sendgrid.com` or another host with the same API.
        on_behalf_of: subuser to act for.
        key_variable: the environment variable the key came from, named in errors.
        sleep: how to wait, in seconds.
        clock: unix time, in seconds.
    """

    def __init__(
        self,
        key: str,
        url: str,
        *,
        on_behalf_of: str | None = None,
        key_variable: str = "SENDGRID_API_KEY",
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        if on_behalf_of:
            headers["on-behalf-of"] = on_behalf_of
        self._http = httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT)
        self._downloads = httpx.Client(timeout=_TIMEOUT, follow_redirects=False)
        self._key_variable = key_variable
        self._sleep = sleep
        self._clock = clock
        self._dead: DeadKeyError | None = None
        self._down_since: float | None = None
        self.requests = 0
        self.waited_seconds = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes its connections."""
        self._http.close()
        self._downloads.close()

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> bytes:
        """The body of a GET.

        Raises:
            SendGridError: as its hierarchy says.
        """
        return self._ask("GET", path, params=params)

    def post(self, path: str, body: Mapping[str, Any]) -> bytes:
        """The body of a POST's answer.

        Raises:
            SendGridError: as its hierarchy says.
        """
        return self._ask("POST", path, json=body)

    def pause(self, seconds: float) -> None:
        """Waits, and counts it as waited."""
        self.waited_seconds += seconds
        self._sleep(seconds)

    def now(self) -> float:
        """Unix time, in seconds."""
        return self._clock()

    def download(self, url: str, write: Callable[[bytes], object], rewind: Callable[[], object]) -> None:
        """Streams a presigned link: without our key, which is not for the storage host.

        Args:
            url: the link; its query is a credential and never shown.
            write: takes each piece.
            rewind: called before each attempt, to drop what an earlier one wrote.

        Raises:
            UnavailableError: it could not be read to its end.
            BadAnswerError: it is no link, or leads to no file.
        """
        try:
            request = self._downloads.build_request("GET", url)
        except (httpx.InvalidURL, TypeError):
            raise BadAnswerError("An export file's link is none.") from None
        request.url = _Link(request.url)

        def once() -> None:
            rewind()
            self.requests += 1
            try:
                with contextlib.closing(self._downloads.send(request, stream=True)) as response:
                    self._judge_transient(response, "export file")
                    if response.status_code != httpx.codes.OK:
                        raise BadAnswerError(
                            f"An export file answered {response.status_code}: its link may have expired."
                        )
                    for piece in response.iter_bytes():
                        write(piece)
            except httpx.HTTPError as error:
                raise _TransientError(f"export file: {type(error).__name__}") from error

        self._retried(once, "an export file")

    def _ask(self, method: str, path: str, **what: Any) -> bytes:
        if self._dead:
            raise self._dead
        if self._down_since is not None and self._clock() - self._down_since > OUTAGE_SECONDS:
            raise UnavailableError(f"SendGrid stayed unavailable for this run: {path} was not asked for.")

        def once() -> bytes:
            self.requests += 1
            try:
                response = self._http.request(method, path, **what)
            except httpx.HTTPError as error:
                raise _TransientError(f"{path}: {type(error).__name__}") from error
            return self._judge(response, path)

        body: bytes = self._retried(once, path)
        return body

    def _retried(self, once: Callable[[], Any], path: str) -> Any:
        begun = self._clock()
        failures = 0

        def counted() -> Any:
            nonlocal failures
            try:
                return once()
            except _TransientError as error:
                failures += error.wait is None
                error.failure = failures
                raise

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_TransientError),
            wait=self._wait,
            stop=lambda state: self._gives_up(state, begun),
            sleep=self.pause,
            before_sleep=self._tell,
            reraise=True,
        )
        try:
            answer = retrying(counted)
        except _TransientError as error:
            raise UnavailableError(f"SendGrid stayed unavailable for {path}; last: {error}.") from error
        self._down_since = None
        return answer

    def _judge(self, response: httpx.Response, path: str) -> bytes:
        self._judge_transient(response, path)
        self._down_since = None
        status = response.status_code
        if status == httpx.codes.UNAUTHORIZED:
            self._dead = DeadKeyError(
                f"SendGrid does not know the API key in {self._key_variable} (401): "
                "it is mistyped or revoked; create one with read access and set it there."
            )
            raise self._dead
        if status == httpx.codes.FORBIDDEN:
            raise RefusedError(f"SendGrid refuses {path} (403).")
        if status == httpx.codes.NOT_FOUND and b"no more pages" in response.content.lower():
            raise NoMorePages(path)
        if not response.is_success:
            raise BadAnswerError(f"SendGrid answered {path} with status {status}.")
        return response.content

    def _judge_transient(self, response: httpx.Response, path: str) -> None:
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS:
            # The host is up: it says when to come back.
            self._down_since = None
            raise _TransientError(f"{path}: 429", wait=self._until_reset(response.headers))
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise _TransientError(f"{path}: {status}")

    def _until_reset(self, headers: httpx.Headers) -> float:
        for name, base in (("X-RateLimit-Reset", self._clock()), ("Retry-After", 0.0)):
            try:
                wait = float(headers[name]) - base
            except (KeyError, ValueError):
                continue
            if not math.isfinite(wait):
                continue
            # A reset just past means that the period has ended; one far off is a clock or header gone wrong.
            return min(max(wait, 1.0), LONGEST_WAIT_SECONDS)
        return 1.0

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = _transient(state)
        if error.wait is not None:
            return error.wait
        return min(2.0 ** (error.failure - 1), 30.0) * random.uniform(0.75, 1.25)  # noqa: S311

    def _gives_up(self, state: tenacity.RetryCallState, begun: float) -> bool:
        error = _transient(state)
        if error.wait is not None:
            return self._clock() - begun > THROTTLED_SECONDS
        if self._down_since is None:
            self._down_since = self._clock()
        return error.failure >= ATTEMPTS or self._clock() - self._down_since > OUTAGE_SECONDS

    def _tell(self, state: tenacity.RetryCallState) -> None:
        error = _transient(state)
        seconds = state.next_action.sleep if state.next_action else 0.0
        log.warning("%s; asking again in %.0f s", error, seconds)


def _transient(state: tenacity.RetryCallState) -> _TransientError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, _TransientError)  # noqa: S101 - nothing else is retried
    return error
