"""Drains that are killed: a process that forks a drain, kills it, and tells what stands in the warehouse.

Run as `python -m`, with a folder and a plan, a list of rounds: a failpoint's number; null, to let the drain end; or
after which share of the time that one took to kill.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from sendgrid_assets_tests.faults import failpoints

from .conftest import T0, Store, event

FILES, EVENTS = 3, 40

# Where it is killed: before or after a call, by its name and how many of that name there were before.
POINTS: list[tuple[str, int, str]] = [
    ("INSERT", 1, "after"),
    ("INSERT", 2, "after"),
    ("COMMIT", 1, "before"),
    ("COMMIT", 1, "after"),
    ("link", 1, "after"),
    ("unlink", 1, "after"),
    ("unlink", 2, "after"),
    ("fsync", 1, "after"),
    ("COMMIT", 2, "before"),
]


def land(store: Store, round_: int) -> None:
    """Three files; the last event of each comes again in the next."""
    sent = [
        event(f"{round_}-{n}", "open" if n % 2 else "click", timestamp=T0 + n)
        for n in range(FILES * EVENTS + 1)
    ]
    for number in range(FILES):
        lines = sent[number * EVENTS : (number + 1) * EVENTS + 1]
        store.land(*lines, "torn", name=f"{round_:03}-{number}.ndjson")


def opened(store: Store) -> duckdb.DuckDBPyConnection:
    """The warehouse, once a killed drain's own child has let go of it."""
    until = time.monotonic() + 10
    while True:
        try:
            return duckdb.connect(store.warehouse.path, read_only=True)
        except duckdb.IOException:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def state(store: Store) -> dict[str, Any]:
    """What stands in the warehouse, and which files wait."""
    with opened(store) as connection:
        return {
            "rows": connection.execute(
                "SELECT source_file, count(*) FROM sendgrid.activity GROUP BY ALL"
            ).fetchall(),
            "ledger": connection.execute("SELECT file FROM _sendgrid_assets.loaded_files").fetchall(),
            "waiting": store.waiting(),
        }


def forked(work: Callable[[], Any], kill_after: float | None = None) -> bool:
    """Runs the work in a process of its own; whether that was killed."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(1)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    if status not in (0, signal.SIGKILL):
        raise SystemExit("A drain failed otherwise than by being killed.")
    return status == signal.SIGKILL


def with_failpoint(store: Store, point: tuple[str, int, str]) -> None:
    only, at, when = point
    failpoints.arm(at, mark=store.folder / "struck", when=when, only=only)
    store.drain(chunk_bytes=1)


def tell(store: Store) -> None:
    sys.stdout.write(json.dumps(state(store)) + "\n")
    sys.stdout.flush()


def main() -> None:
    store, plan = Store(Path(sys.argv[1])), json.loads(sys.argv[2])
    whole = 0.0
    for round_, entry in enumerate(plan):
        land(store, round_)
        if isinstance(entry, int):
            killed = forked(lambda entry=entry: with_failpoint(store, POINTS[entry]))
        else:
            begun = time.monotonic()
            killed = forked(lambda: store.drain(chunk_bytes=1), None if entry is None else entry * whole)
            whole = whole or time.monotonic() - begun
        sys.stdout.write(json.dumps(killed) + "\n")
        sys.stdout.flush()
        forked(lambda: tell(store))
    forked(store.drain)


if __name__ == "__main__":
    main()
