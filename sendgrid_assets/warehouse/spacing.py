"""When the last publish was and how long it took, which tells how soon the next is worth its cost.

Belongs here: keeping these two, in a small file beside the warehouse, and the wait that follows. Does not: who heeds it
(`defs`).
"""

from __future__ import annotations

import datetime as dt
import json
import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .file import Warehouse

SHARE = 20.0
"""For how many times its own duration a publish is recent: publishing then takes at most 5 % of the time."""


def note(warehouse: Warehouse, seconds: float) -> None:
    """Notes a publish that has just ended and took so many seconds; called by the one who has the turn."""
    path, aside = _path(warehouse), _aside(warehouse)
    # The publish stands without its note: the next is only made sooner.
    with suppress(OSError):
        aside.write_text(json.dumps({"at": time.time(), "seconds": seconds}), encoding="utf-8")
        aside.replace(path)


def clear_stray(warehouse: Warehouse) -> None:
    """Removes a note that a killed publish was writing; called by the one who has the turn."""
    with suppress(OSError):
        _aside(warehouse).unlink(missing_ok=True)


def last_seconds(warehouse: Warehouse) -> float | None:
    """How long the last publish took; None where that is not known."""
    last = _read(warehouse)
    return last[1] if last else None


def last_at(warehouse: Warehouse) -> dt.datetime | None:
    """When the last publish was, UTC; None where that is not known."""
    last = _read(warehouse)
    return dt.datetime.fromtimestamp(last[0], dt.UTC) if last else None


def wait_seconds(warehouse: Warehouse) -> float:
    """For how long the last publish is still recent; 0 where it is not, or where none is known."""
    last = _read(warehouse)
    if last is None:
        return 0.0
    at, seconds = last
    age = time.time() - at
    # The clock was set back: nothing is known of the age, and waiting for that instant could take years.
    if age < 0:
        return 0.0
    return max(0.0, SHARE * seconds - age)


def _path(warehouse: Warehouse) -> Path:
    return warehouse.path.with_name(warehouse.path.name + ".published")


def _aside(warehouse: Warehouse) -> Path:
    return warehouse.path.with_name(f".{_path(warehouse).name}.part")


def _read(warehouse: Warehouse) -> tuple[float, float] | None:
    try:
        told = json.loads(_path(warehouse).read_bytes())
        at, seconds = float(told["at"]), float(told["seconds"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return (at, seconds) if math.isfinite(at) and math.isfinite(seconds) else None
