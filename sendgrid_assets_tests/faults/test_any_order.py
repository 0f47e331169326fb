"""Whatever is posted, put, killed, drained, published, put back and lost, in whatever order: nothing lost or doubled.

More of it: `SENDGRID_TESTS_FAULT_EXAMPLES` and `SENDGRID_TESTS_FAULT_STEPS` say how many and how long.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from sendgrid_assets_tests.webhook.conftest import Signer

from .invariant import Told, judge
from .nursery import Nursery
from .plant import Plant
from .posting import Sender
from .receiving import Receiver
from .traffic import Batch, batch, event

EXAMPLES = int(os.environ.get("SENDGRID_TESTS_FAULT_EXAMPLES") or 4)
STEPS = int(os.environ.get("SENDGRID_TESTS_FAULT_STEPS") or 8)

some = st.integers(0, 5)


class AnyOrder(RuleBasedStateMachine):
    """What may happen to a plant; `make` gives a new one with the nursery that works on it."""

    nursery: Nursery
    make: Callable[[], Plant]

    def __init__(self) -> None:
        super().__init__()
        self.plant, self.told, self.signer = type(self).make(), Told(), Signer()
        self.receiver = Receiver(self.nursery, self.plant, self.signer)
        assert self.receiver.ready()
        self.posted: list[Batch] = []
        self.numbers = count()
        self.settled = False

    def teardown(self) -> None:
        self.settle()
        self.receiver.child.kill()
        shutil.rmtree(self.plant.folder)

    def post(self, one: Batch) -> None:
        self.settled = False
        answers = Sender(self.receiver.port, self.signer, self.told).pour(iter([one]), clients=1, seconds=5)
        assert answers.statuses == {204: 1}

    @rule(size=st.integers(1, 4))
    def post_new_events(self, size: int) -> None:
        self.posted.append(batch("posted", [event("posted", next(self.numbers)) for _ in range(size)]))
        self.post(self.posted[-1])

    @rule(which=some)
    def post_again(self, which: int) -> None:
        if self.posted:
            self.post(self.posted[which % len(self.posted)])

    @rule(which=some)
    def post_the_content_under_a_new_id(self, which: int) -> None:
        n = next(self.numbers)
        again = event("posted", which) | {"sg_event_id": f"retried-{n}"}
        self.post(batch("retried", [again]))

    @rule(which=some, same_name=st.booleans())
    def put_a_file(self, which: int, same_name: bool) -> None:
        """Another program's, under a name that may have been there before, with an event that was posted too."""
        self.settled = False
        n = next(self.numbers)
        one = batch("put", [event("put", n), event("put", n + 1), event("posted", which)])
        name = "events.json" if same_name else f"put-{n}.ndjson"
        if name not in self.plant.waiting():
            self.plant.put(name, one.body if same_name else one.lines())
            self.told.put(one.keys)

    @rule()
    def kill_the_receiver(self) -> None:
        self.receiver.child.kill()
        self.receiver.child.wait()
        self.receiver = Receiver(self.nursery, self.plant, self.signer)
        assert self.receiver.ready()

    @rule(at=st.integers(1, 80), when=st.sampled_from(["before", "after"]))
    def drain_with_a_kill(self, at: int, when: str) -> None:
        self.settled = False
        fault = {"at": at, "action": "kill", "when": when}
        self.nursery.do("drain", self.plant, arguments={"chunk_bytes": 300}, failpoint=fault)

    @rule(at=st.integers(1, 80))
    def publish_with_a_kill(self, at: int) -> None:
        self.settled = False
        self.nursery.do("publish", self.plant, failpoint={"at": at, "action": "kill"})

    @rule()
    def drain(self) -> None:
        self.settled = False
        self.nursery.must("drain", self.plant)

    @rule()
    def put_back_what_was_loaded(self) -> None:
        self.settled = False
        for file in self.plant.done():
            if file.suffix in (".ndjson", ".json") and not (self.plant.landing.new / file.name).exists():
                shutil.copy2(file, self.plant.landing.new / file.name)

    @rule()
    def lose_the_log(self) -> None:
        """DuckDB opens without it, and without a word."""
        self.settled = False
        self.plant.warehouse.wal.unlink(missing_ok=True)

    @rule()
    def settle(self) -> None:
        """Starts again, drains, publishes."""
        if self.settled:
            return
        assert self.receiver.stop() == 0
        self.nursery.must("settle", self.plant)
        assert judge(self.plant, self.told).wrong == ()
        self.settled = True
        self.receiver = Receiver(self.nursery, self.plant, self.signer)
        assert self.receiver.ready()


def test_any_order_of_what_may_happen(nursery: Nursery, empty: Plant, tmp_path: Path) -> None:
    numbers = count()

    def make() -> Plant:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return Plant(folder).prepare(like=empty)

    AnyOrder.nursery, AnyOrder.make = nursery, staticmethod(make)
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
