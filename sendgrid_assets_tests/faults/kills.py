"""Kills: a receiver under POSTs, a drain and a publish at once, each killed at random moments and system calls.

Belongs here: one long trial and its figures. Does not: options (`__main__`), speed (`figures`).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sendgrid_assets_tests.webhook.conftest import Signer

from . import tracing
from .invariant import Told, Verdict, judge
from .nursery import Child, Nursery
from .plant import Plant
from .posting import Answers, Sender
from .receiving import Receiver
from .traffic import Batch, batches

_CALLS = {
    "receive": {"write": 60, "fsync": 40, "linkat": 20, "unlink": 20},
    "drain": {"write": 8, "fsync": 8, "linkat": 8, "unlink": 8, "unlinkat": 4},
    "publish": {"pwrite64": 25, "fsync": 4, "write": 2, "unlink": 2, "rename": 2},
}
"""About how often each call is made, so that a number drawn below it is met mostly."""


@dataclass
class Trial:
    """What was done and measured; seconds.

    Attributes:
        kills: processes ended by kill -9, by task.
        first_answers: from the start of a receiver after a kill to its first 2xx.
        drains: from the start of a drain after kills to an empty backlog, with the bytes that waited.
        publishes: of a publish after kills.
        verdicts: one for each time that everything was settled.
    """

    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_CALLS, 0))
    first_answers: list[float] = field(default_factory=list)
    drains: list[tuple[float, int]] = field(default_factory=list)
    publishes: list[float] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def killed(self) -> int:
        return sum(self.kills.values())

    @property
    def wrong(self) -> list[str]:
        return [one for verdict in self.verdicts for one in verdict.wrong]


class Killing:
    """One trial on one plant."""

    def __init__(self, nursery: Nursery, plant: Plant, seed: int) -> None:
        self._nursery, self._plant, self._random = nursery, plant, random.Random(seed)
        self._signer, self._told, self.trial = Signer(), Told(), Trial()
        self._fresh = batches(f"kills-{seed}", 5, unsound_every=40)
        self._unanswered: list[Batch] = []
        self._traces = tracing.why_not() is None

    def run(self, kills: int, tell: Callable[[str], None] = lambda _: None) -> Trial:
        """Goes on until so many processes were killed; settles and judges every 30 kills and at the end."""
        due = 30
        while self.trial.killed < kills:
            self._round()
            if self.trial.killed >= due:
                due += 30
                self._settle()
                tell(self.trial.verdicts[-1].line(self.trial.killed))
        self._settle()
        return self.trial

    def _round(self) -> None:
        """One receiver, two drains and two publishes, each of which may be killed."""
        how = self._fault("receive")
        begun = time.monotonic()
        receiver = Receiver(self._nursery, self._plant, self._signer, **how)
        pouring = threading.Thread(target=self._pour, args=(receiver, begun))
        if receiver.ready():
            pouring.start()
            for task in ("drain", "publish", "drain", "publish"):
                self._other(task)
            if "trace" not in how:
                receiver.child.kill()
            pouring.join(60)
        receiver.child.kill()
        self._count("receive", receiver.child)

    def _other(self, task: str) -> None:
        how = self._fault(task)
        child = self._nursery.start(task, self._plant, **how)
        if "trace" not in how:
            time.sleep(self._random.uniform(0, 0.5))
            child.kill()
        self._count(task, child)

    def _count(self, task: str, child: Child) -> None:
        self.trial.kills[task] += child.wait(120) == -9

    def _fault(self, task: str) -> dict[str, Any]:
        """A fault at a system call for every second one; the others are killed at a moment."""
        if not self._traces or self._random.random() < 0.5:
            return {}
        call, most = self._random.choice(list(_CALLS[task].items()))
        return {"trace": tracing.injection(call, self._random.randint(1, most), "kill")}

    def _pour(self, receiver: Receiver, begun: float | None) -> Answers:
        left = iter(self._unanswered)
        sender = Sender(receiver.port, self._signer, self._told)
        answers = sender.pour(chain(left, self._fresh), clients=8, seconds=3)
        # Every second one is never sent again: it may be stored, and need not be.
        self._unanswered = [*(one for one in answers.unanswered if self._random.random() < 0.5), *left]
        if answers.first and begun is not None:
            self.trial.first_answers.append(answers.first - begun)
        return answers

    def _settle(self) -> None:
        receiver = Receiver(self._nursery, self._plant, self._signer)
        assert receiver.ready()
        while self._unanswered:
            left = iter(self._unanswered)
            answers = Sender(receiver.port, self._signer, self._told).pour(left, clients=8, seconds=60)
            self._unanswered = [*answers.unanswered, *left]
        assert receiver.stop() == 0
        waiting = sum(file.size for file in self._plant.landing.waiting())
        begun = time.monotonic()
        self._nursery.must("drain", self._plant, seconds=600)
        drained = time.monotonic()
        self._nursery.must("publish", self._plant, seconds=600)
        self.trial.drains.append((drained - begun, waiting))
        self.trial.publishes.append(time.monotonic() - drained)
        self.trial.verdicts.append(judge(self._plant, self._told))
