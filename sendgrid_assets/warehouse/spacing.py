"""When the last publish was and how long it took, which tells how soon the next is worth its cost.

Belongs here: keeping that, in a small file beside the warehouse, and the wait that follows. Does not: who heeds it
(`defs`).
"""

from __future__ import annotations

import datetime as dt
import json
import math
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .file import Warehouse

COPYING = 20.0
"""For how many times as long as its copying took a publish is recent: the whole file is written for a single event, and
so at most 5 % of the time."""

PREPARING = 4.0
"""As much for what precedes the copy: it brings new events into insights and tables, and so takes at most 20 %."""


@dataclass(frozen=True, slots=True)
class _Last:
    """The last publish: when it ended, in Unix seconds; how many seconds it took, and of these for copying."""

    at: float
    seconds: float
    copying: float


def note(warehouse: Warehouse, seconds: float, *, copying: float) -> None:
    """Notes a publish that has just ended; called by the one who has the turn.

    Args:
        warehouse: what was published.
        seconds: how long it took.
        copying: how much of that from when the copy was begun.
    """
    told = {"at": time.time(), "seconds": seconds, "copying": copying}
    # The publish stands without its note: the next is only made sooner.
    with suppress(OSError):
        _aside(warehouse).write_text(json.dumps(told), encoding="utf-8")
        _aside(warehouse).replace(_path(warehouse))


def clear_stray(warehouse: Warehouse) -> None:
    """Removes a note that a killed publish was writing; called by the one who has the turn."""
    with suppress(OSError):
        _aside(warehouse).unlink(missing_ok=True)


def last_seconds(warehouse: Warehouse) -> float | None:
    """How long the last publish took; None where that is not known."""
    last = _read(warehouse)
    return last.seconds if last else None


def last_at(warehouse: Warehouse) -> dt.datetime | None:
    """When the last publish was, UTC; None where that is not known."""
    last = _read(warehouse)
    return dt.datetime.fromtimestamp(last.at, dt.UTC) if last else None


def wait_seconds(warehouse: Warehouse) -> float:
    """For how long the last publish is still recent; 0 where it is not, or where none is known."""
    last = _read(warehouse)
    if last is None:
        return 0.0
    age = time.time() - last.at
    # The clock was set back: nothing is known of the age, and waiting for that instant could take years.
    if age < 0:
        return 0.0
    return max(0.0, COPYING * last.copying + PREPARING * (last.seconds - last.copying) - age)


def _path(warehouse: Warehouse) -> Path:
    return warehouse.path.with_name(warehouse.path.name + ".published")


def _aside(warehouse: Warehouse) -> Path:
    return warehouse.path.with_name(f".{_path(warehouse).name}.part")


def _read(warehouse: Warehouse) -> _Last | None:
    try:
        told = json.loads(_path(warehouse).read_bytes())
        at, seconds = float(told["at"]), float(told["seconds"])
        # An older release's note does not tell the copying apart.
        last = _Last(at, seconds, float(told.get("copying", seconds)))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return last if all(map(math.isfinite, (last.at, last.seconds, last.copying))) else None
