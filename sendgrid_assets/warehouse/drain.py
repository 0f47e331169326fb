"""Drain: what waits in the landing directory into the event tables, chunk by chunk.

Belongs here: chunks, staging, and the order in which commits and moves happen. Does not: SQL of the rows
(`warehouse.append`), the directory's protocol (`webhook.landing`).
"""

from __future__ import annotations

import datetime as dt
import logging
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from sendgrid_assets.webhook.event_line import Event
from sendgrid_assets.webhook.reader import FileReader, Unreadable

from .append import LEDGER, Appended, FileToLoad, append, is_loaded
from .file import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from duckdb import DuckDBPyConnection

    from sendgrid_assets.webhook.landing import Landing, LandingFile

    from .file import Warehouse

log = logging.getLogger(__name__)

CHUNK_BYTES = 64 * 1024 * 1024
"""Bytes of landing files in one transaction."""

_encode = msgspec.json.encode


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
    with tempfile.TemporaryDirectory(prefix="drain-", dir=scratch) as here:
        events, rejects = Path(here) / "events.ndjson", Path(here) / "rejects.ndjson"
        staged = _stage(landing, chunk, events, rejects, drained)
        if not staged:
            return
        with warehouse.open() as connection:
            new = _not_loaded(connection, landing.source, staged)
            if new:
                drained.add(
                    append(
                        connection,
                        source=landing.source,
                        schema=warehouse.schema_of(landing.source),
                        files=new,
                        events=events,
                        rejects=rejects,
                    )
                )
    drained.files += len(new)
    drained.bytes += sum(file.size for _, file in new)
    # The commit's own entry first: a file in `done/` must never be newer than the ledger.
    sync_folder(warehouse.path.parent)
    today = dt.datetime.now(dt.UTC).date()
    for number, _ in staged:
        landing.finish(chunk[number], today)


def _not_loaded(
    connection: DuckDBPyConnection, source: str, staged: Sequence[tuple[int, FileToLoad]]
) -> list[tuple[int, FileToLoad]]:
    """The files the ledger lacks, each content once: it may have gained some since they were listed."""
    seen: set[tuple[str, int, str]] = set()
    new = []
    for number, file in staged:
        identity = (file.name, file.size, file.sha256)
        if identity not in seen and not is_loaded(connection, source, file):
            seen.add(identity)
            new.append((number, file))
    return new


def _stage(
    landing: Landing, chunk: Sequence[LandingFile], events: Path, rejects: Path, drained: Drained
) -> list[tuple[int, FileToLoad]]:
    """Writes the chunk's lines, each with its file and number; unreadable files are set aside."""
    staged: list[tuple[int, FileToLoad]] = []
    with ExitStack() as stack:
        good = stack.enter_context(events.open("wb", buffering=1 << 20))
        bad = stack.enter_context(rejects.open("wb"))
        for number, file in enumerate(chunk):
            try:
                with FileReader(file) as reader:
                    _write(reader, number, good, bad)
                    staged.append((number, _identity(file, reader)))
            except Unreadable as error:
                log.warning("%s %s: set aside", file.name, error)
                landing.set_aside(file, str(error))
                drained.unreadable += 1
            except FileNotFoundError:
                # Another drain has taken it.
                continue
    return staged


def _write(reader: FileReader, number: int, good: BinaryIO, bad: BinaryIO) -> None:
    opening = b'{"f":%d,"l":' % number
    for line in reader.lines():
        if isinstance(line, Event):
            good.write(b'%b%d,"e":%b}\n' % (opening, line.line, line.json))
        else:
            told = {"f": number, "l": line.line, "reason": line.reason, "raw": line.raw}
            bad.write(_encode(told) + b"\n")


def _identity(file: LandingFile, reader: FileReader) -> FileToLoad:
    return FileToLoad(file.name, reader.size, reader.sha256, file.received_at.replace(tzinfo=None))
