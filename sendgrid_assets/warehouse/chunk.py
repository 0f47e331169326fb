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
from .event_stage import stage

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
    warehouse: Warehouse, source: str, chunk: Sequence[LandingFile], scratch: Path, *, again: bool = False
) -> LoadedChunk:
    """Loads files in one transaction: all of their lines and ledger entries, or nothing.

    Args:
        warehouse: where to.
        source: whose events they are.
        chunk: complete files, in the order they count.
        scratch: folder for staging files.
        again: whether to read also what the ledger has, for rows that are gone; it keeps one entry of each.

    Raises:
        WarehouseBusyError: somebody else holds the warehouse.
    """
    with tempfile.TemporaryDirectory(prefix="drain-", dir=scratch) as here:
        staged = stage(chunk, Path(here))
        appended = None
        if staged.settled:
            with warehouse.open() as connection:
                schema = warehouse.schema_of(source)
                appended = append(connection, staged, source=source, schema=schema, again=again)
    return LoadedChunk(
        [chunk[number] for number in staged.settled],
        [(chunk[number], reason) for number, reason in staged.unreadable],
        appended.files if appended else 0,
        appended.bytes if appended else 0,
        appended,
    )
