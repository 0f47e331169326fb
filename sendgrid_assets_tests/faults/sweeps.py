"""Sweeps: a fault at the first, second, third, … call, until a run meets none.

Belongs here: going through the points, and what must hold after each and in the end. Does not: the faults themselves
(`failpoints`, `tracing`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any

from sendgrid_assets_tests.webhook.conftest import Signer

from . import tracing
from .invariant import Told, judge, torn
from .nursery import Nursery
from .plant import Plant
from .posting import Answers, Sender
from .receiving import Receiver
from .traffic import Batch, batch, batches, event

Fault = Callable[[int], dict[str, Any]]

_POINTS_A_LOG = 20
"""After so many points a publish empties DuckDB's log: replaying a long one would take most of the time."""
"""How a child is started that has its fault at the n-th call."""


@dataclass
class Swept:
    """How many points were run, and what went wrong at which."""

    points: int = 0
    wrong: list[str] = field(default_factory=list)


def at_failpoints(action: str, when: str = "before", only: str | None = None) -> Fault:
    return lambda n: {"failpoint": {"at": n, "action": action, "when": when, "only": only}}


def at_system_calls(call: str, action: str) -> Fault:
    return lambda n: {"trace": ["-y", *tracing.injection(call, n, action)], "one_core": True}


def struck(plant: Plant, how: dict[str, Any]) -> bool:
    """Whether the child met its fault."""
    if "trace" in how:
        return tracing.struck(plant.folder / "strace.log")
    return (plant.folder / "struck").exists()


class Sweep:
    """Sweeps on one plant; what is loaded, published and acknowledged adds up from point to point.

    Attributes:
        ends_at_first: whether to stop at the first point at which something went wrong.
    """

    def __init__(self, nursery: Nursery, plant: Plant, signer: Signer) -> None:
        self.nursery, self.plant, self._signer = nursery, plant, signer
        self.told = Told()
        self.swept, self.ends_at_first = Swept(), False
        self._whole: dict[str, int] = {}
        self._numbers = count(1)
        self._unanswered: list[Batch] = []

    def land(self, files: int = 2) -> None:
        """Files of three events and a reject; the last event of each comes again in the next."""
        for _ in range(files):
            n = next(self._numbers)
            sent = batch("landed", [event("landed", 2 * n + m) for m in range(3)])
            text = f"torn {n}"
            name = f"{n:06}.ndjson"
            self.told.put([*sent.keys, ("", text)])
            # The first event of a file is the last of the one before, and is that one's row.
            self._whole[name] = 4 if n == 1 else 3
            self.plant.put(name, sent.lines() + text.encode() + b"\n")

    def drains(self, fault: Fault, *, stride: int = 1, first: int = 1, checkpointed: bool = False) -> None:
        """Drains of two chunks, each with its fault; the next one must end its work."""
        arguments = {"chunk_bytes": 1, "checkpointed": checkpointed}
        for n in count(first, stride):
            self.land()
            how = fault(n)
            self.nursery.do("drain", self.plant, arguments=arguments, **how)
            if not struck(self.plant, how):
                return
            self._point(how, torn(self.plant, self._whole))
            if self.swept.wrong and self.ends_at_first:
                return
            self.nursery.must("drain", self.plant)
            if self.swept.points % _POINTS_A_LOG == 0:
                self.nursery.must("publish", self.plant)

    def publishes(self, fault: Fault, *, stride: int = 1, first: int = 1) -> None:
        """Publishes after a commit, each with its fault; the old file or the new one must stand, whole."""
        for n in count(first, stride):
            self.land(1)
            self.nursery.must("drain", self.plant)
            old = self._published()
            how = fault(n)
            self.nursery.do("publish", self.plant, **how)
            found = self._published()
            new = self.plant.query("SELECT file FROM _sendgrid_assets.loaded_files ORDER BY 1")
            self._point(
                how, [] if found in (old, new) else ["neither the old state nor the new is published"]
            )
            if not struck(self.plant, how):
                self.swept.points -= 1
                return

    def _published(self) -> list[tuple[Any, ...]]:
        return self.plant.query("SELECT file FROM _sendgrid_assets.loaded_files ORDER BY 1", published=True)

    def receivers(self, fault: Fault, *, stride: int = 1, first: int = 1, posts: int = 16) -> None:
        """Receivers under POSTs of several clients, each with its fault; what got no 2xx is posted again."""
        for n in count(first, stride):
            how = fault(n)
            receiver = Receiver(self.nursery, self.plant, self._signer, **how)
            answers = self._post(receiver, n, posts) if receiver.ready() else Answers()
            status = receiver.stop()
            if not struck(self.plant, how):
                return
            self._point(how, _answered_wrong(self.plant, how, answers, status))

    def _post(self, receiver: Receiver, n: int, posts: int) -> Answers:
        again, self._unanswered = self._unanswered, []
        fresh = islice(batches(f"posted-{next(self._numbers)}-{n}", 2, unsound_every=7), posts)

        def all_() -> Iterator[Batch]:
            yield from again
            yield from fresh

        # What nobody took any more is posted to the next receiver.
        left = all_()
        sender = Sender(receiver.port, self._signer, self.told)
        answers = sender.pour(left, clients=4, seconds=10)
        self._unanswered = [*answers.unanswered, *left]
        return answers

    def _point(self, how: dict[str, Any], wrong: list[str]) -> None:
        self.swept.points += 1
        self.swept.wrong += [f"{how.get('failpoint') or how.get('trace')}: {one}" for one in wrong]

    def end(self) -> Swept:
        """Starts everything again, posts what was not acknowledged, drains, publishes, and judges."""
        receiver = Receiver(self.nursery, self.plant, self._signer)
        assert receiver.ready()
        self._post(receiver, 0, 1)
        assert not self._unanswered
        assert receiver.stop() == 0
        self.nursery.must("settle", self.plant)
        self.swept.wrong += judge(self.plant, self.told).wrong
        return self.swept


def _answered_wrong(plant: Plant, how: dict[str, Any], answers: Answers, status: int) -> list[str]:
    wrong = [f"answered {status}" for status in answers.statuses if status not in (204, 503)]
    failed = (
        re.search(r"fsync\(\d+<(.+?)>\) += -1 \w+ .*\(INJECTED\)", (plant.folder / "strace.log").read_text())
        if "trace" in how
        else None
    )
    if failed:
        after = (plant.folder / "strace.log").read_text()[failed.end() :]
        if f"<{failed[1]}>" in "".join(re.findall(r"fsync\(\d+<.+?>", after)):
            wrong.append("a failed fsync was tried again")
        if status == 0:
            wrong.append("a failed fsync did not end the receiver with an error")
    return wrong
