"""One segment as a file: pieces of any size in their order, and all of them or none."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.segment_file import SegmentFile

from .recorder import CountingDisk

LARGE = 1024 * 1024
PIECES = [b"1\n", b"2\n", b"3" * LARGE + b"\n", b"4" * LARGE + b"\n", b"5\n"]


def created(root: Path, disk: Disk) -> tuple[SegmentFile, Landing]:
    landing = Landing(root, "sendgrid", disk)
    landing.prepare()
    return SegmentFile.create(landing, lambda: "1.ndjson"), landing


def text(landing: Landing) -> bytes:
    return (landing.tmp / "1.ndjson").read_bytes()


def test_pieces_stand_in_their_order_after_few_writes(tmp_path: Path) -> None:
    disk = CountingDisk()
    file, landing = created(tmp_path, disk)
    disk.calls.clear()
    for _ in range(3):
        file.append(PIECES)
    file.abandon()
    assert text(landing) == b"".join(PIECES * 3)
    assert file.size == len(text(landing))
    assert disk.calls == {"write": 3 * len(["1 and 2", "3", "4", "5"]), "fsync": 3}


class NoRoomForLarge(Disk):
    """Full before anything large."""

    def write(self, descriptor: int, data: bytes) -> None:
        if len(data) >= LARGE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(descriptor, data)


def test_pieces_are_kept_together_or_not_at_all(tmp_path: Path) -> None:
    file, landing = created(tmp_path, NoRoomForLarge())
    file.append([b"1\n", b"2\n"])
    for _ in range(2):
        with pytest.raises(OSError, match="No space"):
            file.append(PIECES)
        assert text(landing) == b"1\n2\n"
    file.append([b"3\n"])
    file.abandon()
    assert text(landing) == b"1\n2\n3\n"
