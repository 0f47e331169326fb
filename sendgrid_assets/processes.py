"""Processes that live and end together: the receiver, Dagster and, in the demo, the simulated account.

Belongs here: starting them, noticing when one ends, and leaving none behind. Does not: which they are.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

STOP_SECONDS = 15.0
"""How long a process has to end by itself; `dagster dev` once did not."""


class PortTakenError(Exception):
    """A port cannot be had; the text says why, and names the option that chooses another."""


class Group:
    """Processes that end with the block: `with Group() as group: group.start(...)`.

    Each is the leader of a session of its own, so that what it started can be ended with it.
    """

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path
    ) -> None:
        """Starts a process; what it prints goes to `log`."""
        with log.open("ab") as out:
            self._running[name] = subprocess.Popen(
                command,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ended(self, *watched: str) -> tuple[str, int] | None:
        """One of these processes, or of all, that has ended, with its exit status; None while they run."""
        for name in watched or self._running:
            status = self._running[name].poll()
            if status is not None:
                return name, status
        return None

    def drop(self, name: str) -> None:
        """Ends what is left of one that has ended, and forgets it: its number may become another's."""
        _signal(self._running.pop(name).pid, signal.SIGKILL)

    def stop(self) -> None:
        """Ends all: asks first, then kills whatever is left of each session; a second Ctrl-C kills at once."""
        for process in self._running.values():
            _signal(process.pid, signal.SIGINT)
        with suppress(KeyboardInterrupt):
            self._wait()
        for process in self._running.values():
            _signal(process.pid, signal.SIGKILL)
            process.wait()
        self._running.clear()

    def _wait(self) -> None:
        patience = time.monotonic() + STOP_SECONDS
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, patience - time.monotonic()))


def _signal(session: int, number: signal.Signals) -> None:
    # The group outlives its leader while any member runs.
    with suppress(ProcessLookupError):
        os.killpg(session, number)


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Turns SIGINT, SIGTERM and the terminal's end into a KeyboardInterrupt, so that blocks end in order.

    SIGINT too: a process started in the background by a shell would ignore it, and so would all it starts. One started
    to outlive its terminal does.
    """

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    former = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def require_free(host: str, port: int, option: str) -> None:
    """Makes sure that a port can be listened on.

    Raises:
        PortTakenError: it cannot.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]
        raise PortTakenError(
            f"Port {port} of {host} cannot be had ({reason}): choose another with {option}."
        ) from error


def answers(url: str) -> bool:
    """Whether anything answers there."""
    try:
        httpx.get(url, timeout=2)
    except httpx.HTTPError:
        return False
    return True


def this_python(module: str, *arguments: str) -> list[str]:
    """A module run as a program by this Python."""
    return [sys.executable, "-m", module, *arguments]


def this_command(*arguments: str) -> list[str]:
    """`sendgrid-assets` with these arguments."""
    return this_python("sendgrid_assets.cli", *arguments)


def dagster_dev(host: str, port: int, *target: str) -> list[str]:
    """The command that starts Dagster's UI and daemon."""
    return this_python("dagster", "dev", "-h", host, "-p", str(port), *target)
