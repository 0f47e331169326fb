"""Whole sweeps: every call of a receiver, a drain, a publish and a replay, killed and failed.

Belongs here: which sweeps there are, and several of them at once. Does not: what one does (`sweeps`, `replays`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

from sendgrid_assets_tests.webhook.conftest import Signer

from . import tracing
from .nursery import Nursery
from .plant import Plant
from .replays import Replays
from .sweeps import Sweep, Swept, at_failpoints, at_system_calls

One = Callable[[Nursery, Plant], Swept]

# A kill after a call is one before the next.
_OF_PYTHON = (("kill", "before"), ("ENOSPC", "before"))
_SYSTEM_CALLS = {
    "drains": ("write", "fsync", "linkat", "rename", "unlink", "unlinkat"),
    "publishes": ("pwrite64", "fsync", "rename", "unlink"),
    "receivers": ("write", "fsync", "linkat", "unlink"),
    "replays": ("write", "pwrite64", "fsync"),
}
_ACTIONS = ("kill", "EIO", "ENOSPC")


def swept(which: str, make: Callable[[str], Plant], tell: Callable[[str], None]) -> dict[str, Swept]:
    """Goes through them, as many at once as there are processors.

    Args:
        which: a regular expression that is found in the names of those to go through.
        make: a new plant by its name.
        tell: told of each as it ends.

    Returns:
        By their names, at how many points each struck and what went wrong.
    """

    def one(name: str, sweep: One) -> Swept:
        with Nursery() as nursery:
            try:
                found = sweep(nursery, make(name.replace(" ", "-")))
            except (AssertionError, RuntimeError, TimeoutError) as error:
                found = Swept(wrong=[f"was not gone through: {error}"])
        tell(f"{name}: {found.points} points, {len(found.wrong)} wrong")
        return found

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        begun = {
            name: pool.submit(one, name, sweep) for name, sweep in _sweeps().items() if re.search(which, name)
        }
        return {name: future.result() for name, future in begun.items()}


def _sweeps() -> dict[str, One]:
    found: dict[str, One] = {}
    for task in ("drains", "publishes", "receivers"):
        for what, fault in _faults(task):
            found[f"{task}, {what}"] = _sweep(task, fault)
            if task == "drains":
                found[f"{task} of large chunks, {what}"] = _sweep(task, fault, checkpointed=True)
    for what, fault in _faults("replays"):
        found[f"replays into nothing, {what}"] = _replays(fault, emptied=True)
    found["replays of what is there, kill before a call"] = _replays(at_failpoints("kill"), emptied=False)
    return found


def _faults(task: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [
        (f"{action} {when} a call", at_failpoints(action, when)) for action, when in _OF_PYTHON
    ]
    if tracing.why_not() is None:
        found += [
            (f"{action} at {call}", at_system_calls(call, action))
            for call, action in product(_SYSTEM_CALLS[task], _ACTIONS)
        ]
    return found


def _sweep(task: str, fault: Any, **options: Any) -> One:
    def goes(nursery: Nursery, plant: Plant) -> Swept:
        sweep = Sweep(nursery, plant, Signer())
        getattr(sweep, task)(fault, **options)
        return sweep.end()

    return goes


def _replays(fault: Any, *, emptied: bool) -> One:
    def goes(nursery: Nursery, plant: Plant) -> Swept:
        sweep = Replays(nursery, plant, Signer())
        sweep.prepare()
        if emptied:
            sweep.replays_into_nothing(fault)
        else:
            sweep.replays_of_what_is_there(fault)
        return sweep.end()

    return goes
