"""The receiver and Dagster together, for a real account.

Belongs here: what is started, and the first sync. Does not: processes (`processes`), the demo (`demo`).
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from .processes import Group, answers, dagster_dev, ending_on_signals, require_free, this_command, this_python
from .warehouse.sync_log import synced

if TYPE_CHECKING:
    from collections.abc import Callable

    from .settings import Settings

HOST = "127.0.0.1"


class UpError(Exception):
    """It cannot run, or a process ended by itself; the text says which and where its log is."""


def run(settings: Settings, say: Callable[[str], object], *, port: int, receiver_port: int | None) -> None:
    """Everything together until Ctrl-C, SIGTERM, or the end of the receiver or Dagster.

    Args:
        settings: what the environment says.
        say: takes each line.
        port: for Dagster's UI.
        receiver_port: for webhooks, instead of the settings' port.

    Raises:
        PortTakenError: a port is in use.
        UpError: the receiver or Dagster ended by itself, or the data directory cannot be used.
    """
    listening = receiver_port or settings.receiver_port
    require_free(HOST, port, "--port")
    require_free(settings.receiver_host, listening, "--receiver-port")
    folder = settings.data_dir.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UpError(
            f"{folder} cannot be used ({error.strerror}): set SENDGRID_DATA_DIR to another folder."
        ) from error
    never_synced = _never_synced(settings)
    with ending_on_signals(), Group() as group:

        def start(name: str, command: list[str]) -> None:
            group.start(name, command, env=os.environ, cwd=Path.cwd(), log=folder / f"{name}.log")

        try:
            start("receiver", this_command("receive", "--port", str(listening)))
            start("dagster", dagster_dev(HOST, port, *_target()))
            say(f"Dagster's UI   http://{HOST}:{port}")
            for source in settings.sources:
                say(f"Receiver       http://{settings.receiver_host}:{listening}/webhooks/{source.name}")
            say(f"File to query  {settings.published}\nLogs are in {folder}. Ctrl-C ends it all.")
            syncing: list[str] = []
            while (ended := group.ended("receiver", "dagster")) is None:
                # Not before Dagster has made its storage: two that make it at once trip over each other.
                if never_synced and answers(f"http://{HOST}:{port}/server_info"):
                    source_name = never_synced.pop(0)
                    say(f"{source_name} is synced for the first time.")
                    syncing.append(f"{source_name}-first-sync")
                    start(syncing[-1], _sync(source_name))
                if syncing and (sync := group.ended(*syncing)):
                    syncing.remove(sync[0])
                    group.drop(sync[0])
                    if sync[1]:
                        say(f"The {sync[0]} failed: see {folder / sync[0]}.log.")
                time.sleep(0.5)
            raise UpError(f"The {ended[0]} ended with status {ended[1]}: see {folder / ended[0]}.log.")
        except KeyboardInterrupt:
            # Its terminal may be gone.
            with suppress(OSError):
                say("\nStopping.")


def _never_synced(settings: Settings) -> list[str]:
    """The sources with a key of which no table was ever synced."""
    try:
        done = synced(settings.warehouse)
    except duckdb.Error:
        # Somebody is at work there; what the schedule then finds, its runs tell.
        return []
    return [source.name for source in settings.sources if source.api_key and source.name not in done]


def _target() -> tuple[str, ...]:
    return () if Path("workspace.yaml").exists() else ("-m", "sendgrid_assets.definitions")


def _sync(source: str) -> list[str]:
    return this_python(
        "dagster", "job", "execute", "-j", f"{source}_sync", "-m", "sendgrid_assets.definitions"
    )
