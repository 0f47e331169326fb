"""A trial: files loaded by a process of its own, to see whether it outlives them.

Belongs here: starting that process, what it does, and what its end means. Does not: what becomes of the files
(`quarantine`).
"""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sendgrid_assets.webhook.landing import LandingFile

from .append import Appended  # noqa: TC001 - msgspec reads the annotations
from .chunk import load_chunk
from .file import Warehouse
from .schema import SourceSchema  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SECONDS = 120.0
"""How long a trial may take, and a second for each megabyte: many times what a load takes."""

_PR_SET_PDEATHSIG = 1

log = logging.getLogger(__name__)


class Brought(msgspec.Struct, frozen=True):
    """What a trial loaded: files and bytes newly in the ledger, and rows; nothing where it reported an error."""

    files: int = 0
    bytes: int = 0
    appended: Appended | None = None


class _Asked(msgspec.Struct, frozen=True):
    warehouse: str
    schemas: tuple[SourceSchema, ...]
    source: str
    files: list[tuple[str, str, int, float]]
    scratch: str
    parent: int


class _Held(Warehouse):
    """The warehouse, whose turn the process that started this one keeps."""

    __slots__ = ()

    @contextmanager
    def turn(self) -> Iterator[None]:
        yield


def tried(
    warehouse: Warehouse, source: str, files: Sequence[LandingFile], scratch: Path, seconds: float = SECONDS
) -> Brought | None:
    """Loads files in a process of its own, all or none of them.

    Args:
        warehouse: where to.
        source: whose events they are.
        files: complete files; none, to see whether the warehouse opens.
        scratch: folder for staging files.
        seconds: the process's time, for files of no size.

    Returns:
        What it brought; None where it was ended by a signal, or had to be for its time was up.

    Raises:
        WarehouseBusyError: somebody else holds the warehouse.
    """
    limit = seconds + sum(file.size for file in files) / 1e6
    asked = _Asked(
        str(warehouse.path),
        warehouse.schemas,
        source,
        [(str(file.path), file.name, file.size, file.mtime) for file in files],
        str(scratch),
        os.getpid(),
    )
    with warehouse.turn():
        try:
            done = subprocess.run(
                [sys.executable, "-m", "sendgrid_assets.warehouse.trial"],
                input=msgspec.json.encode(asked),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            log.warning("A trial of %d files was ended after %.0f s", len(files), limit)
            return None
    if done.returncode < 0:
        return None
    return msgspec.json.decode(done.stdout, type=Brought) if done.returncode == 0 else Brought()


def main() -> None:
    """Loads what standard input asks for, and tells on standard output what that brought."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=_Asked)
    _end_with(asked.parent)
    files = [LandingFile(Path(path), name, size, mtime) for path, name, size, mtime in asked.files]
    warehouse = _Held(Path(asked.warehouse), asked.schemas)
    with warehouse.open():
        pass
    loaded = load_chunk(warehouse, asked.source, files, Path(asked.scratch))
    sys.stdout.buffer.write(msgspec.json.encode(Brought(loaded.files, loaded.bytes, loaded.appended)))


def _end_with(parent: int) -> None:
    """The turn ends with the process that keeps it, so this one must too."""
    with suppress(AttributeError):
        # Linux only; elsewhere DuckDB's own lock keeps others out for as long as this one lives.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    main()
