"""The benchmarks at a tiny size: that all variants do the same, and that a result says what it should."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sendgrid_assets.api.paging import WIDTH

from . import machine
from .__main__ import main
from .benchmark import Benchmark, Target
from .measurement import Measurement
from .page import page
from .register import BENCHMARKS
from .report import as_text
from .result import Result
from .rounds import run

TINY = 0.0005
ALIKE_IN_NOTHING = ("grow",)
# Two Dagsters are started for it, and `defs/test_daemon` has events go the same way.
TOO_LONG = ("freshness",)


@pytest.fixture(scope="module", params=[name for name in BENCHMARKS if name not in TOO_LONG])
def measured(request: pytest.FixtureRequest) -> tuple[Benchmark, Result]:
    benchmark = BENCHMARKS[request.param]
    return benchmark, run(benchmark, scale=TINY, rounds=1, share=1.0)


def test_all_variants_do_the_same(measured: tuple[Benchmark, Result]) -> None:
    benchmark, result = measured
    runs = [one for runs in result.runs.values() for one in runs]
    assert len({one.rows for one in runs}) == 1
    contents = {one.content for one in runs if one.content is not None}
    assert len(contents) == (benchmark.name not in ALIKE_IN_NOTHING)


def test_the_limit_of_sync_asks_for_what_ours_asks_for(measured: tuple[Benchmark, Result]) -> None:
    benchmark, result = measured
    if benchmark.name == "sync":
        ours, limit = (result.runs[name][0] for name in ("ours", "download"))
        # As many are asked for ahead, but how many of these are beyond the end is chance.
        assert abs(ours.figure("requests") - limit.figure("requests")) < WIDTH


def test_a_variant_is_skipped_only_where_its_module_is_not_installed(
    measured: tuple[Benchmark, Result],
) -> None:
    benchmark, result = measured
    for variant in benchmark.variants:
        assert (variant.name in result.runs) != (variant.name in result.skipped)
    assert all(why.startswith("dlt is not installed") for why in result.skipped.values())


def test_everything_is_measured(measured: tuple[Benchmark, Result]) -> None:
    _, result = measured
    for runs in result.runs.values():
        for one in runs:
            assert all(one.figure(name) > 0 for name in ("rows/s", "seconds", "CPU seconds", "peak MB"))
            assert 0 <= sum(one.parts.values()) <= one.seconds


def test_the_report_and_the_page_show_each_variant_and_target(measured: tuple[Benchmark, Result]) -> None:
    benchmark, result = measured
    for shown in (as_text(benchmark, result), page([result], machine.described())):
        assert all(variant.name in shown for variant in benchmark.variants)
        for one in result.comparisons(benchmark):
            assert one.target.bound in shown
    assert "skipped" not in as_text(benchmark, result) or result.skipped


def test_a_result_survives_json(measured: tuple[Benchmark, Result]) -> None:
    _, result = measured
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_ratios_are_made_round_by_round() -> None:
    ours = [Measurement(100, seconds, 1.0, 10.0) for seconds in (1.0, 10.0, 2.0)]
    limit = [Measurement(100, seconds, 1.0, 10.0) for seconds in (0.5, 8.0, 1.0)]
    benchmark = BENCHMARKS["upsert"]
    result = Result("upsert", 1.0, {"ours": ours, "bare MERGE": limit}, {"keyed table": "it is slow"})
    (one,) = result.comparisons(benchmark)
    assert (one.value, one.lowest, one.highest) == (0.5, 0.5, 0.8)
    assert not one.met


@pytest.mark.parametrize(("target", "met"), [(Target("x", least=2), True), (Target("x", most=1.5), False)])
def test_a_target_is_a_bound(target: Target, met: bool) -> None:
    assert target.met_by(2.0) is met


def test_rounds_measured_apart_are_added_up(tmp_path: Path) -> None:
    runs = {"ours": [Measurement(100, 1.0, 1.0, 10.0)], "bare MERGE": [Measurement(100, 0.5, 1.0, 10.0)]}
    result = Result("upsert", 1.0, runs, {"keyed table": "it is slow"})
    made = json.dumps({"machine": machine.described(), "results": [result.to_json()]})
    files = [tmp_path / "first.json", tmp_path / "second.json"]
    for file in files:
        file.write_text(made, encoding="utf-8")
    answer = CliRunner().invoke(main, [option for file in files for option in ("--from", str(file))])
    assert answer.exit_code == 0
    assert "Medians of 2 rounds" in answer.output
