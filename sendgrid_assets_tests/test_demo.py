"""The demo as a user runs it: real processes, real ports, and a real browser."""

from __future__ import annotations

import shutil
import signal
import socket
from pathlib import Path

import duckdb
import httpx
import pytest

from .processes import call, environment, free_port, ours, page, processes_that_mention, started, wait_for


def _count(published: Path, table: str) -> int:
    with duckdb.connect(published, read_only=True) as connection:
        row = connection.execute(f"SELECT count(*) FROM sendgrid.{table}").fetchone()
    return row[0] if row else 0


def test_once_fills_the_tables_and_says_what_is_in_them(tmp_path: Path) -> None:
    done = call(*ours("demo", "--once"), cwd=tmp_path, env=environment())
    assert done.returncode == 0, done.stdout + done.stderr
    published = tmp_path / "demo-data" / "published.duckdb"
    for table in (
        "lists",
        "recipients",
        "mc_contacts",
        "suppression_bounces",
        "processed",
        "delivered",
        "open",
    ):
        assert f"sendgrid.{table} " in done.stdout
        assert _count(published, table) > 0
    assert str(published) in done.stdout
    assert "Warning" not in done.stderr


def test_together_it_fills_the_tables_keeps_on_and_leaves_nothing_behind(tmp_path: Path) -> None:
    port, receiver, simulator = free_port(), free_port(), free_port()
    log, published = tmp_path / "demo.log", tmp_path / "demo-data" / "published.duckdb"
    options = (f"--port={port}", f"--receiver-port={receiver}", f"--simulator-port={simulator}")
    with started(*ours("demo", *options), cwd=tmp_path, env=environment(), log=log) as demo:
        wait_for(lambda: "Try: " in log.read_text() or demo.poll() is not None, "the demo's addresses")
        said = log.read_text()
        for address in (
            f"http://127.0.0.1:{port}",
            f"http://127.0.0.1:{receiver}/webhooks/sendgrid",
            str(published),
        ):
            assert address in said, said
        assert _count(published, "mc_contacts") > 0
        wait_for(lambda: _count(published, "activity") > 0, "the first events")
        before = _count(published, "activity")
        wait_for(lambda: _count(published, "activity") > before, "more events")
        assert httpx.get(f"http://127.0.0.1:{receiver}/healthz").status_code == 200
        if shutil.which("chromium"):
            address = f"http://127.0.0.1:{port}/assets/sendgrid/lists?view=overview"
            # A busy machine may not have drawn the page within a browser's patience.
            for _ in range(3):
                shown = page(address, tmp_path / "browser")
                if "recipient_count" in shown:
                    break
            assert "One row per legacy contact list" in shown
            assert "recipient_count" in shown
        demo.send_signal(signal.SIGINT)
        assert demo.wait(40) == 0
    assert log.read_text().strip().endswith("Stopping.")
    assert processes_that_mention(str(tmp_path / "demo-data")) == []
    for logged in (tmp_path / "demo-data").glob("*.log"):
        # A run that is just being started when Ctrl-C comes says so in its own way.
        said = logged.read_text()
        assert said.count("Traceback") <= said.count("KeyboardInterrupt"), logged
        assert "@example" not in said, logged


def test_once_fails_with_a_sentence_where_the_warehouse_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "demo-data").mkdir()
    (tmp_path / "demo-data" / "simulated-account").touch()
    (tmp_path / "demo-data" / "warehouse.duckdb").write_text("no database")
    done = call(*ours("demo", "--once"), cwd=tmp_path, env=environment())
    assert done.returncode == 1
    assert "warehouse.duckdb cannot be opened" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("held", ["warehouse.duckdb", "published.duckdb", "landing"])
def test_a_real_accounts_data_is_refused(tmp_path: Path, held: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / held).touch()
    done = call(*ours("demo", "--once"), cwd=tmp_path, env=environment(SENDGRID_DATA_DIR="data"))
    assert done.returncode == 1
    assert "SENDGRID_DATA_DIR" in done.stderr
    assert [path.name for path in (tmp_path / "data").iterdir()] == [held]


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = call(*ours("demo", "--once"), cwd=tmp_path, env=environment(SENDGRID_DATA_DIR="file/data"))
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"Error: {tmp_path}/file/data cannot be used (Not a directory): set SENDGRID_DATA_DIR"
    )


def test_a_real_accounts_settings_do_not_leak_in(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        f"SENDGRID_API_KEY=SG.real\nSENDGRID_API_URL=http://127.0.0.1:9\nSENDGRID_WAREHOUSE={tmp_path}/real.duckdb\n"
    )
    done = call(
        *ours("demo", "--once"),
        cwd=tmp_path,
        env=environment(SENDGRID_API_KEY="SG.real", SENDGRID_SCHEMA="real"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "real.duckdb").exists()
    assert _count(tmp_path / "demo-data" / "published.duckdb", "lists") > 0


@pytest.mark.parametrize("option", ["--port", "--receiver-port", "--simulator-port"])
def test_a_port_in_use_names_its_option(tmp_path: Path, option: str) -> None:
    ports = {name: free_port() for name in ("--port", "--receiver-port", "--simulator-port")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports[option] = taken.getsockname()[1]
        done = call(
            *ours("demo", *(f"{name}={port}" for name, port in ports.items())),
            cwd=tmp_path,
            env=environment(),
        )
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: Port {ports[option]} of 127.0.0.1 cannot be had (Address already in use): choose another with"
        f" {option}.\n"
    )
    assert not (tmp_path / "demo-data").exists()
