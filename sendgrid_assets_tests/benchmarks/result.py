"""What a benchmark came to: all runs of all variants, and how ours compares.

Belongs here: comparing, and the result as JSON. Does not: words and tables (`report`, `page`).
"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .measurement import Measurement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .benchmark import Benchmark, Target


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a figure of ours stands to its target, over all rounds.

    Attributes:
        target: the target.
        value: the median of the rounds.
        lowest: the lowest of them.
        highest: the highest of them.
    """

    target: Target
    value: float
    lowest: float
    highest: float

    @property
    def met(self) -> bool:
        """Whether the median is as it should be."""
        return self.target.met_by(self.value)


@dataclass(frozen=True, slots=True)
class Result:
    """All runs of a benchmark.

    Attributes:
        benchmark: its name.
        scale: the scale it was run at; 1 is full size.
        runs: the runs of each variant, round by round.
        skipped: why a variant was not run, by its name.
    """

    benchmark: str
    scale: float
    runs: dict[str, list[Measurement]]
    skipped: dict[str, str]

    @property
    def rounds(self) -> int:
        """How many rounds there were."""
        return max(len(runs) for runs in self.runs.values())

    def comparisons(self, benchmark: Benchmark) -> Iterator[Comparison]:
        """How ours stands to each target; a target against a variant that was not run is left out.

        Variants that take turns meet the same weather: so ratios are made round by round, and the median is taken
        of these.
        """
        ours = self.runs[benchmark.variants[0].name]
        for target in benchmark.targets:
            if target.against is None:
                values = [run.figure(target.figure) for run in ours]
            else:
                others = self.runs.get(target.against, [])
                values = [
                    run.figure(target.figure) / other.figure(target.figure)
                    for run, other in zip(ours, others, strict=False)
                ]
            if values:
                yield Comparison(target, statistics.median(values), min(values), max(values))

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def with_rounds_of(self, other: Result) -> Result:
        """This result with the rounds of another one of the same benchmark and scale."""
        runs = {name: [*runs, *other.runs.get(name, [])] for name, runs in self.runs.items()}
        return Result(self.benchmark, self.scale, runs, self.skipped)

    @classmethod
    def from_json(cls, made: dict[str, Any]) -> Result:
        """From what `to_json` gave."""
        runs = {name: [Measurement(**run) for run in runs] for name, runs in made["runs"].items()}
        return cls(made["benchmark"], made["scale"], runs, made["skipped"])
