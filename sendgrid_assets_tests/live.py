"""A whole site as its users run it: the receiver and Dagster as processes, with default settings and signed events."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import httpx

from sendgrid_assets.settings import Settings, load_settings
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.traffic import Traffic

from .processes import ROOT, environment, free_port, ours, started, wait_for

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping


@dataclass
class LiveSite:
    """What runs; `webhook` is where to post, `ui` Dagster's address."""

    folder: Path
    settings: Settings
    traffic: Traffic
    webhook: str
    ui: str
    receiver: subprocess.Popen[bytes]
    dagster: subprocess.Popen[bytes]

    def published(self, query: str) -> list[tuple[Any, ...]]:
        """What a reader gets; nothing while there is no published file."""
        assert self.settings.published
        if not self.settings.published.exists():
            return []
        with duckdb.connect(self.settings.published, read_only=True) as connection:
            return connection.execute(query).fetchall()

    def backlog(self) -> tuple[int, int]:
        """Files that wait, those still being written too, and their bytes."""
        files = size = 0
        for name in ("new", "tmp"):
            with (
                suppress(FileNotFoundError),
                os.scandir(self.settings.landing_dir / "sendgrid" / name) as entries,
            ):
                for entry in entries:
                    with suppress(FileNotFoundError):
                        size += entry.stat().st_size
                        files += 1
        return files, size


@contextmanager
def live_site(folder: Path, **variables: str) -> Iterator[LiveSite]:
    """Starts the receiver and `dagster dev`; both end with the block.

    Args:
        folder: an empty one; everything is written there.
        variables: settings other than the defaults.
    """
    traffic = Traffic(Account(contacts=400))
    port = free_port()
    given = {
        "SENDGRID_DATA_DIR": str(folder / "data"),
        "SENDGRID_WEBHOOK_PUBLIC_KEY": traffic.public_key,
        "SENDGRID_RECEIVER_PORT": str(port),
    } | variables
    env = environment(**given, SENDGRID_MARK=str(folder))
    with ExitStack() as stack:
        receiver = stack.enter_context(
            started(*ours("receive"), cwd=folder, env=env, log=folder / "receiver.log")
        )
        dagster, ui = stack.enter_context(dagster_dev(folder, env, "sendgrid_assets.definitions"))
        wait_for(lambda: _answers(f"http://127.0.0.1:{port}/healthz"), "the receiver")
        yield LiveSite(
            folder,
            load_settings(given),
            traffic,
            f"http://127.0.0.1:{port}/webhooks/sendgrid",
            ui,
            receiver,
            dagster,
        )


@contextmanager
def dagster_dev(
    folder: Path, env: Mapping[str, str], module: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`dagster dev` on a module with our `dagster.yaml`, and its UI's address; it ends with the block."""
    shutil.copy(ROOT / "dagster.yaml", folder / "dagster.yaml")
    port = free_port()
    command = (sys.executable, "-m", "dagster", "dev", "-p", str(port), "-m", module)
    with started(*command, cwd=folder, env=env, log=folder / "dagster.log") as dev:
        wait_for(lambda: _answers(f"http://127.0.0.1:{port}/server_info"), "Dagster's UI")
        yield dev, f"http://127.0.0.1:{port}"


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False
