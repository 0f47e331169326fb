"""The HTTP client: one key, one host, and what a status code means.

Belongs here: a single request and its answer. Does not: when to ask again (`api.patience`), rate limits
(`api.throttle`), paging (`api.paging`), rows (`api.listing`).
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import httpx

from .errors import BadAnswerError, DeadKeyError, NoMorePages, NotThereError, RefusedError, UnavailableError
from .patience import Patience, TransientError, Watched, answer_seconds, download_seconds
from .throttle import Throttle, endpoint_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Params = Mapping[str, str | int | Sequence[str]]

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_CLOSING_SECONDS = 1.0


class _Link(httpx.URL):
    """A presigned link whose query, a credential, does not show where httpx logs the address."""

    def __str__(self) -> str:
        return super().__str__().partition("?")[0]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class Client:
    """Asks one SendGrid account, read-only but for starting exports. Any thread may ask.

    Args:
        key: the API key; goes to `url`'s own host only.
        url: `https://api.sendgrid.com` or another host with the same API.
        on_behalf_of: subuser to act for.
        key_variable: the environment variable the key came from, named in errors.
        sleep: how to wait, in seconds; by default so that `stop` ends it.
        clock: unix time, in seconds.

    Attributes:
        requests: requests made so far.
    """

    def __init__(
        self,
        key: str,
        url: str,
        *,
        on_behalf_of: str | None = None,
        key_variable: str = "SENDGRID_API_KEY",
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        if on_behalf_of:
            headers["on-behalf-of"] = on_behalf_of
        self._http = httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT)
        self._downloads = httpx.Client(timeout=_TIMEOUT, follow_redirects=False)
        self._patience = Patience(sleep=sleep, clock=clock)
        self._throttle = Throttle(clock)
        self._key_variable = key_variable
        self._key_is_dead = False
        self._changed = threading.Condition()
        self._under_way = 0
        self._closing = False
        self.requests = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stop(self) -> None:
        """Ends all waiting, and all asking from now on; what is under way goes on to its next byte."""
        self._patience.stop()

    def close(self) -> None:
        """Stops, and closes the connections; where one is in use after a second, when it no longer is."""
        self.stop()
        with self._changed:
            self._closing = True
            self._changed.wait_for(lambda: not self._under_way, _CLOSING_SECONDS)
            self._hang_up()

    def get(self, path: str, params: Params | None = None, *, endpoint: str | None = None) -> bytes:
        """The body of a GET.

        Args:
            path: from `/v3` on.
            params: the query; a parameter of several values is repeated.
            endpoint: the path's template, by which SendGrid counts requests; None where the path tells.

        Raises:
            SendGridError: as its hierarchy says.
        """
        return self._ask("GET", path, endpoint, params=params)

    def post(self, path: str, body: Mapping[str, Any]) -> bytes:
        """The body of a POST's answer.

        Raises:
            SendGridError: as its hierarchy says.
        """
        return self._ask("POST", path, None, json=body)

    def glance(self, path: str) -> bytes:
        """The body of a GET made once, for a hint: its failing says nothing of key or host.

        Raises:
            SendGridError: there is none to be had.
        """
        try:
            with self._answer(self._http, self._http.build_request("GET", path), path) as response:
                response.read()
        except TransientError as error:
            raise UnavailableError(str(error)) from error
        if response.status_code != httpx.codes.OK:
            raise BadAnswerError(f"SendGrid answered {path} with status {response.status_code}.")
        return response.content

    @property
    def waited_seconds(self) -> float:
        """Seconds waited so far, for whatever reason."""
        return self._patience.waited_seconds

    def pause(self, seconds: float) -> None:
        """Waits, and counts it as waited.

        Raises:
            StoppedError: the client was stopped.
        """
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
            with self._answer(self._downloads, request, "export file", download_seconds) as response:
                self._judge_transient(response, "export file", "export file")
                if response.status_code != httpx.codes.OK:
                    raise BadAnswerError(
                        f"An export file answered {response.status_code}: its link may have expired."
                    )
                for piece in response.iter_bytes():
                    write(piece)

        self._patience.retried(once, "an export file")

    def _ask(self, method: str, path: str, template: str | None, **what: Any) -> bytes:
        if self._patience.is_spent:
            raise UnavailableError(f"SendGrid stayed unavailable for this run: {path} was not asked for.")
        request = self._http.build_request(method, path, **what)
        endpoint = endpoint_of(method, template or path)

        def once() -> bytes:
            self._patience.queue(lambda: self._throttle.turn(endpoint))
            if self._key_is_dead:
                raise self._dead_key()
            with self._answer(self._http, request, path) as response:
                self._throttle.note(endpoint, response.headers)
                response.read()
            return self._judge(response, path, endpoint)

        body: bytes = self._patience.retried(once, path)
        return body

    @contextlib.contextmanager
    def _answer(
        self,
        http: httpx.Client,
        request: httpx.Request,
        what: str,
        allowed: Callable[[int], float] = answer_seconds,
    ) -> Iterator[httpx.Response]:
        """An answer, its body still to be read; `allowed` is for `Patience.watch`."""
        watch = self._patience.watch(what, allowed)
        with self._counted():
            try:
                with contextlib.closing(http.send(request, stream=True)) as response:
                    response.stream = Watched(response.stream, watch)  # type: ignore[arg-type]
                    yield response
            except httpx.HTTPError as error:
                raise TransientError(f"{what}: {type(error).__name__}") from error

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._changed:
            self._patience.go_on()
            self.requests += 1
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()
                self._hang_up()

    def _hang_up(self) -> None:
        # A socket closed while another thread reads from it may be another file's by then.
        if self._closing and not self._under_way:
            self._http.close()
            self._downloads.close()

    def _judge(self, response: httpx.Response, path: str, endpoint: str) -> bytes:
        self._judge_transient(response, path, endpoint)
        self._patience.host_is_up()
        if response.is_success:
            return response.content
        status, said = response.status_code, response.content.lower()
        if status == httpx.codes.UNAUTHORIZED:
            self._key_is_dead = True
            raise self._dead_key()
        if status == httpx.codes.FORBIDDEN:
            raise RefusedError(f"SendGrid refuses {path} (403).")
        if status == httpx.codes.BAD_REQUEST and b"authorization required" in said:
            raise RefusedError(f"SendGrid refuses {path} (400, authorization required).")
        if status == httpx.codes.NOT_FOUND and b"no more pages" in said:
            raise NoMorePages(path)
        if status == httpx.codes.NOT_FOUND:
            raise NotThereError(path)
        raise BadAnswerError(f"SendGrid answered {path} with status {status}.")

    def _judge_transient(self, response: httpx.Response, path: str, endpoint: str) -> None:
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS:
            # The host is up: it says when to come back.
            self._patience.host_is_up()
            raise TransientError(f"{path}: 429", wait=self._throttle.shut(endpoint, response.headers))
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise TransientError(f"{path}: {status}")

    def _dead_key(self) -> DeadKeyError:
        return DeadKeyError(
            f"SendGrid does not know the API key in {self._key_variable} (401): "
            "it is mistyped or revoked; create one with read access and set it there."
        )
