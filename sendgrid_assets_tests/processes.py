"""Our commands as real processes, for tests."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).parents[1]


def environment(**variables: str) -> dict[str, str]:
    """This environment without anything of ours or Dagster's, and with these variables."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("SENDGRID_", "DAGSTER_"))
    }
    return clean | variables


def ours(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sendgrid_assets.cli", *arguments]


def call(
    *command: str, cwd: Path, env: Mapping[str, str], seconds: float = 120
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=env, text=True, capture_output=True, timeout=seconds, check=False
    )


@contextmanager
def started(*command: str, cwd: Path, env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended with the block, with all it started."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Not ignored, as it is by what `nohup` starts.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(condition: Callable[[], object], what: str, seconds: float = 90) -> None:
    patience = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < patience, f"{what}: not within {seconds} s"
        time.sleep(0.25)


@contextmanager
def descriptors(enough: int) -> Iterator[None]:
    """So many descriptors for this process; the test is skipped where it may not have them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < enough:
        pytest.skip(f"{enough} descriptors are needed, and a process may have {hard} here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, enough), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def processes_that_mention(word: str) -> list[int]:
    """Processes with the word in their command or environment, but for this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                if word.encode() in (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


def page(url: str, profile: Path) -> str:
    """The page as a browser has it after its scripts have run."""
    chromium = shutil.which("chromium")
    assert chromium
    return call(
        *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *(f"--user-data-dir={profile}", "--virtual-time-budget=20000", "--dump-dom", url),
        cwd=profile.parent,
        env=os.environ,
        seconds=90,
    ).stdout
