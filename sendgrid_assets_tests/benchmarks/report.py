"""A result in words and figures.

Belongs here: the tables that the command prints and the page shows. Does not: the page around them (`page`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .measurement import median, shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .benchmark import Benchmark, Target
    from .result import Result

Row = tuple[str, ...]

VARIANT_HEAD = ("variant", "is", "rows", "seconds", "rows/s", "CPU seconds", "peak MB")
TARGET_HEAD = ("compared", "median", "lowest - highest", "target", "")


def variant_rows(benchmark: Benchmark, result: Result) -> list[Row]:
    """A line per variant, with the medians of its runs."""
    rows: list[Row] = []
    for variant in benchmark.variants:
        if variant.name in result.skipped:
            rows.append((variant.name, variant.role, f"skipped: {result.skipped[variant.name]}", *[""] * 4))
            continue
        runs = result.runs[variant.name]
        rows.append(
            (
                variant.name,
                variant.role,
                f"{runs[0].rows:,}",
                *(number(median(runs, figure)) for figure in VARIANT_HEAD[3:]),
            )
        )
    return rows


def target_rows(benchmark: Benchmark, result: Result) -> list[Row]:
    """A line per target that could be compared."""
    return [
        (
            compared(benchmark, one.target),
            number(one.value),
            f"{number(one.lowest)} - {number(one.highest)}",
            one.target.bound,
            "met" if one.met else "missed",
        )
        for one in result.comparisons(benchmark)
    ]


def details(benchmark: Benchmark, result: Result) -> list[str]:
    """A sentence for each variant that says where its time goes, or has further figures."""
    sentences = []
    for variant in benchmark.variants:
        runs = result.runs.get(variant.name, [])
        if not runs:
            continue
        parts = ", ".join(f"{name} {share:.0%}" for name, share in shares(runs).items())
        figures = ", ".join(f"{name} {number(median(runs, name))}" for name in runs[0].figures)
        said = [f"of its time: {parts}" if parts else "", figures]
        if any(said):
            sentences.append(f"{variant.name}: {'; '.join(filter(None, said))}.")
    return sentences


def medians(result: Result) -> str:
    """What the figures are medians of."""
    size = "" if result.scale == 1 else f", at {result.scale:g} of the full size"
    return f"Medians of {result.rounds} round{'' if result.rounds == 1 else 's'}{size}:"


def compared(benchmark: Benchmark, target: Target) -> str:
    """What a target compares, such as `ours / limit, rows/s`."""
    ours = benchmark.variants[0].name
    return f"{ours} / {target.against}, {target.figure}" if target.against else f"{ours}, {target.figure}"


def number(value: float) -> str:
    """Three digits that matter, or all before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def as_text(benchmark: Benchmark, result: Result) -> str:
    """The whole result, for a terminal."""
    return "\n".join(
        [
            f"{benchmark.name}: {benchmark.what}",
            medians(result),
            "",
            *_aligned([VARIANT_HEAD, *variant_rows(benchmark, result)]),
            "",
            *_aligned([TARGET_HEAD, *target_rows(benchmark, result)]),
            "",
            *details(benchmark, result),
            "",
        ]
    )


def _aligned(rows: Sequence[Row]) -> list[str]:
    # A skipped variant's reason may be as long as it likes.
    widths = [
        max((len(cell) for cell in column if not cell.startswith("skipped")), default=0)
        for column in zip(*rows, strict=True)
    ]
    return [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
