"""What runs of a variant came to.

Belongs here: one run's figures, and the median of several. Does not: comparing variants (`result`).
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run; `benchmark.Outcome` and `run.Run` say what each is."""

    rows: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    content: str | None = None
    parts: dict[str, float] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)

    def figure(self, name: str) -> float:
        """A figure by its name in reports.

        Raises:
            KeyError: there is none of that name.
        """
        own = {
            "rows/s": self.rows / self.seconds,
            "seconds": self.seconds,
            "CPU seconds": self.cpu_seconds,
            "peak MB": self.peak_mb,
        }
        return own[name] if name in own else self.figures[name]


def median(runs: Sequence[Measurement], figure: str) -> float:
    """The median of a figure."""
    return statistics.median(run.figure(figure) for run in runs)


def shares(runs: Sequence[Measurement]) -> dict[str, float]:
    """The median share of each part in the time of its run, from 0 to 1."""
    names = dict.fromkeys(part for run in runs for part in run.parts)
    return {name: statistics.median(run.parts.get(name, 0.0) / run.seconds for run in runs) for name in names}
