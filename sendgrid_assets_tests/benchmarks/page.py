"""`sendgrid_assets/docs/benchmarks.md`, from results.

Belongs here: the page's words and Markdown. Does not: figures (`report`), measuring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendgrid_assets_tests.processes import ROOT

from .register import BENCHMARKS
from .report import TARGET_HEAD, VARIANT_HEAD, details, medians, target_rows, variant_rows
from .tried import TRIED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .benchmark import Benchmark
    from .report import Row
    from .result import Result

PATH = ROOT / "sendgrid_assets" / "docs" / "benchmarks.md"

_HEAD = """\
# Benchmarks

Made by `python -m sendgrid_assets_tests.benchmarks --page`; do not edit.

Each benchmark does the same work on the same bytes in several ways, which take turns, each run in a fresh process.
*Ours* is held against a *limit*, which does only what cannot be left out, and against *peers*, other ways to the
same end. A slow peer may be given a share of the rows: speeds are compared, not times. Seconds belong to the machine
below and to what else it was doing; what carries over to another machine is the ratios. They are made round by
round, and the median is shown with the lowest and the highest.
"""


def page(results: Sequence[Result], machine: Mapping[str, str]) -> str:
    """The page.

    Args:
        results: what was measured.
        machine: where.
    """
    sections = [_HEAD, *("\n".join(_section(BENCHMARKS[result.benchmark], result)) for result in results)]
    sections.append("\n".join(["## The machine", "", *_table([("", ""), *machine.items()]), ""]))
    return "\n".join(sections)


def _section(benchmark: Benchmark, result: Result) -> Iterator[str]:
    yield f"## {benchmark.name}"
    yield ""
    yield benchmark.what
    yield ""
    for variant in benchmark.variants:
        share = "" if variant.share == 1 else f", on {variant.share:.0%} of the rows"
        yield f"- *{variant.name}* ({variant.role}): {variant.what}{share}."
    yield ""
    yield medians(result)
    yield ""
    yield from _table([VARIANT_HEAD, *variant_rows(benchmark, result)])
    yield ""
    yield from _table([TARGET_HEAD, *target_rows(benchmark, result)])
    yield ""
    yield from (f"- {sentence}" for sentence in details(benchmark, result))
    yield ""
    if benchmark.name in TRIED:
        yield "### Designs tried"
        yield ""
        yield TRIED[benchmark.name]


def _table(rows: Sequence[Row]) -> list[str]:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return [head, "|" + "---|" * len(rows[0]), *body]
