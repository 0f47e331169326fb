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
from typing import TYPE_CHECKING, Any

from sendgrid_assets.webhook.landing import OWN_NAME

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
        first = _first_day(connection, source, progress, today)
        if first is None:
            moved = [
                archive.put_back(other_sizes(connection, source, batch))
                for batch in _batches(_recent(connection, archive))
            ]
        else:
            suspects = (file for day in archive.days() if day >= first for file in archive.files(day))
            moved = [archive.put_back(lacking(connection, archive, batch)) for batch in _batches(suspects)]
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


def lacking(connection: DuckDBPyConnection, archive: Archive, files: Sequence[Archived]) -> list[Archived]:
    """Those files that the source's ledger lacks.

    Names that our receiver gave tell files apart, with the size; others may have come twice, so their bytes do.
    """
    source = archive.landing.source
    absent = other_sizes(connection, source, files)
    told = set(absent)
    doubtful = [file for file in files if file not in told and not OWN_NAME.fullmatch(file.name)]
    digests = [
        {"n": n, "file": doubtful[n].name, "sha256": digest} for n, digest in archive.digests(doubtful)
    ]
    return absent + [doubtful[n] for n in _not_in(connection, source, digests, "sha256", "VARCHAR")]


def other_sizes(connection: DuckDBPyConnection, source: str, files: Sequence[Archived]) -> list[Archived]:
    """Those files whose name the source's ledger lacks with their size."""
    asked = [{"n": n, "file": file.name, "size": file.size} for n, file in enumerate(files)]
    return [files[n] for n in _not_in(connection, source, asked, "size", "BIGINT")]


def _not_in(
    connection: DuckDBPyConnection, source: str, asked: list[dict[str, Any]], column: str, kind: str
) -> list[int]:
    structure = json.dumps([{"n": "BIGINT", "file": "VARCHAR", column: kind}])
    rows = connection.execute(
        f"SELECT DISTINCT n FROM (SELECT unnest(from_json({text(json.dumps(asked))}, {text(structure)}),"
        f" recursive := true)) ANTI JOIN (FROM {LEDGER} WHERE source = {text(source)})"
        f" USING (file, {column}) ORDER BY n"
    ).fetchall()
    return [number for (number,) in rows]


def _first_day(
    connection: DuckDBPyConnection, source: str, progress: Progress, today: dt.date
) -> dt.date | None:
    """From which day on files are compared; None where none but those just loaded need be."""
    seen = progress.seen
    if seen is None or not _still_held(connection, source, seen):
        return dt.date.min
    if not progress.settled or seen.day < today:
        # From the day before: what came shortly before midnight may have grown since.
        return min(seen.day, today) - dt.timedelta(days=1)
    return None


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
