"""The process that does one run: `python -m sendgrid_assets_tests.benchmarks.child`, started by `rounds`.

Belongs here: starting it, and what passes between the two. Does not: order and number of runs.

A fresh process for each run makes peaks of memory, imports and allocators alike.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from sendgrid_assets_tests.processes import ROOT, environment

from .measurement import Measurement
from .register import BENCHMARKS
from .run import Run

if TYPE_CHECKING:
    from .benchmark import Benchmark, Facts, Variant

_LONGEST_SECONDS = 3600.0


class RunError(Exception):
    """A run ended without a measurement."""


def measured(benchmark: Benchmark, variant: Variant, facts: Facts, folder: Path) -> Measurement:
    """Runs the variant once.

    Args:
        benchmark: one that is registered.
        variant: one of its variants.
        facts: what the variant is told of the inputs.
        folder: where the run gets a folder of its own for as long as it lasts.

    Raises:
        RunError: it failed, or took longer than an hour.
    """
    with tempfile.TemporaryDirectory(prefix=f"{variant.name}-", dir=folder) as here:
        asked = Path(here) / "asked.json"
        asked.write_text(json.dumps({"facts": facts}), encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, benchmark.name, variant.name, here],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            _, said = process.communicate(timeout=_LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            said = f"longer than {_LONGEST_SECONDS:.0f} s"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        answer = Path(here) / "answer.json"
        if not answer.exists():
            raise RunError(f"{benchmark.name}, {variant.name}: no measurement.\n{said[-4000:]}")
        return Measurement(**json.loads(answer.read_text(encoding="utf-8")))


def main(benchmark: str, variant: str, folder: str) -> None:
    """Does the run that `measured` asks for."""
    here = Path(folder)
    asked = json.loads((here / "asked.json").read_text(encoding="utf-8"))
    own = here / "own"
    own.mkdir()
    run = Run(asked["facts"], own)
    outcome = BENCHMARKS[benchmark].variant(variant).work(run)
    answer = Measurement(
        rows=outcome.rows,
        seconds=run.seconds,
        cpu_seconds=run.cpu_seconds,
        peak_mb=run.peak_mb,
        content=outcome.content,
        parts=run.parts,
        figures=outcome.figures or {},
    )
    aside = here / "answer.part"
    aside.write_text(json.dumps(asdict(answer)), encoding="utf-8")
    aside.rename(here / "answer.json")


if __name__ == "__main__":
    main(*sys.argv[1:])
