"""A writer's whole life in a second, for faults to be put into: imported by processes that are killed in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.recovery import recover
from sendgrid_assets.webhook.segment import NotStored, SegmentWriter

LINES = [b'{"n":%d,"of":"%d"}' % (number, number) for number in range(5)]
FILE = b'{"a":1} and more\n'


def session(root: Path, disk: Disk, acknowledge: Callable[[bytes], object]) -> None:
    """A start over what dead writers left, a commit at rest, a shared segment, a file apart, a segment in time, an end.

    What is acknowledged is told at once.
    """
    landing = Landing(root, "sendgrid", disk)
    landing.prepare()
    recover(landing)
    writer = SegmentWriter(landing, segment_seconds=0.05)
    try:
        for number, line in enumerate([*LINES[:3], FILE, *LINES[3:]]):
            if number == 5:
                # Until the open segment has been put into `new/` for its age.
                deadline = time.monotonic() + 2
                while writer.open_since and time.monotonic() < deadline:
                    time.sleep(0.005)
            try:
                (writer.submit_file(line) if line is FILE else writer.submit([line])).result(5)
            except NotStored:
                continue
            acknowledge(line.strip())
    finally:
        writer.close()
