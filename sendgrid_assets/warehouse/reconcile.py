"""Reconciling: loaded files that the ledger lacks are put back, to be loaded again.

Belongs here: which part of `done/` is compared with the ledger, and the comparison. Does not: moving files
(`webhook.archive`).

A file in `done/` is missing from the ledger only where commits were lost (with a write-ahead log, or by restoring an
older copy), or where it grew after it was loaded. While the ledger still holds what it held at the end of the last
drain, nothing can be lost but by a drain that died since.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from itertools import islice
from typing import TYPE_CHECKING

from .append import LEDGER
from .progress import Seen
from .sql import literal, text
from .sync_log import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from duckdb import DuckDBPyConnection

    from sendgrid_assets.webhook.archive import Archive, Archived

    from .file import Warehouse
    from .progress import Progress

log = logging.getLogger(__name__)

GROWING = dt.timedelta(hours=1)
"""For how long after it was loaded every drain looks whether a file grew; later, that is done once a day."""

_AT_ONCE = 50_000


def reconcile(warehouse: Warehouse, archive: Archive, progress: Progress, today: dt.date) -> tuple[int, bool]:
    """Puts back what is in `done/` but not in the ledger.

    Args:
        warehouse: whose ledger it is.
        archive: one source's loaded files.
        progress: what the last drain left.
        today: today's date, UTC.

    Returns:
        How many files, and whether that is all: one waits where a new file has its name.
    """
    source = archive.landing.source
    with warehouse.open() as connection:
        moved = [
            archive.put_back(lacking(connection, source, batch))
            for batch in _batches(_suspects(connection, archive, progress, today))
        ]
    returned, waiting = (sum(counts) for counts in zip((0, 0), *moved, strict=True))
    if returned:
        log.warning("%d loaded files were not in the ledger and are loaded again", returned)
    return returned, not waiting


def how_far(connection: DuckDBPyConnection, source: str, today: dt.date) -> Seen:
    """How far the source's ledger is, seen today (UTC)."""
    row = connection.execute(
        f"SELECT count(*), max(loaded_at) FROM {LEDGER} WHERE source = {text(source)}"
    ).fetchone()
    files, newest = row or (0, None)
    return Seen(files, newest, today)


def lacking(connection: DuckDBPyConnection, source: str, files: Sequence[Archived]) -> list[Archived]:
    """Those files whose name and size the source's ledger lacks."""
    asked = json.dumps([{"n": n, "file": file.name, "size": file.size} for n, file in enumerate(files)])
    rows = connection.execute(
        "SELECT DISTINCT n FROM (SELECT unnest(from_json("
        f"""{text(asked)}, '[{{"n": "BIGINT", "file": "VARCHAR", "size": "BIGINT"}}]'), recursive := true))"""
        f" ANTI JOIN (FROM {LEDGER} WHERE source = {text(source)}) USING (file, size) ORDER BY n"
    ).fetchall()
    return [files[number] for (number,) in rows]


def _suspects(
    connection: DuckDBPyConnection, archive: Archive, progress: Progress, today: dt.date
) -> Iterator[Archived]:
    seen, source = progress.seen, archive.landing.source
    if seen is None or not _still_held(connection, source, seen):
        first = dt.date.min
    elif not progress.settled or seen.day < today:
        # From the day before: what came shortly before midnight may have grown since.
        first = min(seen.day, today) - dt.timedelta(days=1)
    else:
        yield from _recent(connection, archive)
        return
    for day in archive.days():
        if day >= first:
            yield from archive.files(day)


def _still_held(connection: DuckDBPyConnection, source: str, seen: Seen) -> bool:
    row = connection.execute(
        f"SELECT count(*) FROM {LEDGER} WHERE source = {text(source)} AND loaded_at <= {literal(seen.newest)}"
    ).fetchone()
    return row == (seen.files,)


def _recent(connection: DuckDBPyConnection, archive: Archive) -> Iterator[Archived]:
    """The loose files of the newest two days that bear the name of one just loaded."""
    rows = connection.execute(
        f"SELECT DISTINCT file FROM {LEDGER} WHERE source = {text(archive.landing.source)}"
        f" AND loaded_at > {literal(utc_now() - GROWING)}"
    ).fetchall()
    names = {name for (name,) in rows}
    for day in archive.days()[-2:] if names else ():
        yield from archive.loose(day, names)


def _batches(files: Iterable[Archived]) -> Iterator[list[Archived]]:
    rest = iter(files)
    while batch := list(islice(rest, _AT_ONCE)):
        yield batch
