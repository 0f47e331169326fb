"""Whatever is posted, put, killed, drained, published, replayed and lost, in whatever order.

Belongs here: what may happen, as rules, and having it happen. Does not: how much of it (`test_any_order`, `__main__`).
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from itertools import count

from hypothesis import HealthCheck, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from sendgrid_assets_tests.webhook.conftest import Signer

from .invariant import Told, judge
from .nursery import Nursery
from .plant import Plant
from .posting import Sender
from .receiving import Receiver
from .traffic import Batch, batch, event

STEPS = 25
"""How much happens to one plant in the long form."""

some = st.integers(0, 5)


class AnyOrder(RuleBasedStateMachine):
    """What may happen to a plant; `make` gives a new one with the nursery that works on it."""

    nursery: Nursery
    make: Callable[[], Plant]
    happened: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.plant, self.told, self.signer = type(self).make(), Told(), Signer()
        self.receiver = Receiver(self.nursery, self.plant, self.signer)
        assert self.receiver.ready()
        self.posted: list[Batch] = []
        self.numbers = count()
        self.settled = False

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            self.receiver.child.kill()
            self.receiver.child.wait()
        shutil.rmtree(self.plant.folder)

    def note(self, what: str) -> None:
        """Counts one that happened; the plant is not at rest any more."""
        self.happened[what] += 1
        self.settled = False

    def post(self, one: Batch) -> None:
        self.note("posts")
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
        self.note("files put")
        n = next(self.numbers)
        one = batch("put", [event("put", n), event("put", n + 1), event("posted", which)])
        name = "events.json" if same_name else f"put-{n}.ndjson"
        if name not in self.plant.waiting():
            self.plant.put(name, one.body if same_name else one.lines())
            self.told.put(one.keys)

    @rule()
    def kill_the_receiver(self) -> None:
        self.happened["receivers killed"] += 1
        self.receiver.child.kill()
        self.receiver.child.wait()
        self.receiver = Receiver(self.nursery, self.plant, self.signer)
        assert self.receiver.ready()

    @rule(at=st.integers(1, 80), when=st.sampled_from(["before", "after"]))
    def drain_with_a_kill(self, at: int, when: str) -> None:
        self.note("drains killed")
        fault = {"at": at, "action": "kill", "when": when}
        self.nursery.do("drain", self.plant, arguments={"chunk_bytes": 300}, failpoint=fault)

    @rule(at=st.integers(1, 80))
    def publish_with_a_kill(self, at: int) -> None:
        self.note("publishes killed")
        self.nursery.do("publish", self.plant, failpoint={"at": at, "action": "kill"})

    @rule(at=st.integers(1, 120), when=st.sampled_from(["before", "after"]))
    def replay_with_a_kill(self, at: int, when: str) -> None:
        self.note("replays killed")
        self.nursery.do("replay", self.plant, failpoint={"at": at, "action": "kill", "when": when})

    @rule()
    def replay(self) -> None:
        """All that is kept, whatever was lost."""
        self.drain()
        self.note("replays")
        self.nursery.must("replay", self.plant)

    @rule()
    def drain(self) -> None:
        self.note("drains")
        self.nursery.must("drain", self.plant)

    @rule()
    def put_back_what_was_loaded(self) -> None:
        self.note("put back")
        for file in self.plant.done():
            if file.suffix in (".ndjson", ".json") and not (self.plant.landing.new / file.name).exists():
                shutil.copy2(file, self.plant.landing.new / file.name)

    @rule()
    def lose_the_log(self) -> None:
        """DuckDB opens without it, and without a word."""
        self.note("logs lost")
        self.plant.warehouse.wal.unlink(missing_ok=True)

    @rule()
    def settle(self) -> None:
        """Starts again, drains, publishes."""
        if self.settled:
            return
        assert self.receiver.stop() == 0
        self.nursery.must("settle", self.plant)
        self.happened["settled"] += 1
        assert judge(self.plant, self.told).wrong == ()
        self.settled = True
        self.receiver = Receiver(self.nursery, self.plant, self.signer)
        assert self.receiver.ready()


def run(
    nursery: Nursery, make: Callable[[], Plant], *, examples: int, steps: int = STEPS, seed: int | None = None
) -> Counter[str]:
    """Has so many orders of so many steps happen; how often what happened.

    Args:
        nursery: whose children do it.
        make: a new plant.
        examples: how many plants.
        steps: at most, on each of them.
        seed: of the orders; None for new ones.

    Raises:
        AssertionError: something was lost, doubled or left over; the error's notes have the shortest order found.
    """
    AnyOrder.nursery, AnyOrder.make, AnyOrder.happened = nursery, staticmethod(make), Counter()
    machine = type("AnyOrderSeeded", (AnyOrder,), {})
    run_state_machine_as_test(
        seeded(seed)(machine) if seed is not None else machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return AnyOrder.happened


def tried(
    nursery: Nursery, plant: Callable[[str], Plant], *, examples: int, seed: int
) -> tuple[dict[str, int], list[str]]:
    """The long form: how often what happened, and what went wrong with the shortest order that brings it about.

    Args:
        nursery: whose children do it.
        plant: a new one by its name.
        examples: how many plants.
        seed: of the orders.
    """
    numbers = count()
    try:
        happened = run(nursery, lambda: plant(f"any-order-{next(numbers)}"), examples=examples, seed=seed)
    except AssertionError as error:
        order = "\n".join(getattr(error, "__notes__", []))
        return dict(AnyOrder.happened), [f"any order, seed {seed}: {error}\n{order}"]
    return dict(happened), []
