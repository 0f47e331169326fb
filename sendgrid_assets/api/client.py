"""The HTTP client: one key, one host, and what a status code means.

Belongs here: a single request and its answer. Does not: when to ask again (`api.patience`), paging (`api.paging`),
rows (`api.listing`).
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Self

import httpx

from .errors import BadAnswerError, DeadKeyError, NoMorePages, NotThereError, RefusedError, UnavailableError
from .patience import Patience, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)


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
        self._patience = Patience(sleep=sleep, clock=clock)
        self._dead: DeadKeyError | None = None
        self.requests = 0

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

    @property
    def waited_seconds(self) -> float:
        """Seconds waited so far, for whatever reason."""
        return self._patience.waited_seconds

    def pause(self, seconds: float) -> None:
        """Waits, and counts it as waited."""
        self._patience.pause(seconds)

    def now(self) -> float:
        """Unix time, in seconds."""
        return self._patience.clock()

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
                raise TransientError(f"export file: {type(error).__name__}") from error

        self._patience.retried(once, "an export file")

    def _ask(self, method: str, path: str, **what: Any) -> bytes:
        if self._dead:
            raise self._dead
        if self._patience.is_spent:
            raise UnavailableError(f"SendGrid stayed unavailable for this run: {path} was not asked for.")

        def once() -> bytes:
            self.requests += 1
            try:
                response = self._http.request(method, path, **what)
            except httpx.HTTPError as error:
                raise TransientError(f"{path}: {type(error).__name__}") from error
            return self._judge(response, path)

        body: bytes = self._patience.retried(once, path)
        return body

    def _judge(self, response: httpx.Response, path: str) -> bytes:
        self._judge_transient(response, path)
        self._patience.host_is_up()
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
        if status == httpx.codes.NOT_FOUND:
            raise NotThereError(path)
        if not response.is_success:
            raise BadAnswerError(f"SendGrid answered {path} with status {status}.")
        return response.content

    def _judge_transient(self, response: httpx.Response, path: str) -> None:
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS:
            # The host is up: it says when to come back.
            self._patience.host_is_up()
            raise TransientError(f"{path}: 429", wait=self._patience.until_reset(response.headers))
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise TransientError(f"{path}: {status}")
