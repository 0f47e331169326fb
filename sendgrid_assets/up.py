"""The receiver and Dagster together, for a real account.

Belongs here: what is started, and the first sync. Does not: processes (`processes`), the demo (`demo`).
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .processes import Group, dagster_dev, ending_on_signals, require_free, this_command, this_python

if TYPE_CHECKING:
    from collections.abc import Callable

    from .settings import Settings

HOST = "127.0.0.1"


class UpError(Exception):
    """A process ended by itself; the text says which and where its log is."""


def run(settings: Settings, say: Callable[[str], object], *, port: int, receiver_port: int | None) -> None:
    """Everything together until Ctrl-C, SIGTERM, or the end of the receiver or Dagster.

    Args:
        settings: what the environment says.
        say: takes each line.
        port: for Dagster's UI.
        receiver_port: for webhooks, instead of the settings' port.

    Raises:
        PortTakenError: a port is in use.
        UpError: the receiver or Dagster ended by itself.
    """
    listening = receiver_port or settings.receiver_port
    require_free(HOST, port, "--port")
    require_free(settings.receiver_host, listening, "--receiver-port")
    folder = settings.data_dir.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with ending_on_signals(), Group() as group:

        def start(name: str, command: list[str]) -> None:
            group.start(name, command, env=os.environ, cwd=Path.cwd(), log=folder / f"{name}.log")

        try:
            start("receiver", this_command("receive", "--port", str(listening)))
            start("dagster", dagster_dev(HOST, port, *_target()))
            for source in settings.sources:
                if source.api_key and not settings.warehouse.exists():
                    start(f"{source.name}-first-sync", _sync(source.name))
                    say(f"{source.name} is synced for the first time.")
            say(f"Dagster's UI   http://{HOST}:{port}")
            for source in settings.sources:
                say(f"Receiver       http://{settings.receiver_host}:{listening}/webhooks/{source.name}")
            say(f"File to query  {settings.published}\nLogs are in {folder}. Ctrl-C ends it all.")
            while (ended := group.ended("receiver", "dagster")) is None:
                time.sleep(0.5)
            raise UpError(f"The {ended[0]} ended with status {ended[1]}: see {folder / ended[0]}.log.")
        except KeyboardInterrupt:
            say("\nStopping.")


def _target() -> tuple[str, ...]:
    return () if Path("workspace.yaml").exists() else ("-m", "sendgrid_assets.definitions")


def _sync(source: str) -> list[str]:
    return this_python(
        "dagster", "job", "execute", "-j", f"{source}_sync", "-m", "sendgrid_assets.definitions"
    )
