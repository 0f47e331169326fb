"""What a forked child does, through the same calls that the commands and Dagster make.

Belongs here: one function per piece of work. Does not: forking, tracing, faults.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sendgrid_assets.replay import run as replay_
from sendgrid_assets.settings import load_settings
from sendgrid_assets.warehouse import append
from sendgrid_assets.warehouse.drain import drain as drain_
from sendgrid_assets.warehouse.errors import WarehouseUnreadableError
from sendgrid_assets.warehouse.publish import publish as publish_
from sendgrid_assets.warehouse.restore import restore
from sendgrid_assets.webhook.body import Limits
from sendgrid_assets.webhook.receiver import run

from .plant import Plant

CHUNK_BYTES = 64 * 1024 * 1024


def receive(plant: Plant, public_key: str, port: int, free_bytes: int | None = None) -> None:
    logging.basicConfig(level=logging.WARNING)
    limits = None if free_bytes is None else Limits(free_bytes=free_bytes)
    run(load_settings(plant.environ(public_key)), port=port, limits=limits)


def drain(plant: Plant, chunk_bytes: int = CHUNK_BYTES, checkpointed: bool = False) -> None:
    """A drain; `checkpointed`, with commits as they are of large chunks, into the file and not into the log."""
    if checkpointed:
        append._LARGE, append._LONGEST_LOG = 0, "0KB"
    drain_(plant.warehouse, plant.landing, scratch=plant.scratch, retention_days=30, chunk_bytes=chunk_bytes)


def publish(plant: Plant) -> None:
    publish_(plant.warehouse, plant.published)


def settle(plant: Plant) -> None:
    """A drain and a publish; where the warehouse cannot be opened, what its error says is done first."""
    try:
        drain(plant)
    except WarehouseUnreadableError:
        restore(plant.warehouse, plant.published, with_log=False)
        drain(plant)
    publish(plant)


def drain_and_publish(plant: Plant, chunk_bytes: int = CHUNK_BYTES) -> None:
    """As `settle`, with nothing done about a warehouse that cannot be opened."""
    drain(plant, chunk_bytes)
    publish(plant)


def replay(plant: Plant) -> None:
    """As the command does it: all that is kept is loaded again, then published."""
    replay_(load_settings(plant.environ("")), print)


TASKS: dict[str, Callable[..., Any]] = {
    task.__name__: task for task in (receive, drain, publish, settle, drain_and_publish, replay)
}


def perform(name: str, folder: Path, arguments: dict[str, Any]) -> None:
    TASKS[name](Plant(folder), **arguments)
