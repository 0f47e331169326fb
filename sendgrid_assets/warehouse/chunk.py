"""One chunk of landing files into the event tables: staged, then committed with its ledger entries.

Belongs here: that the warehouse is opened only once all is read. Does not: which files make up a chunk and what becomes
of them (`warehouse.drain`), reading them (`warehouse.event_stage`), the commit (`warehouse.append`).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .append import Appended, append
from .event_stage import MOST, Most, stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendgrid_assets.webhook.landing import LandingFile

    from .file import Warehouse


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


def load_chunk(
    warehouse: Warehouse,
    source: str,
    chunk: Sequence[LandingFile],
    scratch: Path,
    *,
    again: bool = False,
    most: Most = MOST,
) -> LoadedChunk:
    """Loads files in one transaction: all of their lines and ledger entries, or nothing.

    What is larger unpacked than a portion takes several: a file is in the ledger only with its last lines, so one
    that was cut short is read anew, and what is there of it stays as it is.

    Args:
        warehouse: where to.
        source: whose events they are.
        chunk: complete files, in the order they count.
        scratch: folder for staging files.
        again: whether to read also what the ledger has, for rows that are gone; it keeps one entry of each.
        most: how much is loaded in one transaction.

    Raises:
        WarehouseBusyError: somebody else holds the warehouse.
    """
    settled: list[int] = []
    unreadable: list[tuple[int, str]] = []
    brought: Appended | None = None
    with tempfile.TemporaryDirectory(prefix="drain-", dir=scratch) as here:
        for staged in stage(chunk, Path(here), most):
            settled += staged.settled
            unreadable += staged.unreadable
            if not staged.settled and staged.goes_on is None:
                continue
            with warehouse.open() as connection:
                appended = append(
                    connection,
                    staged,
                    source=source,
                    schema=warehouse.schema_of(source),
                    again=again,
                    before=brought.unended if brought else (0, 0),
                )
            if appended:
                brought = brought + appended if brought else appended
    return LoadedChunk(
        [chunk[number] for number in settled],
        [(chunk[number], reason) for number, reason in unreadable],
        brought.files if brought else 0,
        brought.bytes if brought else 0,
        brought,
    )
