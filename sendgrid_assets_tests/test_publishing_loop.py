"""Whoever opens the published file while syncs and drains go on gets one committed state, and never an error.

`SENDGRID_TESTS_LOOP_SECONDS` says for how long they go on.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from .clients import NotInstallableError, installed
from .publishing_loop import check, loop, truth

SECONDS = float(os.environ.get("SENDGRID_TESTS_LOOP_SECONDS") or 12)


def _readers(folder: Path) -> tuple[list[str], str | None]:
    """Today's DuckDB; beside it the oldest that we promise and DuckDB's own program, where these can be had."""
    pythons, cli = [sys.executable], shutil.which("duckdb")
    try:
        pythons.append(str(installed("duckdb==1.1.3", folder / "oldest") / "python"))
        cli = cli or str(installed("duckdb-cli", folder / "cli") / "duckdb")
    except NotInstallableError:
        pass
    return pythons, cli


def test_every_answer_is_true_while_everything_goes_on(tmp_path: Path) -> None:
    (tmp_path / "loop").mkdir()
    pythons, cli = _readers(tmp_path)
    counted = loop(tmp_path / "loop", SECONDS, pythons, cli)
    assert counted["files"] >= 3
    assert counted["syncs"] >= 1
    assert len(counted["answers"]) == len(pythons) + bool(cli)
    assert min(counted["answers"]) >= 5
    assert min(counted["states"]) >= 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"events": 9},
        {"in_ledger": 9},
        {"weight": 1},
        {"ids": 9},
        {"first_name": "sync 1"},
        {"syncs": 1},
        {"files": 2},
        {"publishes": 0},
        {"fresh": "false"},
    ],
)
def test_a_wrong_answer_would_be_seen(wrong: dict[str, object]) -> None:
    check([truth(0, 1), truth(1, 2)])
    with pytest.raises(AssertionError):
        check([truth(0, 1), truth(1, 2) | wrong])


def test_an_answer_older_than_the_one_before_would_be_seen() -> None:
    for later, earlier in (((2, 1), (1, 1)), ((1, 2), (1, 1))):
        with pytest.raises(AssertionError):
            check([truth(*later), truth(*earlier)])
