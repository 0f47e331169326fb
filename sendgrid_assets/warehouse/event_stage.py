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
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from sendgrid_assets.webhook.event_line import Rejected
    from sendgrid_assets.webhook.landing import LandingFile


@dataclass(frozen=True, slots=True)
class Most:
    """How much one portion holds: what is packed or in one large file must not take as much memory as it likes.

    Attributes:
        bytes: of events and rejects.
        events: each takes memory of its own, however short.
        long_bytes: instead of `bytes` where so many come within the rows that DuckDB works on at once, of whose texts
            it holds several copies.
    """

    bytes: int = 256 * 1024 * 1024
    events: int = 600_000
    long_bytes: int = 16 * 1024 * 1024


MOST = Most()
# Rows that DuckDB works on at once.
_VECTOR = 2048

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
    """A portion of a chunk's lines.

    Attributes:
        events: NDJSON of the events alone, in order; `rows` of them, the longest of `longest` bytes.
        runs: NDJSON of {first, f, l}: with event number `first`, from 0, file `f` begins or goes on, at line `l`.
        rejects: NDJSON of {f, l, reason, raw}.
        files: NDJSON of {f, name, size, sha256, received_at, ended}.
        rows: how many events there are.
        longest: bytes of the longest.
        bytes: of events and rejects.
        settled: places in the chunk of the files that end here.
        began_before: the place of a file that other portions have the beginning of, or None.
        goes_on: the place of a file that goes on in the next portion, or None.
        unreadable: places of files that cannot be read, with the reason.
    """

    events: Path
    runs: Path
    rejects: Path
    files: Path
    rows: int
    longest: int
    bytes: int
    settled: list[int]
    began_before: int | None
    goes_on: int | None
    unreadable: list[tuple[int, str]]


def stage(chunk: Sequence[LandingFile], folder: Path, most: Most) -> Iterator[StagedEvents]:
    """Writes what is in the files, each file's own number being its place in the chunk.

    Args:
        chunk: complete files, in the order they count.
        folder: an empty one; each portion is overwritten by the next.
        most: of a portion; it ends before the lines that would be too much, if need be within a file.
    """
    with _Stage(folder) as portion:
        for number, file in enumerate(chunk):
            try:
                reader = FileReader(file)
            except Unreadable as error:
                portion.unreadable.append((number, str(error)))
                continue
            except FileNotFoundError:
                # Another drain took it.
                continue
            with reader:
                for run in reader.runs():
                    if portion.is_full(most, run):
                        portion.note(number, file, reader, ended=False)
                        yield portion.written()
                        portion.begin(number)
                    portion.write(number, run)
                portion.note(number, file, reader, ended=True)
        yield portion.written()


class _Stage:
    """The portion being written; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._paths = [folder / f"{name}.ndjson" for name in ("events", "runs", "rejects", "files")]
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.begin(None)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def begin(self, began_before: int | None) -> None:
        """Begins a portion, perhaps within a file."""
        self._began_before = began_before
        self._goes_on: int | None = None
        self._rows = self._longest = self._next_line = self.bytes = 0
        self._recent_rows = self._recent_bytes = self._dense = 0
        self._settled: list[int] = []
        self.unreadable: list[tuple[int, str]] = []
        self._events, self._runs, self._rejects, self._files = (
            self._stack.enter_context(path.open("wb", buffering=1 << 20)) for path in self._paths
        )

    def is_full(self, most: Most, run: Run | Rejected) -> bool:
        """Whether some more lines would be too much for it."""
        size = len(run.text if isinstance(run, Run) else run.raw)
        is_long = max(self._dense, self._recent_bytes + size) > most.long_bytes
        too_large = self.bytes + size > (most.long_bytes if is_long else most.bytes)
        return self.bytes > 0 and (too_large or self._rows >= most.events)

    def note(self, number: int, file: LandingFile, reader: FileReader, *, ended: bool) -> None:
        """Notes a file, and whether its last line is in this portion."""
        self._next_line = 0
        _put(
            self._files,
            {
                "f": number,
                "name": file.name,
                "size": reader.size,
                "sha256": reader.sha256,
                "received_at": file.received_at.replace(tzinfo=None),
                "ended": ended,
            },
        )
        if ended:
            self._settled.append(number)
        else:
            self._goes_on = number

    def write(self, number: int, run: Run | Rejected) -> None:
        """Writes lines of a file."""
        if not isinstance(run, Run):
            row = {"f": number, "l": run.line, "reason": run.reason, "raw": run.raw}
            self._count(1, _put(self._rejects, row))
            return
        if run.line != self._next_line:
            _put(self._runs, {"first": self._rows, "f": number, "l": run.line})
        self._events.write(run.text)
        self._count(run.count, len(run.text))
        self._rows += run.count
        self._longest = max(self._longest, run.longest)
        self._next_line = run.line + run.count

    def _count(self, rows: int, size: int) -> None:
        self.bytes += size
        self._recent_rows += rows
        self._recent_bytes += size
        if self._recent_rows >= _VECTOR:
            self._dense = max(self._dense, self._recent_bytes * _VECTOR // self._recent_rows)
            self._recent_rows = self._recent_bytes = 0

    def written(self) -> StagedEvents:
        """The portion, closed."""
        self._stack.close()
        events, runs, rejects, files = self._paths
        return StagedEvents(
            events,
            runs,
            rejects,
            files,
            rows=self._rows,
            longest=self._longest,
            bytes=self.bytes,
            settled=self._settled,
            began_before=self._began_before,
            goes_on=self._goes_on,
            unreadable=self.unreadable,
        )


def _put(file: BinaryIO, row: dict[str, object]) -> int:
    return file.write(_encode(row) + b"\n")
