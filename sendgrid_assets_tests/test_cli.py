"""The command: its help, and errors in one sentence."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from .processes import call, environment, ours


@pytest.mark.parametrize(
    "command", ["", "demo", "up", "receive", "simulate", "restore", "replay", "dbt-sources"]
)
def test_every_command_has_help(tmp_path: Path, command: str) -> None:
    done = call(*ours(*command.split(), "--help"), cwd=tmp_path, env=environment())
    assert done.returncode == 0
    assert "Usage:" in done.stdout


@pytest.mark.parametrize("command", ["receive", "up"])
def test_a_wrong_setting_is_one_sentence(tmp_path: Path, command: str) -> None:
    done = call(*ours(command), cwd=tmp_path, env=environment(SENDGRID_MAX_BODY_BYTES="lots"))
    assert done.returncode == 1
    assert done.stderr.startswith("Error: SENDGRID_MAX_BODY_BYTES: 'lots'")
    assert done.stderr.count("\n") == 1


def test_a_data_directory_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = call(*ours("up"), cwd=tmp_path, env=environment(SENDGRID_DATA_DIR="file/data"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {tmp_path}/file/data cannot be used (Not a directory)")


@pytest.mark.parametrize("command", ["receive", "simulate"])
def test_a_port_in_use_is_one_sentence(tmp_path: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = call(*ours(command, "--port", port), cwd=tmp_path, env=environment())
    assert done.returncode == 1
    assert port in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
