"""Dagster's own commands from the project's root, as README has them."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.running import running
from sendgrid_assets.simulator.server import create_app

from .processes import ROOT, call, environment, free_port, ours, processes_that_mention, started, wait_for

MODULE = ("-m", "sendgrid_assets.definitions")


def dagster(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "dagster", *arguments]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that looks to Dagster as the project's root does."""
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def _ask(port: int, query: str) -> Any:
    answer = httpx.post(f"http://127.0.0.1:{port}/graphql", json={"query": query}, timeout=30).json()
    return answer["data"]


def _synced(published: Path) -> bool:
    if not published.exists():
        return False
    with duckdb.connect(published, read_only=True) as connection:
        return connection.execute("FROM sendgrid.mc_contacts").fetchone() is not None


def _is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/server_info", timeout=2).is_success
    except httpx.HTTPError:
        return False


INSTIGATORS = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  schedules { name scheduleState { status } } sensors { name sensorState { status } } } } } }"""
RUNS = "{ runsOrError { ... on Runs { results { runId jobName status } } } }"


def test_dev_needs_no_environment_and_keeps_its_history(root: Path) -> None:
    port = free_port()
    log = root / "dev.log"
    executed = call(*dagster("job", "execute", "-j", "sendgrid_drain", *MODULE), cwd=root, env=environment())
    assert executed.returncode == 0, executed.stderr
    for _ in range(2):
        with started(*dagster("dev", "-p", str(port)), cwd=root, env=environment(), log=log) as dev:
            wait_for(lambda: _is_up(port) or dev.poll() is not None, "the UI")
            (repository,) = _ask(port, INSTIGATORS)["repositoriesOrError"]["nodes"]
            assert repository["schedules"] == [
                {"name": "sendgrid_sync_schedule", "scheduleState": {"status": "RUNNING"}}
            ]
            assert repository["sensors"] == [
                {"name": "sendgrid_landing", "sensorState": {"status": "RUNNING"}}
            ]
            (run,) = _ask(port, RUNS)["runsOrError"]["results"]
            assert (run["jobName"], run["status"]) == ("sendgrid_drain", "SUCCESS")
        ours_ = [
            line for line in log.read_text().splitlines() if "Warning" in line and "Supersession" not in line
        ]
        assert ours_ == []


@pytest.mark.parametrize(
    "command",
    [
        ("job", "execute", "-j", "sendgrid_sync", *MODULE),
        ("asset", "materialize", "--select", "*", *MODULE),
    ],
    ids=["job execute", "asset materialize"],
)
def test_a_key_in_the_env_file_syncs_the_account(root: Path, command: tuple[str, ...]) -> None:
    account = Account(contacts=20)
    with running(create_app(account, api_key="SG.from-env-file")) as url:
        (root / ".env").write_text(f"SENDGRID_API_KEY=SG.from-env-file\nSENDGRID_API_URL={url}\n")
        done = call(*dagster(*command), cwd=root, env=environment())
    assert done.returncode == 0, done.stderr
    with duckdb.connect(root / "data" / "published.duckdb", read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM sendgrid.mc_contacts").fetchone() == (20,)
    assert "SG.from-env-file" not in done.stdout + done.stderr
    assert "@" not in "".join(line for line in done.stderr.splitlines() if "INFO" in line)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SENDGRID_RECEIVER_PORT", "high"),
        ("SENDGRID_SYNC_CRON", "often"),
        ("SENDGRID_COLLECTIONS", "nothing"),
    ],
)
def test_validate_stops_at_a_wrong_value(root: Path, variable: str, value: str) -> None:
    done = call(*dagster("definitions", "validate"), cwd=root, env=environment(**{variable: value}))
    assert done.returncode != 0
    assert f"{variable}: '{value}'" in done.stdout + done.stderr


def test_up_runs_receiver_and_dagster_and_syncs_at_once(root: Path) -> None:
    account, port, receiver = Account(contacts=20), free_port(), free_port()
    published, log = root / "data" / "published.duckdb", root / "up.log"
    with running(create_app(account, api_key="SG.up")) as url:
        env = environment(SENDGRID_API_KEY="SG.up", SENDGRID_API_URL=url, SENDGRID_MARK=str(root))
        options = (f"--port={port}", f"--receiver-port={receiver}")
        with started(*ours("up", *options), cwd=root, env=env, log=log) as up:
            wait_for(lambda: published.exists() or up.poll() is not None, "the first sync")
            wait_for(lambda: _is_up(port) or up.poll() is not None, "the UI")
            assert httpx.get(f"http://127.0.0.1:{receiver}/healthz").status_code == 200, log.read_text()
            with duckdb.connect(published, read_only=True) as connection:
                assert connection.execute("SELECT count(*) FROM sendgrid.mc_contacts").fetchone() == (20,)
            # The terminal is closed.
            up.send_signal(signal.SIGHUP)
            assert up.wait(60) == 0
            assert processes_that_mention(f"SENDGRID_MARK={root}") == []
    assert processes_that_mention(f"SENDGRID_MARK={root}") == []


def test_a_first_sync_that_failed_is_told_and_made_up_for(root: Path) -> None:
    log, published = root / "up.log", root / "data" / "published.duckdb"
    options = (f"--port={free_port()}", f"--receiver-port={free_port()}")

    def until(happened: Callable[[], bool], key: str) -> None:
        env = environment(SENDGRID_API_KEY=key, SENDGRID_API_URL=url)
        with started(*ours("up", *options), cwd=root, env=env, log=log) as up:
            wait_for(lambda: happened() or up.poll() is not None, "the first sync's end")
            assert happened(), log.read_text()

    with running(create_app(Account(contacts=20), api_key="SG.right")) as url:
        until(lambda: b"The sendgrid-first-sync failed: see" in log.read_bytes(), "SG.wrong")
        until(lambda: _synced(published), "SG.right")
