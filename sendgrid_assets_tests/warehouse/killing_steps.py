"""Publishes and restores that are killed before each of their system calls in turn, and what stands then.

Run as `python -m`, with an empty folder and `publish`, `restore` or `restore-checkpointed`; prints a line of JSON for
each step.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import duckdb

from sendgrid_assets.warehouse import copying
from sendgrid_assets.warehouse.errors import WarehouseUnreadableError
from sendgrid_assets.warehouse.publish import publish
from sendgrid_assets.warehouse.restore import restore

from .conftest import Store, commit, read
from .killing import forked

STEPS: list[tuple[Any, str]] = [
    *((os, name) for name in ("rename", "replace", "link", "unlink", "fsync", "utime", "chmod")),
    (os, "copy_file_range"),
    (fcntl, "ioctl"),
    (duckdb, "connect"),
]


def armed(at: int) -> None:
    """From here on, this process is killed before its `at`-th step."""
    left = iter(range(at, 0, -1))

    def killing(original: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            if next(left) == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **kwargs)

        return step

    for owner, name in STEPS:
        setattr(owner, name, killing(getattr(owner, name)))


def tell(**told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def publish_killed(store: Store, at: int) -> None:
    commit(store, f"{at:03}")
    copying._PIECE = 2 * 1024 * 1024
    armed(at)
    publish(store.warehouse, store.published)


def tell_published(store: Store, killed: bool) -> None:
    tell(
        killed=killed,
        published=read(store.published),
        committed=[id_ for (id_,) in store.query("SELECT id FROM sendgrid.lists ORDER BY id")],
    )


def publishes(folder: Path) -> None:
    store = Store(folder)
    forked(lambda: publish(store.warehouse, store.published))
    for at in count(1):
        killed = forked(lambda at=at: publish_killed(store, at))
        forked(lambda killed=killed: tell_published(store, killed))
        if not killed:
            return


def prepared(store: Store, checkpointed: bool) -> None:
    """A published file with A, and a warehouse with A and, in its log unless that is checkpointed, B."""
    commit(store, "A")
    publish(store.warehouse, store.published)
    commit(store, "B")
    if checkpointed:
        publish(store.warehouse, None)


def restore_killed(store: Store, at: int) -> None:
    copying._PIECE = 2 * 1024 * 1024
    armed(at)
    restore(store.warehouse, store.published, with_log=False, over=True)


def stands(store: Store) -> list[str] | str:
    """What a run would find."""
    try:
        return [id_ for (id_,) in store.query("SELECT id FROM sendgrid.lists ORDER BY id")]
    except WarehouseUnreadableError as error:
        return str(error)


def kept(store: Store, scratch: Path) -> list[list[str]]:
    """What every file that is or was the warehouse holds with its log, looked at in copies."""
    found = []
    for main in store.folder.glob("warehouse.duckdb*"):
        if main.suffix not in (".wal", ".lock", ".published"):
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            for file in (main, main.with_name(main.name + ".wal")):
                if file.exists():
                    shutil.copy(file, scratch)
            with duckdb.connect(scratch / main.name) as connection:
                rows = connection.execute("SELECT id FROM sendgrid.lists ORDER BY id").fetchall()
            found.append([id_ for (id_,) in rows])
    return found


def tell_restored(store: Store, scratch: Path, killed: bool) -> None:
    found = stands(store)
    if killed:
        restore(store.warehouse, store.published, with_log=False, over=True)
    tell(
        killed=killed,
        stands=found,
        stands_then=stands(store),
        kept=kept(store, scratch),
        strays=[path.name for path in store.folder.glob(".*")],
    )


def restores(folder: Path, *, checkpointed: bool) -> None:
    whole = folder / "prepared"
    whole.mkdir()
    forked(lambda: prepared(Store(whole), checkpointed))
    for at in count(1):
        here = folder / str(at)
        shutil.copytree(whole, here, copy_function=shutil.copy2)
        store = Store(here)
        killed = forked(lambda at=at, store=store: restore_killed(store, at))
        forked(lambda store=store, killed=killed: tell_restored(store, folder / "scratch", killed))
        shutil.rmtree(here)
        if not killed:
            return


if __name__ == "__main__":
    if sys.argv[2] == "publish":
        publishes(Path(sys.argv[1]))
    else:
        restores(Path(sys.argv[1]), checkpointed=sys.argv[2] == "restore-checkpointed")
