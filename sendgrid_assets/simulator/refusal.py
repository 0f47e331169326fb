"""SendGrid's error answers.

Belongs here: their bodies. Does not: when one is due.
Source: https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/errors
"""

from __future__ import annotations

import uuid

from starlette.responses import JSONResponse


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """A request that is answered with an error.

    Attributes:
        status: the HTTP status.
        message: SendGrid's words.
        field: the parameter at fault, if any.
    """

    def __init__(self, status: int, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field

    def answer(self, path: str) -> JSONResponse:
        """The answer, in the words of the family of endpoints that `path` belongs to."""
        error: dict[str, str | None] = {"message": self.message}
        if not path.startswith("/v3/marketing") or self.status in (401, 403, 429):
            error["field"] = self.field
        else:
            error["error_id"] = str(uuid.uuid4())
            if self.field:
                error["parameter"] = self.field
        return JSONResponse({"errors": [error]}, self.status)


def not_found() -> Refusal:
    """What any path answers that leads nowhere."""
    return Refusal(404, "not found")
