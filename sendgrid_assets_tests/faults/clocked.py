"""A receiver, and drains and publishes, under a clock that is set while they run.

Belongs here: both means of setting it, and what runs under it. Does not: what must hold (`test_clock`).

`faketime` sets it for Python and for native code alike. Where that is not installed the clock is given: the functions
that ask for the time answer with the one that is set.

Run as `python -m`, it receives or, told a line at a time, drains and publishes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .plant import Plant

FAKETIME = shutil.which("faketime")
MEANS = "faketime" if FAKETIME else "given"
"""How a process gets another clock: all of it, or what the code is given."""

ROOT = Path(__file__).parents[2]


class Clock:
    """A clock for processes that are started under it; `set` reaches those that run too."""

    def __init__(self, folder: Path, means: str) -> None:
        self._file, self._means = folder / "clock", means
        self.set(0)

    def set(self, seconds: int) -> None:
        """To so many seconds from the true time."""
        aside = self._file.with_suffix(".new")
        aside.write_text(f"{seconds:+d}s\n" if self._means == "faketime" else str(seconds))
        aside.replace(self._file)

    @contextmanager
    def started(self, plant: Plant, what: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
        """`receive` or `drains` in a process of its own, which is ended with the block."""
        command, given = [sys.executable, "-m", __name__, str(plant.folder), what], {"CLOCK": str(self._file)}
        if self._means == "faketime":
            given = {
                "LD_PRELOAD": _library(),
                "FAKETIME_TIMESTAMP_FILE": str(self._file),
                "FAKETIME_NO_CACHE": "1",
                # Whoever sets a clock leaves the one that only ever grows as it is.
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1",
            }
        with (
            plant.log.open("ab") as log,
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=dict(os.environ) | given | environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            ) as running,
        ):
            try:
                yield running
            finally:
                if running.poll() is None:
                    running.kill()


def _library() -> str:
    """What the command has loaded into the process it starts; that would be its child, and get no signal."""
    asked = [str(FAKETIME), "-f", "+0", "printenv", "LD_PRELOAD"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def give(file: Path) -> None:
    """From here on, this process is told the time that the file sets."""
    true = time.time
    time.time = lambda: true() + int(file.read_text())

    # Imported now, so that what takes the clock as a default takes this one.
    import datetime as dt

    from sendgrid_assets.warehouse import append, drain, publish, reconcile

    def now() -> dt.datetime:
        return dt.datetime.fromtimestamp(time.time(), dt.UTC)

    drain._today = lambda: now().date()
    for module in (append, publish, reconcile):
        module.utc_now = lambda: now().replace(tzinfo=None)  # type: ignore[attr-defined]


def main(folder: str, what: str) -> None:
    if "CLOCK" in os.environ:
        give(Path(os.environ["CLOCK"]))
    from .tasks import drain_and_publish, receive

    plant = Plant(Path(folder))
    if what == "receive":
        receive(plant, os.environ["PUBLIC_KEY"], int(os.environ["PORT"]))
        return
    for _ in sys.stdin:
        drain_and_publish(plant)
        sys.stdout.write(f"{time.time()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
