"""Replay: loaded files are loaded again, for rows that are gone.

Belongs here: which files are read again, in which portions. Does not: the loading (`chunk`), where the files are
(`webhook.archive`).

Rows that are there stay as they are, so a replay of what is all there changes nothing.
"""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sendgrid_assets.webhook.archive import Archive

from .chunk import load_chunk
from .chunking import chunked

if TYPE_CHECKING:
    import datetime as dt

    from sendgrid_assets.webhook.archive import Archived
    from sendgrid_assets.webhook.landing import Landing

    from .file import Warehouse

log = logging.getLogger(__name__)

_BYTES, _FILES = 64 * 1024 * 1024, 5_000


@dataclass(slots=True)
class Replayed:
    """What a replay did.

    Attributes:
        files: files read again.
        events: events in them, however often.
        rows: rows appended: those that were gone.
        rejected: rows new to `rejected_events`.
        unreadable: files that could not be read; they stand as they were.
    """

    files: int = 0
    events: int = 0
    rows: int = 0
    rejected: int = 0
    unreadable: int = 0


def replay(
    warehouse: Warehouse,
    landing: Landing,
    *,
    scratch: Path,
    first: dt.date | None = None,
    last: dt.date | None = None,
) -> Replayed:
    """Loads the files of a range of days in `done/` again.

    Drains go on beside it; only packing and removing loaded files waits.

    Args:
        warehouse: where to.
        landing: one source's part of the landing directory.
        scratch: folder for staging files; made if it is missing.
        first: the first day, UTC, on which they were loaded; None for the oldest.
        last: the last day; None for the newest.

    Raises:
        LandingError: the landing directory cannot be used, or another replay holds `done/`.
        WarehouseBusyError: somebody else holds the warehouse.
    """
    landing.prepare()
    scratch.mkdir(parents=True, exist_ok=True)
    archive, done = Archive(landing), Replayed()
    with landing.kept(warehouse.lock_seconds):
        for day in archive.days():
            if (first or day) <= day <= (last or day):
                done.unreadable += len(archive.damaged(day))
                for portion in chunked(archive.files(day), _BYTES, _FILES):
                    _load(warehouse, archive, portion, scratch, done)
    return done


def _load(
    warehouse: Warehouse, archive: Archive, portion: list[Archived], scratch: Path, done: Replayed
) -> None:
    with tempfile.TemporaryDirectory(prefix="replay-", dir=scratch) as here:
        files = archive.copied(portion, Path(here))
        packed = sum(file.path.parent == Path(here) for file in files)
        loaded = load_chunk(warehouse, archive.landing.source, files, scratch, again=True)
    for file, reason in loaded.unreadable:
        log.warning("%s %s: nothing of it was loaded", file.name, reason)
    done.files += len(loaded.settled)
    # One that is gone went back to be loaded by a drain.
    done.unreadable += len(loaded.unreadable) + sum(file.packed for file in portion) - packed
    if loaded.appended:
        rows = sum(loaded.appended.rows.values())
        done.events += rows + loaded.appended.repeated
        done.rows += rows
        done.rejected += loaded.appended.rejected
