"""Killed runs, a killed daemon and a look that takes too long stop nothing: with Dagster's own processes."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import TickStatus

from sendgrid_assets.defs.automation import DEAD_SECONDS
from sendgrid_assets_tests.faults.invariant import Told, judge
from sendgrid_assets_tests.faults.plant import Plant
from sendgrid_assets_tests.faults.traffic import batch, event
from sendgrid_assets_tests.processes import ROOT, environment, processes_that_mention, started, wait_for

STARTED, SUCCESS, FAILURE = (
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
)


class Daemon:
    """Dagster's daemon and code server on a plant, started and killed at will."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.plant, self.told = folder, Plant(folder), Told()
        self.plant.landing.prepare()
        self.pause = folder / "pause"
        # The same history from wherever it is looked at.
        home = (
            (ROOT / "dagster.yaml").read_text().replace("base_dir: .dagster", f"base_dir: {folder}/.dagster")
        )
        (folder / "dagster.yaml").write_text(home)
        self.instance = dg.DagsterInstance.from_config(str(folder))

    @contextmanager
    def started(self) -> Iterator[None]:
        env = environment(
            DAGSTER_HOME=str(self.folder),
            DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS="5",
            SENDGRID_DATA_DIR=str(self.folder),
            SENDGRID_DRAIN_INTERVAL_SECONDS="1",
            SENDGRID_MARK=str(self.folder),
            SLOW_LOOK=str(self.pause),
        )
        command = (
            sys.executable,
            "-m",
            "dagster._daemon",
            "run",
            "-m",
            "sendgrid_assets_tests.defs.slow_look",
        )
        with started(*command, cwd=self.folder, env=env, log=self.folder / "daemon.log"):
            yield

    def kill(self) -> None:
        """All of it at once, as a machine that stops."""
        for pid in processes_that_mention(f"SENDGRID_MARK={self.folder}"):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def land(self, number: int) -> None:
        one = batch("daemon", [event("daemon", number)])
        self.plant.put(f"{number}.ndjson", one.lines())
        self.told.put(one.keys)

    def drains(self) -> dict[str, dg.DagsterRunStatus]:
        """Each drain run's status."""
        runs = self.instance.get_runs(dg.RunsFilter(job_name="sendgrid_drain"))
        return {run.run_id: run.status for run in runs}

    def begun(self) -> tuple[str, int]:
        """Waits for a drain at its work; its run and its process."""
        found: list[tuple[str, int]] = []

        def at_work() -> bool:
            for run_id in (one for one, status in self.drains().items() if status is STARTED):
                said = " ".join(entry.message for entry in self.instance.all_logs(run_id))
                if (process := re.search(r"pid: (\d+)", said)) and self.plant.landing.is_drained():
                    found.append((run_id, int(process[1])))
            return bool(found)

        self.wait_for(at_work, "a drain at work")
        return found[0]

    def settled(self) -> bool:
        """Whether all that was landed is loaded and published, and nothing else is wrong."""
        if self.plant.waiting() or not self.plant.published.exists():
            return False
        return len(self.plant.query("FROM sendgrid.activity", published=True)) == len(self.told.sent)

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        try:
            wait_for(condition, what, seconds=180)
        except AssertionError as error:
            error.add_note((self.folder / "daemon.log").read_text()[-3000:])
            raise

    def has_failed_tick(self) -> bool:
        return any(
            tick.status is TickStatus.FAILURE
            for state in self.instance.all_instigator_state()
            for tick in self.instance.get_ticks(state.instigator_origin_id, state.selector_id)
        )


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path)
    with made.instance:
        yield made
    assert processes_that_mention(f"SENDGRID_MARK={tmp_path}") == []


def test_what_is_killed_or_too_slow_is_made_up_for_unaided(daemon: Daemon) -> None:
    with daemon.started():
        with daemon.plant.warehouse.turn():
            daemon.land(1)
            killed, process = daemon.begun()
            os.kill(process, signal.SIGKILL)
        daemon.wait_for(daemon.settled, "a drain after one whose process was killed")
        assert daemon.drains()[killed] is not SUCCESS
        with daemon.plant.warehouse.turn():
            daemon.land(2)
            left, _ = daemon.begun()
            daemon.kill()
    daemon.land(3)
    assert daemon.drains()[left] is STARTED
    daemon.pause.touch()
    with daemon.started():
        daemon.wait_for(daemon.has_failed_tick, "a look that took too long")
        assert daemon.plant.waiting() == ["2.ndjson", "3.ndjson"]
        _age(daemon.folder, left)
        daemon.pause.unlink()
        daemon.wait_for(daemon.settled, "a drain after one that nobody noted as ended")
        assert daemon.drains()[left] is STARTED
        daemon.wait_for(lambda: SUCCESS in daemon.drains().values(), "the end of the last drain")
    assert judge(daemon.plant, daemon.told).wrong == ()


def _age(folder: Path, run_id: str) -> None:
    """Lets a run have begun so long ago that it counts as dead, had it not the landing directory's turn."""
    with sqlite3.connect(folder / ".dagster" / "history" / "runs.db", timeout=30) as runs:
        changed = runs.execute(
            "UPDATE runs SET start_time = start_time - ? WHERE run_id = ?", (DEAD_SECONDS, run_id)
        )
    assert changed.rowcount == 1
