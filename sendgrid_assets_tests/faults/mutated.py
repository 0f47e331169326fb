"""Whether the checks find each wrong way to do it out.

Belongs here: which faults bring which mutant to light. Does not: the mutants.
"""

from __future__ import annotations

from collections.abc import Callable

from sendgrid_assets_tests.webhook.conftest import Signer

from .nursery import Nursery
from .plant import Plant
from .sweeps import Fault, Sweep, at_failpoints


def _with(fault: Fault, mutant: str) -> Fault:
    return lambda n: fault(n) | {"mutant": mutant}


def no_transaction(sweep: Sweep) -> None:
    sweep.drains(_with(at_failpoints("kill", "after", "INSERT"), "no_transaction"), stride=3)


def ledger_outside(sweep: Sweep) -> None:
    sweep.drains(_with(at_failpoints("kill", "after", "COMMIT"), "ledger_outside"))


def taken_before_commit(sweep: Sweep) -> None:
    sweep.drains(_with(at_failpoints("kill", "before", "COMMIT"), "taken_before_commit"))


def no_deduplication(sweep: Sweep) -> None:
    sweep.land()
    sweep.nursery.must("drain", sweep.plant, arguments={"chunk_bytes": 1}, mutant="no_deduplication")


def answered_before_written(sweep: Sweep) -> None:
    sweep.receivers(_with(at_failpoints("kill", "after", "unlink"), "answered_before_written"), stride=4)


FOUND_BY: dict[str, Callable[[Sweep], None]] = {
    found.__name__: found
    for found in (
        no_transaction,
        ledger_outside,
        taken_before_commit,
        no_deduplication,
        answered_before_written,
    )
}


def caught(name: str, sweep: Sweep) -> list[str]:
    """What the checks say of a mutant."""
    sweep.ends_at_first = True
    FOUND_BY[name](sweep)
    return sweep.end().wrong


def all_caught(nursery: Nursery, make: Callable[[str], Plant]) -> dict[str, bool]:
    """Of every mutant, whether it was found out."""
    return {name: bool(caught(name, Sweep(nursery, make(name), Signer()))) for name in FOUND_BY}
