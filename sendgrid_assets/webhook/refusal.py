"""What the receiver says no to.

Belongs here: the answer of a refusal as an exception. Does not: when to refuse.
"""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

RETRY_AFTER_SECONDS = 30


class Refusal(Exception):  # noqa: N818
    """A request is not taken, and nothing of it is stored.

    Attributes:
        status: the HTTP status; 503 asks the sender to come again.
        reason: one word for metrics and the log.
        sentence: what the sender is told; never anything out of the request.
    """

    def __init__(self, status: int, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.reason, self.sentence = status, reason, sentence

    def response(self) -> Response:
        """The answer; the connection ends, for part of a body may still be under way."""
        headers = {"connection": "close"}
        if self.status == 503:
            headers["retry-after"] = str(RETRY_AFTER_SECONDS)
        if self.status == 405:
            headers["allow"] = "POST"
        return PlainTextResponse(self.sentence + "\n", self.status, headers)
