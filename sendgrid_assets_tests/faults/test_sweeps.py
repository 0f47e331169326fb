"""A fault at any call of a receiver, a drain or a publish loses nothing and doubles nothing.

The strides keep this short; `python -m sendgrid_assets_tests.faults --sweep` goes through every call.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from . import sweeping
from .plant import Plant
from .sweeps import Sweep, at_failpoints, at_system_calls

traced = pytest.mark.usefixtures("tracer")


def check(sweep: Sweep, at_least: int) -> None:
    swept = sweep.end()
    assert swept.wrong == []
    assert swept.points >= at_least


@pytest.mark.parametrize(("action", "when", "stride"), [("kill", "before", 59), ("ENOSPC", "after", 67)])
def test_a_drain_with_a_fault_at_a_call_of_python(sweep: Sweep, action: str, when: str, stride: int) -> None:
    sweep.drains(at_failpoints(action, when), stride=stride)
    check(sweep, 2)


@pytest.mark.parametrize("only", ["COMMIT", "link", "unlink"])
def test_a_drain_killed_where_it_commits_and_moves(sweep: Sweep, only: str) -> None:
    sweep.drains(at_failpoints("kill", "after", only), stride=6 if only == "unlink" else 1)
    check(sweep, 2)


def test_a_drain_told_of_an_error_though_it_was_committed(sweep: Sweep) -> None:
    sweep.drains(at_failpoints("EIO", "after", "COMMIT"))
    check(sweep, 2)


@traced
@pytest.mark.parametrize(
    ("call", "action", "stride"),
    [("write", "kill", 7), ("write", "ENOSPC", 8), ("fsync", "kill", 7), ("fsync", "EIO", 8)],
)
def test_a_drain_with_a_fault_at_a_system_call(sweep: Sweep, call: str, action: str, stride: int) -> None:
    sweep.drains(at_system_calls(call, action), stride=stride)
    check(sweep, 2)


@traced
@pytest.mark.parametrize(
    ("call", "action", "stride"),
    [("pwrite64", "kill", 19), ("fsync", "kill", 9), ("pwrite64", "ENOSPC", 19), ("fsync", "EIO", 11)],
)
def test_a_drain_of_large_chunks_with_a_fault_at_a_system_call(
    sweep: Sweep, call: str, action: str, stride: int
) -> None:
    sweep.drains(at_system_calls(call, action), stride=stride, checkpointed=True)
    check(sweep, 2)


def test_a_publish_killed_at_a_call_of_python(sweep: Sweep) -> None:
    sweep.publishes(at_failpoints("kill"), stride=23)
    check(sweep, 2)


@traced
@pytest.mark.parametrize(
    ("call", "action", "stride"),
    [("pwrite64", "kill", 16), ("fsync", "kill", 3), ("pwrite64", "ENOSPC", 20), ("fsync", "EIO", 3)],
)
def test_a_publish_with_a_fault_at_a_system_call(sweep: Sweep, call: str, action: str, stride: int) -> None:
    sweep.publishes(at_system_calls(call, action), stride=stride)
    check(sweep, 1)


@pytest.mark.parametrize(
    ("action", "when", "stride"), [("kill", "before", 9), ("kill", "after", 13), ("ENOSPC", "before", 13)]
)
def test_a_receiver_with_a_fault_at_a_call_of_python(
    sweep: Sweep, action: str, when: str, stride: int
) -> None:
    sweep.receivers(at_failpoints(action, when), stride=stride)
    check(sweep, 2)


@traced
@pytest.mark.parametrize(
    ("call", "action", "stride"),
    [
        ("fsync", "kill", 4),
        ("fsync", "EIO", 4),
        ("write", "ENOSPC", 7),
        ("write", "kill", 7),
    ],
)
def test_a_receiver_with_a_fault_at_a_system_call(sweep: Sweep, call: str, action: str, stride: int) -> None:
    sweep.receivers(at_system_calls(call, action), stride=stride)
    check(sweep, 2)


@traced
def test_a_whole_sweep_is_gone_through_by_its_name(tmp_path: Path, empty: Plant) -> None:
    def make(name: str) -> Plant:
        (tmp_path / name).mkdir()
        return Plant(tmp_path / name).prepare(like=empty)

    told: list[str] = []
    [(name, swept)] = sweeping.swept("^publishes, kill at rename", make, told.append).items()
    assert swept.wrong == []
    assert told == [f"{name}: {swept.points} points, 0 wrong"]
    assert swept.points
