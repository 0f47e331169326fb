"""Rows on disk before the warehouse is opened, so that memory stays flat and the lock is held briefly.

Belongs here: NDJSON staging files. Does not: reading them in (`warehouse.upsert`).
"""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


# Longer than any run may last, so that nobody is still writing there.
_LEFTOVER_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows in a file, one JSON object a line.

    Attributes:
        path: the file.
        rows: how many there are.
        largest: bytes of the largest row, or more; None where that is not known.
    """

    path: Path
    rows: int
    largest: int | None = None


def largest_object(path: Path, most: int, largest: int | None = None) -> int:
    """The largest object to expect in an NDJSON file: DuckDB reserves several times as much memory."""
    return min(most, max(largest or path.stat().st_size, 1 << 20))


def remove_leftovers(folder: Path) -> int:
    """Removes what killed runs left in the staging folder more than a day ago, and says how many there were."""
    if not folder.is_dir():
        return 0
    oldest_kept = time.time() - _LEFTOVER_SECONDS
    leftovers = [
        entry for entry in folder.iterdir() if entry.is_dir() and entry.stat().st_mtime < oldest_kept
    ]
    for entry in leftovers:
        shutil.rmtree(entry, ignore_errors=True)
    return len(leftovers)


@contextmanager
def staged(rows: Iterable[bytes], folder: Path) -> Iterator[Staged]:
    """Writes the rows to a file that lives as long as the block.

    Args:
        rows: JSON objects, each on one line; a text may hold several lines.
        folder: where; made if it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sync-", dir=folder) as here:
        path = Path(here) / "rows.ndjson"
        count = largest = 0
        with path.open("wb", buffering=1 << 20) as out:
            for row in rows:
                out.write(row + b"\n")
                count += 1 + row.count(b"\n")
                largest = max(largest, len(row) + 1)
        yield Staged(path, count, largest)
