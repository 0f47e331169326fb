"""A drain is a process that starts every half minute: it does not import what only a sync or a DataFrame needs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sendgrid_assets_tests.processes import ROOT, call, environment

SYNCING = ["dagster_duckdb", "httpx", "sendgrid_assets.simulator", "uvicorn"]
FRAMES = ["numpy", "pandas"]

LOADED = "import sendgrid_assets.definitions"

DRAINED = """
import dagster as dg
from sendgrid_assets.definitions import defs
with dg.DagsterInstance.ephemeral() as instance:
    job = defs.resolve_job_def("sendgrid_drain")
    first, second = (job.execute_in_process(instance=instance) for _ in range(2))
assert any(event.is_step_materialization for event in first.all_events)
assert second.success
"""


def imported(names: list[str], after: str, folder: Path) -> list[str]:
    """Which of these modules a process of its own has imported after some statements."""
    asked = f"{after}\nimport json, sys\nprint(json.dumps([name for name in {names} if name in sys.modules]))"
    ended = call(sys.executable, "-c", asked, cwd=folder, env=environment(PYTHONPATH=str(ROOT)))
    assert ended.returncode == 0, ended.stderr
    found: list[str] = json.loads(ended.stdout.splitlines()[-1])
    return found


def test_the_definitions_load_without_what_only_a_run_may_need(tmp_path: Path) -> None:
    assert imported([*SYNCING, *FRAMES], LOADED, tmp_path) == []


def test_a_drain_ends_without_what_only_a_sync_needs(tmp_path: Path) -> None:
    new = tmp_path / "data" / "landing" / "sendgrid" / "new"
    new.mkdir(parents=True)
    event = {"event": "open", "email": "casey@example.com", "timestamp": 1_719_000_000, "sg_event_id": "e1"}
    (new / "a.ndjson").write_text(json.dumps(event) + "\n")
    # The second of its two drains compares files with what the first left in the ledger.
    assert imported([*SYNCING, *FRAMES], DRAINED, tmp_path) == []
    assert (tmp_path / "data" / "published.duckdb").exists()
