"""One chunk of landing files into the event tables: staged, then committed with its ledger entries.

Belongs here: reading files into staging, and the one commit. Does not: which files make up a chunk and what becomes of
them (`warehouse.drain`), SQL of the rows (`warehouse.append`).
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from sendgrid_assets.webhook.event_line import Event
from sendgrid_assets.webhook.reader import FileReader, Unreadable

from .append import Appended, FileToLoad, append, is_loaded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

    from sendgrid_assets.webhook.landing import LandingFile

    from .file import Warehouse

_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class LoadedChunk:
    """What became of a chunk's files.

    Attributes:
        settled: files whose every line is committed, by this chunk or before.
        unreadable: files of which nothing can be read, with the reason; nothing of them is committed.
        files: files newly entered in the ledger.
        bytes: their size.
        appended: what they brought; None where nothing was new.
    """

    settled: list[LandingFile]
    unreadable: list[tuple[LandingFile, str]]
    files: int
    bytes: int
    appended: Appended | None


def load_chunk(warehouse: Warehouse, source: str, chunk: Sequence[LandingFile], scratch: Path) -> LoadedChunk:
    """Loads files in one transaction: all of their lines and ledger entries, or nothing.

    Args:
        warehouse: where to.
        source: whose events they are.
        chunk: complete files, in the order they count.
        scratch: folder for staging files.

    Raises:
        WarehouseBusyError: somebody else holds the warehouse.
    """
    with tempfile.TemporaryDirectory(prefix="drain-", dir=scratch) as here:
        events, rejects = Path(here) / "events.ndjson", Path(here) / "rejects.ndjson"
        staged, unreadable = _stage(chunk, events, rejects)
        if not staged:
            return LoadedChunk([], unreadable, 0, 0, None)
        with warehouse.open() as connection:
            new = _not_loaded(connection, source, staged)
            appended = (
                append(
                    connection,
                    source=source,
                    schema=warehouse.schema_of(source),
                    files=new,
                    events=events,
                    rejects=rejects,
                )
                if new
                else None
            )
    return LoadedChunk(
        [chunk[number] for number, _ in staged],
        unreadable,
        len(new),
        sum(file.size for _, file in new),
        appended,
    )


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
    chunk: Sequence[LandingFile], events: Path, rejects: Path
) -> tuple[list[tuple[int, FileToLoad]], list[tuple[LandingFile, str]]]:
    """Writes the chunk's lines, each with its file and number; returns what was read, and what could not be."""
    staged: list[tuple[int, FileToLoad]] = []
    unreadable: list[tuple[LandingFile, str]] = []
    with ExitStack() as stack:
        good = stack.enter_context(events.open("wb", buffering=1 << 20))
        bad = stack.enter_context(rejects.open("wb"))
        for number, file in enumerate(chunk):
            try:
                with FileReader(file) as reader:
                    _write(reader, number, good, bad)
                    staged.append((number, _identity(file, reader)))
            except Unreadable as error:
                unreadable.append((file, str(error)))
            except FileNotFoundError:
                # Another drain has taken it.
                continue
    return staged, unreadable


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
