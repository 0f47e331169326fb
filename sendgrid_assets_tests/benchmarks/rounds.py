"""Runs a benchmark's variants in turn, several times.

Belongs here: the order of runs, and that all variants did the same. Does not: a single run (`child`).
"""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .child import RunError, measured
from .result import Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from .benchmark import Benchmark, Variant
    from .measurement import Measurement


def run(
    benchmark: Benchmark,
    *,
    scale: float = 1.0,
    rounds: int = 3,
    share: float | None = None,
    tell: Callable[[str], object] = lambda _: None,
) -> Result:
    """All rounds of a benchmark.

    Args:
        benchmark: which.
        scale: how large; 1 is full size.
        rounds: how often each variant is run.
        share: the share of the rows that every variant is given, instead of its own.
        tell: told of each step.

    Raises:
        RunError: a variant failed, or the variants did not do the same.
    """
    skipped = {variant.name: why for variant in benchmark.variants if (why := _why_not(variant))}
    taking_part = [variant for variant in benchmark.variants if variant.name not in skipped]
    runs: dict[str, list[Measurement]] = {variant.name: [] for variant in taking_part}
    with tempfile.TemporaryDirectory(prefix=f"benchmark-{benchmark.name}-") as folder:
        inputs, own = Path(folder) / "inputs", Path(folder) / "runs"
        inputs.mkdir()
        own.mkdir()
        tell(f"{benchmark.name}: making the inputs")
        with benchmark.prepare(inputs, scale) as facts:
            for number in range(rounds):
                # Each round begins with another, so that none always follows the same.
                at = number % len(taking_part)
                for variant in taking_part[at:] + taking_part[:at]:
                    given = facts(variant.share if share is None else share)
                    one = measured(benchmark, variant, given, own)
                    runs[variant.name].append(one)
                    tell(
                        f"{benchmark.name}, round {number + 1} of {rounds}: {variant.name}"
                        f" {one.rows:,} rows in {one.seconds:.2f} s"
                    )
    _require_alike(benchmark, taking_part, runs, share)
    return Result(benchmark.name, scale, runs, skipped)


def _why_not(variant: Variant) -> str | None:
    if variant.needs and importlib.util.find_spec(variant.needs) is None:
        return f"{variant.needs} is not installed: the group `benchmarks` has it"
    return None


def _require_alike(
    benchmark: Benchmark, variants: list[Variant], runs: dict[str, list[Measurement]], share: float | None
) -> None:
    """All that were given as many rows must have handled as many, and hold the same."""
    given: dict[float, list[Variant]] = {}
    for variant in variants:
        given.setdefault(variant.share if share is None else share, []).append(variant)
    for alike in given.values():
        done = [one for variant in alike for one in runs[variant.name]]
        rows, contents = {one.rows for one in done}, {one.content for one in done} - {None}
        if len(rows) > 1 or len(contents) > 1:
            held = {
                variant.name: (runs[variant.name][0].rows, runs[variant.name][0].content) for variant in alike
            }
            raise RunError(f"{benchmark.name}: not all variants hold the same: {held}.")
