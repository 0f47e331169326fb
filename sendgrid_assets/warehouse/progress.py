"""What a drain leaves for the next one, in a small file of the landing directory: outside DuckDB, and durable.

Belongs here: what it says, and keeping it. Does not: what follows from it (`quarantine`, `reconcile`).

Before a chunk is read the file names it, so that a process that dies over it leaves word. When a drain ends well, it
says how far the ledger was then, so that the next need not compare all of `done/` with it.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the annotations
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendgrid_assets.webhook.landing import Landing, LandingFile

log = logging.getLogger(__name__)

_NAME = ".drain.json"


class Seen(msgspec.Struct, frozen=True):
    """How far the ledger was when all of `done/` was in it.

    Attributes:
        files: the source's entries.
        newest: the latest `loaded_at` of these, UTC without a zone; None where there are none.
        day: when that was, UTC.
    """

    files: int
    newest: dt.datetime | None
    day: dt.date


class Progress(msgspec.Struct, frozen=True):
    """What the file says.

    Attributes:
        seen: how far the ledger was; None where that is not known.
        settled: whether no file was moved to `done/` since.
        attempt: names and sizes in bytes of the files that were being loaded; None where none were.
    """

    seen: Seen | None = None
    settled: bool = False
    attempt: list[tuple[str, int]] | None = None


class ProgressFile:
    """The file, and what it says; to be used only by who has the landing directory's turn."""

    def __init__(self, landing: Landing) -> None:
        self._disk, self._path = landing.disk, landing.root / _NAME
        self.says = self._read()

    def begin(self, files: Sequence[LandingFile]) -> None:
        """Notes the files that are loaded now."""
        self._write(Progress(self.says.seen, False, [(file.name, file.size) for file in files]))

    def fail(self) -> None:
        """Notes that no process died over an attempt, but that not all of `done/` need be in the ledger."""
        if self.says.attempt:
            self._write(Progress(self.says.seen, False, None))

    def end(self, seen: Seen) -> None:
        """Notes that all of `done/` is in the ledger, and how far that is."""
        if self.says != (ended := Progress(seen, True, None)):
            self._write(ended)

    def _read(self) -> Progress:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Progress)
        except (FileNotFoundError, msgspec.DecodeError):
            return Progress()

    def _write(self, progress: Progress) -> None:
        self.says = progress
        aside = self._path.with_name(f"{_NAME}.part")
        try:
            aside.unlink(missing_ok=True)
            descriptor = self._disk.create(aside)
            try:
                self._disk.write(descriptor, msgspec.json.encode(progress))
                self._disk.fsync(descriptor)
            finally:
                os.close(descriptor)
            self._disk.rename(aside, self._path)
            self._disk.fsync_dir(self._path.parent)
        except OSError as error:
            # Events are not to wait for it; without the file, the next drain compares all.
            log.warning("%s cannot be written (%s).", self._path, error.strerror)
            for path in (aside, self._path):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
