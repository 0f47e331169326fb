"""Whether the checks find each wrong way to do it out.

Belongs here: which faults bring which mutant to light. Does not: the mutants.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sendgrid_assets_tests.webhook.conftest import Signer

from .nursery import Nursery
from .plant import Plant
from .power import Power, prepared
from .power_record import Recording
from .power_scenes import Scene
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


CUT_OFF: tuple[tuple[str, str], ...] = (
    ("drain", "no_file_fsync"),
    ("drain", "no_folder_fsync"),
    ("drain", "no_fsync_beside_the_warehouse"),
    ("drain", "named_before_fsync"),
    ("drain", "set_aside_before_commit"),
    ("publish", "no_file_fsync"),
    ("publish", "no_folder_fsync"),
    ("publish", "named_before_fsync"),
    ("publish, the first", "published_before_checkpoint"),
)
"""Scenes of a power cut, and mutants that it must bring to light."""


def caught(name: str, sweep: Sweep) -> list[str]:
    """What the checks say of a mutant."""
    sweep.ends_at_first = True
    FOUND_BY[name](sweep)
    return sweep.end().wrong


def cut_off(nursery: Nursery, folder: Path, scene: Scene, mutant: str) -> list[str]:
    """What the checks say of a mutant on every disk that a power cut may leave of it."""
    return Power(nursery, folder, scene, mutant).cut(seed=0, settle=0, ends_at_first=True).wrong


def all_caught(nursery: Nursery, make: Callable[[str], Plant]) -> dict[str, bool]:
    """Of every mutant, whether it was found out."""
    found = {name: bool(caught(name, Sweep(nursery, make(name), Signer()))) for name in FOUND_BY}
    folder = make("power-mutants").folder
    with Recording() as recording:
        scenes = {
            name: prepared(recording, folder / name, name) for name in sorted({one for one, _ in CUT_OFF})
        }
        for name, mutant in CUT_OFF:
            wrong = cut_off(recording, folder / f"{name} {mutant}", scenes[name], mutant)
            found[f"{mutant} ({name})"] = bool(wrong)
    return found
