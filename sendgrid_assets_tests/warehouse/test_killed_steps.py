"""A publish or a restore that is killed before any of its steps leaves whole files, and is done by the next one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from . import killing_steps

ROOT = Path(__file__).parents[2]


def told(folder: Path, work: str) -> list[dict[str, Any]]:
    """What stood after each kill; the last entry is of the one that was let to end."""
    command = [sys.executable, "-m", killing_steps.__name__, str(folder), work]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    assert [entry["killed"] for entry in entries] == [True] * (len(entries) - 1) + [False]
    return entries


def test_a_publish_killed_at_any_step_leaves_the_old_file_or_the_new(tmp_path: Path) -> None:
    entries = told(tmp_path, "publish")
    assert len(entries) > 8
    before: list[str] = []
    for entry in entries:
        assert entry["committed"] == [f"{n:03}" for n in range(1, len(entry["committed"]) + 1)]
        assert entry["published"] in (before, entry["committed"])
        before = entry["published"]
    assert before == entries[-1]["committed"]
    assert len(before) == len(entries)
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize("work", ["restore", "restore-checkpointed"])
def test_a_restore_killed_at_any_step_loses_nothing_and_is_done_by_the_next(
    tmp_path: Path, work: str
) -> None:
    entries = told(tmp_path, work)
    found = [entry["stands"] for entry in entries]
    refused = [answer for answer in found if isinstance(answer, str)]
    assert len(entries) > 12
    assert len(refused) >= 2
    assert all("is left of a warehouse that is gone" in answer for answer in refused)
    # First the old one, then none that a run would take or make, then the new one.
    phases = ["none" if isinstance(answer, str) else "".join(answer) for answer in found]
    assert phases == sorted(phases, key=["AB", "none", "A"].index)
    assert (phases[0], phases[-1]) == ("AB", "A")
    for entry in entries:
        assert entry["stands_then"] == ["A"]
        assert ["A", "B"] in entry["kept"]
        assert entry["strays"] == []
