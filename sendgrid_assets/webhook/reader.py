"""A landing file's lines, as clean events and rejects.

Belongs here: opening, digest, gzip, and where a line ends. Does not: what a line says (`event_line`).
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import stat
import zlib
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Self

from .event_line import MAX_LINE, NOT_AN_OBJECT, Event, Rejected, Run, in_runs, judge, judge_all
from .splitter import split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .landing import LandingFile

MAX_ARRAY = 512 * 1024 * 1024
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20


class Unreadable(Exception):  # noqa: N818
    """A file of which nothing can be read; the text says why."""


class FileReader:
    """Reads one file; a context manager.

    Attributes:
        size: bytes of the file as they stand on disk; no more is read, even if it grows.
        sha256: their digest in hex.
    """

    def __init__(self, file: LandingFile) -> None:
        """Opens the file, takes its digest and proves it whole.

        Raises:
            Unreadable: it is no regular file, damaged gzip, closed to us, or an array too large for memory.
            FileNotFoundError: it is gone.
        """
        self._array = file.name.endswith((".json", ".json.gz"))
        self._descriptor = _open(file)
        try:
            self._packed = os.pread(self._descriptor, 2, 0) == _GZIP
            self.size, self.sha256 = self._digest()
            self._prove()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def runs(self) -> Iterator[Run | Rejected]:
        """The events and rejects in order; in a `.json` file `line` is the number of the element."""
        with self._stream() as stream:
            yield from _elements(stream.read()) if self._array else _lines(stream)

    def lines(self) -> Iterator[Event | Rejected]:
        """The same, one by one."""
        for run in self.runs():
            if isinstance(run, Rejected):
                yield run
            else:
                yield from map(Event, count(run.line), run.text.removesuffix(b"\n").split(b"\n"))

    def _stream(self) -> io.BufferedIOBase:
        raw = io.BufferedReader(_Stretch(self._descriptor, self.size), _CHUNK)
        return io.BufferedReader(gzip.GzipFile(fileobj=raw), _CHUNK) if self._packed else raw

    def _digest(self) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        while chunk := os.pread(self._descriptor, _CHUNK, size):
            digest.update(chunk)
            size += len(chunk)
        return size, digest.hexdigest()

    def _prove(self) -> None:
        held = self.size
        if self._packed:
            try:
                # Reading to the end is what checks gzip's length and checksum.
                with self._stream() as stream:
                    held = sum(map(len, iter(partial(stream.read, _CHUNK), b"")))
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise Unreadable("is damaged gzip") from error
        if self._array and held > MAX_ARRAY:
            raise Unreadable(f"is an array of more than {MAX_ARRAY >> 20} MiB; write it as .ndjson")


class _Stretch(io.RawIOBase):
    """The first so many bytes of an open file, with a position of its own."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor, self._size, self._position = descriptor, size, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        room = memoryview(buffer)[: self._size - self._position]
        count = os.preadv(self._descriptor, [room], self._position) if room else 0
        self._position += count
        return count


def read(file: LandingFile) -> Iterator[Event | Rejected]:
    """The events and rejects of a file.

    Raises:
        Unreadable: before anything was yielded.
    """
    with FileReader(file) as reader:
        yield from reader.lines()


def _open(file: LandingFile) -> int:
    # A pipe put there since the listing must not make us wait.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(file.path, flags)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EACCES, errno.ENXIO):
            raise Unreadable(f"cannot be opened: {error.strerror}") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unreadable("is no regular file")
    return descriptor


def _lines(stream: io.BufferedIOBase) -> Iterator[Run | Rejected]:
    number = 1
    while block := stream.read(_CHUNK):
        if not block.endswith(b"\n"):
            rest = stream.readline(MAX_LINE + 1)
            if len(rest) > MAX_LINE and not rest.endswith(b"\n"):
                _skip_line(stream)
            block += rest
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n")
        lines = block.removesuffix(b"\n").split(b"\n")
        yield from judge_all(number, lines, block)
        number += len(lines)


def _skip_line(stream: io.BufferedIOBase) -> None:
    while (rest := stream.readline(_CHUNK)) and not rest.endswith(b"\n"):
        pass


def _elements(body: bytes) -> Iterator[Run | Rejected]:
    elements = split(body)
    if elements is None:
        elements = [body]
    verdicts = [verdict for number, element in enumerate(elements, 1) if (verdict := judge(number, element))]
    if len(verdicts) == 1 and isinstance(verdicts[0], Rejected) and verdicts[0].reason != NOT_AN_OBJECT:
        yield from _lines_in_disguise(body) or in_runs(verdicts)
    else:
        yield from in_runs(verdicts)


def _lines_in_disguise(body: bytes) -> list[Run | Rejected]:
    """Many programs call files of one event a line `.json`: such a file's first line is an event."""
    verdicts = list(_lines(io.BytesIO(body)))
    return verdicts if verdicts and isinstance(verdicts[0], Run) else []
