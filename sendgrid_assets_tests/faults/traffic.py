"""Events whose keys are known: what was sent can be counted against what is stored.

Belongs here: making events and bodies, each with its keys. Does not: sending them (`posting`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Key = tuple[str, str]
"""An event's (sg_event_id, event); a reject's ("", its text)."""

KINDS = ("open", "click", "delivered", "processed", "bounce", "dropped", "unsubscribe")
T0 = 1_719_000_000


@dataclass(frozen=True)
class Batch:
    """A body as SendGrid posts it, and what must be found of it."""

    keys: tuple[Key, ...]
    body: bytes

    def lines(self) -> bytes:
        """The same events as another program would put them into a file; of an unsound body, its text."""
        try:
            events = json.loads(self.body)
        except ValueError:
            return self.body + b"\n"
        return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def event(word: str, number: int, **fields: Any) -> dict[str, Any]:
    """An event whose id and content are its own."""
    return {
        "sg_event_id": f"{word}-{number}",
        "event": KINDS[number % len(KINDS)],
        "timestamp": T0 + number % 100_000,
        "email": f"reader{number % 50}@example.com",
        "url": f"https://shop.example/{word}/{number}",
        "campaign": word,
    } | fields


def batch(word: str, events: list[dict[str, Any]]) -> Batch:
    return Batch(tuple((one["sg_event_id"], one["event"]) for one in events), json.dumps(events).encode())


def unsound(word: str) -> Batch:
    """A body that is no JSON: it is kept whole, as a reject."""
    text = f"no JSON at all: {word}"
    return Batch((("", text),), text.encode())


def batches(word: str, size: int, *, unsound_every: int = 0) -> Iterator[Batch]:
    """Batches without end; every so many is an unsound one."""
    number = 0
    while True:
        number += 1
        if unsound_every and number % unsound_every == 0:
            yield unsound(f"{word}-{number}")
        else:
            yield batch(word, [event(word, number * size + n) for n in range(size)])
