"""Drain: what waits in the landing directory into the event tables, chunk by chunk.

Belongs here: which files make up a chunk, and the order in which commits and moves happen. Does not: loading a chunk
(`warehouse.chunk`), the directory's protocol (`webhook.landing`), what a dead process was at (`warehouse.quarantine`).
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sendgrid_assets.webhook.archive import Archive
from sendgrid_assets.webhook.landing import LandingError
from sendgrid_assets.webhook.packing import pack_days
from sendgrid_assets.webhook.retention import sweep

from . import spacing
from .chunk import load_chunk
from .chunking import chunked
from .file import sync_folder
from .halving import load_halved
from .progress import ProgressFile
from .quarantine import sorted_out, suspects
from .reconcile import how_far, lacking, reconcile
from .rejected_file import PROCESS_ENDED, reject_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from sendgrid_assets.webhook.archive import Archived
    from sendgrid_assets.webhook.landing import Landing, LandingFile

    from .append import Appended
    from .chunk import LoadedChunk
    from .file import Warehouse
    from .trial import Brought

log = logging.getLogger(__name__)

CHUNK_BYTES = 256 * 1024 * 1024
"""Bytes of landing files in one transaction: each rewrites the tables' last row groups, so few are faster."""

CHUNK_FILES = 5_000
"""Landing files in one transaction."""

LONG_SECONDS = 2.0
"""Loading that took longer is followed by another look: what came meanwhile would wait for a whole interval."""

MOST_LOOKS = 2
"""Looks at `new/` in one drain: after the second little is left, and publishing waits for the end."""

PACK_SECONDS = 2.0
"""How long a drain goes on packing loaded files of past days."""


@dataclass(slots=True)
class Drained:
    """What a drain did.

    Attributes:
        rows: rows appended to each table that got any.
        files: files loaded.
        bytes: their size.
        duplicates: rows marked as copies under another id.
        repeated: events that were there already.
        rejected: rows new to `rejected_events`.
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
    retention_bytes: int | None = None,
    is_published: bool = True,
    chunk_bytes: int = CHUNK_BYTES,
    pack_seconds: float = PACK_SECONDS,
    look: Callable[[DuckDBPyConnection, Drained], None] | None = None,
) -> Drained:
    """Loads every complete file; then packs loaded ones of past days, and removes those past their retention.

    What comes while loading takes long is loaded too.

    Args:
        warehouse: where to.
        landing: one source's part of the landing directory.
        scratch: folder for staging files; made if it is missing.
        retention_days: how long loaded files are kept.
        retention_bytes: how much of them is kept, on disk; None for all.
        is_published: whether the warehouse is published, so that what no published file holds yet is kept.
        chunk_bytes: bytes of files in one transaction; a larger file is one of its own.
        pack_seconds: when no further pack is begun.
        look: called once all is loaded, with the open warehouse and what was done: opening it anew would replay what
            was just committed.

    Raises:
        LandingError: the landing directory cannot be used, or another drain has been at it for too long.
        WarehouseBusyError: somebody else holds the warehouse; the files wait.
    """
    landing.prepare()
    scratch.mkdir(parents=True, exist_ok=True)
    with landing.turn(warehouse.lock_seconds):
        one = _Drain(warehouse, landing, scratch)
        one.load(chunk_bytes, look)
        before = _last_published(warehouse) if is_published else dt.date.max
        one.tidy(pack_seconds, retention_days, retention_bytes, before)
        return one.done


class _Drain:
    """One drain, by who has the landing directory's turn."""

    def __init__(self, warehouse: Warehouse, landing: Landing, scratch: Path) -> None:
        self._warehouse, self._landing, self._scratch = warehouse, landing, scratch
        self._archive = Archive(landing)
        self._progress = ProgressFile(landing)
        self._today = _today()
        self.done = Drained()

    def load(self, chunk_bytes: int, look: Callable[[DuckDBPyConnection, Drained], None] | None) -> None:
        """Loads what is complete, and notes how far the ledger is."""
        self._archive.clear_strays()
        self._landing.clear_reasons()
        try:
            self.done.returned, is_all = reconcile(
                self._warehouse, self._archive, self._progress.says, self._today
            )
            self._sort_out()
            for _ in range(MOST_LOOKS):
                begun = time.monotonic()
                for chunk in chunked(self._landing.in_order(), chunk_bytes, CHUNK_FILES):
                    self._progress.begin(chunk)
                    self._load(chunk)
                if time.monotonic() - begun <= LONG_SECONDS:
                    break
        except BaseException:
            self._progress.fail()
            raise
        with self._warehouse.open() as connection:
            if is_all:
                self._progress.end(how_far(connection, self._landing.source, self._today))
            else:
                self._progress.fail()
            if look:
                look(connection, self.done)

    def _sort_out(self) -> None:
        files = suspects(self._landing, self._progress.says)
        if not files:
            return
        for group, brought in sorted_out(self._warehouse, self._landing.source, files, self._scratch):
            if brought is None:
                self._reject(group[0], PROCESS_ENDED)
            else:
                self._count(brought)
                # The ledger has them, or what is wrong is told here.
                self._load(group)

    def _load(self, chunk: Sequence[LandingFile]) -> None:
        for file, reason in load_halved(chunk, self._load_whole):
            self._reject(file, reason)

    def _load_whole(self, chunk: Sequence[LandingFile]) -> None:
        loaded = load_chunk(self._warehouse, self._landing.source, chunk, self._scratch)
        for file, reason in loaded.unreadable:
            self._reject(file, reason)
        self._count(loaded)
        if loaded.settled:
            # The commit's own entry first: a file in `done/` must never be newer than the ledger.
            sync_folder(self._warehouse.path.parent)
            self._landing.finish(loaded.settled, _today())

    def _count(self, loaded: LoadedChunk | Brought) -> None:
        self.done.files += loaded.files
        self.done.bytes += loaded.bytes
        if loaded.appended:
            self.done.add(loaded.appended)

    def _reject(self, file: LandingFile, reason: str) -> None:
        log.warning("%s %s: set aside", file.name, reason)
        self.done.rejected += reject_file(self._warehouse, self._landing.source, file, reason)
        self.done.unreadable += 1
        sync_folder(self._warehouse.path.parent)
        self._landing.set_aside(file, reason)

    def tidy(
        self, pack_seconds: float, retention_days: int, retention_bytes: int | None, before: dt.date
    ) -> None:
        """Packs loaded files of past days, and removes those past their retention of days before one."""
        try:
            with self._landing.kept(0):
                sweep(
                    self._archive,
                    days=retention_days,
                    most_bytes=retention_bytes,
                    before=before,
                    today=self._today,
                    missing=self._missing,
                )
                pack_days(self._archive, before=self._today, seconds=pack_seconds)
        except LandingError:
            log.info(
                "%s is being replayed: a later drain packs it and removes what is past its time",
                self._landing.done,
            )
        except OSError as error:
            # What was loaded is loaded; the next drain tidies.
            log.warning("%s could not be tidied: %s", self._landing.done, error.strerror)

    def _missing(self, files: Sequence[Archived]) -> list[Archived]:
        with self._warehouse.open() as connection:
            return lacking(connection, self._archive, files)


def _last_published(warehouse: Warehouse) -> dt.date:
    """The day of the last publish; of one that is not known of nothing can be said to be published."""
    last = spacing.last_at(warehouse)
    return last.date() if last else dt.date.min


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
