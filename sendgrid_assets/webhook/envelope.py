"""What a request's bytes turn out to be: unpacked, found authentic, and cut into events.

Belongs here: everything about a body that costs processor time. Does not: reading it (`body`), storing it (`segment`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .body import inflate
from .event_line import BOM, WHITE
from .refusal import Refusal
from .signature import verify
from .splitter import lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .signature import PublicKey

# Above this size a body's work takes longer than handing it to a thread, and would hold up all other requests.
_ASIDE_BYTES = 64 * 1024


class Opened(NamedTuple):
    """A body's unpacked bytes; its events as lines, and how many; None where it is neither array nor object."""

    body: bytes
    lines: bytes | None
    events: int


@dataclass(frozen=True, slots=True)
class Envelope:
    """A body as it came, and what it takes to open it.

    Attributes:
        raw: the body's bytes.
        packed: whether it is said to be gzip.
        keys: verification keys, one of which must have signed it; none where nobody need have.
        signature: the signature header.
        timestamp: the timestamp header.
        trusted: whether it is known who sent it, so that it is kept whatever it says.
        most: the largest size after unpacking, in bytes.
    """

    raw: bytes
    packed: bool
    keys: Sequence[PublicKey]
    signature: str
    timestamp: str
    trusted: bool
    most: int

    async def open(self) -> Opened:
        """As `opened`; what takes long is done in a thread."""
        if len(self.raw) <= _ASIDE_BYTES and not self.packed:
            return self.opened()
        return await asyncio.to_thread(self.opened)

    def opened(self) -> Opened:
        """What is in it.

        Raises:
            Refusal: it is too large, was signed by none of the keys, or is no array of events and not trusted.
        """
        body = inflate(self.raw, self.most) if self.packed else self.raw
        if self.keys and not any(
            verify(self.keys, self.signature, self.timestamp, text)
            for text in ([self.raw] if body is self.raw else [self.raw, body])
        ):
            raise Refusal(401, "bad_signature", "The signature is wrong.")
        found = lines(body)
        if not self.trusted and not _are_events(body, found):
            raise Refusal(400, "no_events", "The body is no array of events.")
        return Opened(body, found[1], found[0]) if found else Opened(body, None, 0)


def _are_events(body: bytes, found: tuple[int, bytes] | None) -> bool:
    """Whether a body of unknown origin looks whole, with an object in every place."""
    if found is None:
        return False
    texts = body.removeprefix(BOM).strip(WHITE), *found[1].split(b"\n")[:-1]
    whole, *ends = [(text[:1], text[-1:]) for text in texts]
    return whole != (b"[", b"}") and set(ends) <= {(b"{", b"}")}
