"""A long backlog: how fast and in how much memory it is drained, and whether each of its events is one row.

Belongs here: making it, and counting by SQL, since its keys are too many to hold. Does not: faults; smaller amounts
(`invariant`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb

from sendgrid_assets.warehouse.drain import CHUNK_BYTES
from sendgrid_assets.warehouse.sql import text

from .nursery import Nursery
from .plant import Plant
from .traffic import KINDS, T0

_EVENTS_A_FILE = 90_000
_EVENTS_A_SECOND = 1000
_COUNT = f"""
SELECT count(*) FILTER (found.id IS NULL), count(*) FILTER (sent.id IS NULL), count(*) FILTER (times > 1)
FROM (SELECT 'backlog-' || n AS id, list_value({", ".join(map(text, KINDS))})[n % {len(KINDS)} + 1] AS event
      FROM range($events) r(n)) sent
FULL JOIN (SELECT sg_event_id AS id, event, count(*) AS times FROM sendgrid.activity GROUP BY ALL) found
USING (id, event)
"""


def drained(nursery: Nursery, plant: Plant, gigabytes: float) -> dict[str, Any]:
    """A drain of so many GB of small events, as they came in over time, in files of 16 MB.

    Returns:
        Figures, and under `wrong` what is not as it must be.
    """
    files = events = size = 0
    while size < gigabytes * 1e9:
        data = b"".join(_lines(events, _EVENTS_A_FILE))
        plant.put(f"{files:08}.ndjson", data)
        files, events, size = files + 1, events + _EVENTS_A_FILE, size + len(data)
    begun = time.monotonic()
    child = nursery.start("drain", plant, arguments={"chunk_bytes": CHUNK_BYTES})
    scratch = _scratch_peak(plant.scratch, child.poll)
    took = time.monotonic() - begun
    publishing = nursery.start("publish", plant)
    ends = {"drain": child.wait(), "publish": publishing.wait(3600)}
    wrong = [
        *(f"the {task} ended with {status}" for task, status in ends.items() if status),
        *([f"{len(plant.waiting())} files still wait"] if plant.waiting() else []),
        *(f"{where}: {what}" for where, file in _files(plant).items() for what in _wrong(file, events)),
    ]
    return {
        "GB": round(size / 1e9, 2),
        "files": files,
        "events": events,
        "drain s": round(took, 1),
        "s per GB": round(took / size * 1e9, 1),
        "drain's peak MB": round(child.peak_bytes / 1e6),
        "publish's peak MB": round(publishing.peak_bytes / 1e6),
        "scratch peak MB": round(scratch / 1e6),
        "wrong": wrong,
    }


def _lines(first: int, count: int) -> Iterator[bytes]:
    for number in range(first, first + count):
        yield (
            b'{"sg_event_id":"backlog-%d","event":"%s","timestamp":%d,"email":"reader%d@example.com",'
            b'"url":"https://shop.example/backlog/%d","campaign":"backlog"}\n'
            % (
                number,
                KINDS[number % len(KINDS)].encode(),
                T0 + number // _EVENTS_A_SECOND,
                number % 5000,
                number,
            )
        )


def _files(plant: Plant) -> dict[str, Path]:
    return {"warehouse": plant.warehouse.path, "published file": plant.published}


def _wrong(file: Path, events: int) -> list[str]:
    with duckdb.connect(file, read_only=True) as connection:
        found = connection.execute(_COUNT, {"events": events}).fetchone()
    assert found is not None
    ways = ("lost", "invented", "doubled")
    return [f"{count} {way}" for way, count in zip(ways, found, strict=True) if count]


def _scratch_peak(folder: Path, ended: Callable[[], int | None]) -> int:
    most = 0
    while ended() is None:
        size = 0
        for root, _, names in os.walk(folder):
            for name in names:
                try:
                    size += (Path(root) / name).stat().st_size
                except FileNotFoundError:
                    continue
        most = max(most, size)
        time.sleep(0.05)
    return most
