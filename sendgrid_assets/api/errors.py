"""What can go wrong when asking SendGrid.

    SendGridError
    ├── DeadKeyError         401: nothing can be read with this key
    ├── RefusedError         403, or 400 "authorization required": not for this key or account; others may be
    ├── UnavailableError     the host stayed down, or its rate limit shut, longer than we wait
    ├── StoppedError         the run is ending, and nobody waits for the answer
    └── BadAnswerError       an answer that is not what SendGrid documents: never taken for an empty table
        └── NotThereError    404: this host or account has no such endpoint

Belongs here: the hierarchy. Does not: deciding which it is (`api.client`). No text here holds a key, an
address, or the query of a link.
"""

from __future__ import annotations


class SendGridError(Exception):
    """Something went wrong when asking SendGrid."""


class DeadKeyError(SendGridError):
    """SendGrid knows no such key (401)."""


class RefusedError(SendGridError):
    """SendGrid refuses this endpoint to this key or account (403; Email Activity without its add-on: 400)."""


class UnavailableError(SendGridError):
    """SendGrid did not answer within what we wait."""


class StoppedError(SendGridError):
    """The client was stopped or closed, or the consumer has left, before there was an answer."""


class BadAnswerError(SendGridError):
    """SendGrid's answer cannot be taken for data."""


class NotThereError(BadAnswerError):
    """SendGrid has nothing under this path (404), as the EU host has no marketing endpoints.

    Attributes:
        path: what was asked for.
    """

    def __init__(self, path: str) -> None:
        super().__init__(f"SendGrid has no {path} (404).")
        self.path = path


class NoMorePages(SendGridError):  # noqa: N818 - an answer, not an error
    """A page beyond the last was asked for (404)."""
