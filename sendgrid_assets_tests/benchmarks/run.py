"""One run of a variant, while it lasts: its inputs, its folder and its clock.

Belongs here: what is measured inside the process that does the work. Does not: starting that process (`child`).
"""

from __future__ import annotations

import resource
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .benchmark import Facts


@dataclass(slots=True)
class Run:
    """What a variant works with.

    Attributes:
        facts: what the benchmark tells of the inputs.
        folder: an empty folder, removed afterwards.
        seconds: timed so far.
        cpu_seconds: of processor time, all threads and ended children.
        peak_mb: the most memory the process had held when the timing ended.
        parts: seconds by named part of the work.
    """

    facts: Facts
    folder: Path
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Times the block: everything before it is preparation, everything after it is looking at the result."""
        began, cpu = time.perf_counter(), _cpu_seconds()
        yield
        self.seconds += time.perf_counter() - began
        self.cpu_seconds += _cpu_seconds() - cpu
        self.peak_mb = _peak_mb()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Times a part of what is timed, to show where the time goes."""
        began = time.perf_counter()
        yield
        self.parts[name] = self.parts.get(name, 0.0) + time.perf_counter() - began


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _peak_mb() -> float:
    # ru_maxrss begins with what the process that started this one held: the kernel's mark is this one's own.
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
