"""Drain: what waits in the landing directory into the event tables, chunk by chunk.

Belongs here: which files make up a chunk, and the order in which commits and moves happen. Does not: loading a chunk
(`warehouse.chunk`), the directory's protocol (`webhook.landing`).
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .append import LEDGER
from .chunk import load_chunk
from .file import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sendgrid_assets.webhook.landing import Landing, LandingFile

    from .append import Appended
    from .file import Warehouse

log = logging.getLogger(__name__)

CHUNK_BYTES = 64 * 1024 * 1024
"""Bytes of landing files in one transaction."""


@dataclass(slots=True)
class Drained:
    """What a drain did.

    Attributes:
        rows: rows appended to each table that got any.
        files: files loaded.
        bytes: their size.
        duplicates: rows marked as copies under another id.
        repeated: events that were there already.
        rejected: lines new to `rejected_events`.
        unreadable: files set aside whole.
        returned: files put back from `done/`, because the ledger lacked them.
    """

    rows: Counter[str] = field(default_factory=Counter)
    files: int = 0
    bytes: int = 0
    duplicates: int = 0
    repeated: int = 0
    rejected: int = 0
    unreadable: int = 0
    returned: int = 0

    def add(self, appended: Appended) -> None:
        """Counts a chunk in."""
        self.rows.update(appended.rows)
        self.duplicates += appended.duplicates
        self.repeated += appended.repeated
        self.rejected += appended.rejected


def drain(
    warehouse: Warehouse,
    landing: Landing,
    *,
    scratch: Path,
    retention_days: int,
    chunk_bytes: int = CHUNK_BYTES,
) -> Drained:
    """Loads every complete file, then removes loaded ones older than the retention.

    Args:
        warehouse: where to.
        landing: one source's part of the landing directory.
        scratch: folder for staging files; made if it is missing.
        retention_days: how long loaded files are kept.
        chunk_bytes: bytes of files in one transaction; a larger file is one of its own.

    Raises:
        LandingError: the landing directory cannot be used.
        WarehouseBusyError: somebody else holds the warehouse; the files wait.
    """
    landing.prepare()
    scratch.mkdir(parents=True, exist_ok=True)
    drained = Drained()
    drained.returned = _reconcile(warehouse, landing, retention_days)
    for chunk in _chunks(landing.waiting(), chunk_bytes):
        _load(warehouse, landing, chunk, scratch, drained)
    landing.sweep(retention_days)
    return drained


def _reconcile(warehouse: Warehouse, landing: Landing, retention_days: int) -> int:
    """Puts back what is in `done/` but not in the ledger: heals a write-ahead log that was lost."""
    with warehouse.open() as connection:
        rows = connection.execute(
            f"SELECT file, size FROM {LEDGER} WHERE source = ?", [landing.source]
        ).fetchall()
    entered = set(rows)
    returned = landing.reconcile(lambda name, size: (name, size) in entered, retention_days)
    if returned:
        log.warning("%d loaded files were not in the ledger and are loaded again", returned)
    return returned


def _chunks(files: Sequence[LandingFile], most: int) -> Iterator[list[LandingFile]]:
    chunk: list[LandingFile] = []
    size = 0
    for file in files:
        if chunk and size + file.size > most:
            yield chunk
            chunk, size = [], 0
        chunk.append(file)
        size += file.size
    if chunk:
        yield chunk


def _load(
    warehouse: Warehouse, landing: Landing, chunk: Sequence[LandingFile], scratch: Path, drained: Drained
) -> None:
    loaded = load_chunk(warehouse, landing.source, chunk, scratch)
    for file, reason in loaded.unreadable:
        log.warning("%s %s: set aside", file.name, reason)
        landing.set_aside(file, reason)
        drained.unreadable += 1
    drained.files += loaded.files
    drained.bytes += loaded.bytes
    if loaded.appended:
        drained.add(loaded.appended)
    if not loaded.settled:
        return
    # The commit's own entry first: a file in `done/` must never be newer than the ledger.
    sync_folder(warehouse.path.parent)
    today = dt.datetime.now(dt.UTC).date()
    for file in loaded.settled:
        landing.finish(file, today)
