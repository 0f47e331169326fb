"""A chunk's landing files on disk, as DuckDB reads them: before the warehouse is opened.

Belongs here: reading files, and writing what is in them aside. Does not: which files make up a chunk
(`warehouse.drain`), reading them in (`warehouse.event_batch`).
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import msgspec

from sendgrid_assets.webhook.event_line import Run
from sendgrid_assets.webhook.reader import FileReader, Unreadable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

    from sendgrid_assets.webhook.landing import LandingFile

_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class FileToLoad:
    """A file's identity in the ledger, and when it came (UTC, without a zone)."""

    name: str
    size: int
    sha256: str
    received_at: dt.datetime


@dataclass(frozen=True, slots=True)
class StagedEvents:
    """A chunk's lines.

    Attributes:
        events: NDJSON of the events alone, in order; `rows` of them, the longest of `longest` bytes.
        runs: NDJSON of {first, f, l}: with event number `first`, from 0, file `f` begins or goes on, at line `l`.
        rejects: NDJSON of {f, l, reason, raw}.
        files: NDJSON of {f, name, size, sha256, received_at}.
        rows: how many events there are.
        longest: bytes of the longest.
        settled: places in the chunk of the files that were read.
        unreadable: places of those that cannot be, with the reason.
        bytes: size of all that were read.
    """

    events: Path
    runs: Path
    rejects: Path
    files: Path
    rows: int
    longest: int
    settled: list[int]
    unreadable: list[tuple[int, str]]
    bytes: int


def stage(chunk: Sequence[LandingFile], folder: Path) -> StagedEvents:
    """Writes what is in the files, each file's own number being its place in the chunk.

    Args:
        chunk: complete files, in the order they count.
        folder: an empty one.
    """
    with _Stage(folder) as stage:
        for number, file in enumerate(chunk):
            stage.add(number, file)
    return stage.written()


class _Stage:
    """The files being written; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._paths = [folder / f"{name}.ndjson" for name in ("events", "runs", "rejects", "files")]
        self._stack = ExitStack()
        self._rows = self._longest = self._bytes = 0
        self._settled: list[int] = []
        self._unreadable: list[tuple[int, str]] = []

    def __enter__(self) -> Self:
        self._events, self._runs, self._rejects, self._files = (
            self._stack.enter_context(path.open("wb", buffering=1 << 20)) for path in self._paths
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, number: int, file: LandingFile) -> None:
        """Writes one file's lines; of an unreadable one nothing, and of one that another drain took."""
        try:
            with FileReader(file) as reader:
                self._write(number, reader)
        except Unreadable as error:
            self._unreadable.append((number, str(error)))
            return
        except FileNotFoundError:
            return
        _put(
            self._files,
            {
                "f": number,
                "name": file.name,
                "size": reader.size,
                "sha256": reader.sha256,
                "received_at": file.received_at.replace(tzinfo=None),
            },
        )
        self._bytes += reader.size
        self._settled.append(number)

    def written(self) -> StagedEvents:
        """What was written, once all is closed."""
        events, runs, rejects, files = self._paths
        return StagedEvents(
            events=events,
            runs=runs,
            rejects=rejects,
            files=files,
            rows=self._rows,
            longest=self._longest,
            settled=self._settled,
            unreadable=self._unreadable,
            bytes=self._bytes,
        )

    def _write(self, number: int, reader: FileReader) -> None:
        expected = 0
        for run in reader.runs():
            if not isinstance(run, Run):
                _put(self._rejects, {"f": number, "l": run.line, "reason": run.reason, "raw": run.raw})
                continue
            if run.line != expected:
                _put(self._runs, {"first": self._rows, "f": number, "l": run.line})
            self._events.write(run.text)
            self._rows += run.count
            self._longest = max(self._longest, run.longest)
            expected = run.line + run.count


def _put(file: BinaryIO, row: dict[str, object]) -> None:
    file.write(_encode(row) + b"\n")
