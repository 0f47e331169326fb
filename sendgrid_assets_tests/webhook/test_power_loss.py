"""Power loss: every disk that the writer's calls allow is built, recovered, and searched for what was acknowledged.

Un-fsynced bytes may be absent, half there, zeros or whole; entries of a directory that was not fsynced may be
there or not, each for itself. The test must fail for a writer without either fsync, or it proves nothing.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.segment import SegmentWriter, recover

from .recorder import RecordingDisk

LINES = [b'{"n":%d}' % number for number in range(3)]
MORE = b'{"more":1}'
WRITTEN = {*LINES, MORE}


class NoFileFsync(RecordingDisk):
    def fsync(self, descriptor: int) -> None:
        """Pretends."""


class Hasty(Disk):
    """For rebuilt disks, of which only the outcome matters."""

    def fsync(self, descriptor: int) -> None:
        """Pretends."""


class NoDirectoryFsync(RecordingDisk):
    def fsync_dir(self, path: Path) -> None:
        """Pretends."""


def record(root: Path, disk: RecordingDisk) -> list[tuple]:
    landing = Landing(root, "sendgrid", disk)
    landing.prepare()
    disk.log.clear()
    writer = SegmentWriter(landing)
    try:
        for line in LINES:
            writer.submit([line, MORE]).result(5)
            disk.acknowledge(line)
    finally:
        writer.close()
    return disk.log


def crash_states(log: list[tuple]):
    """Every legal disk after these operations, as names and bytes of each inode, with what was acknowledged."""
    content: dict[Path, bytes] = {}
    synced: dict[Path, bool] = {}
    # An inode is known by the path it was created under; entries map names to inodes.
    durable: dict[Path, Path] = {}
    pending: list[tuple[str, Path, Path]] = []
    acknowledged: list[bytes] = []
    for call, first, second in log:
        if call == "create":
            content[first], synced[first] = b"", True
            pending.append(("add", first, first))
        elif call == "write":
            content[first], synced[first] = content[first] + second, False
        elif call == "fsync":
            synced[first] = True
        elif call == "link":
            pending.append(("add", second, first))
        elif call == "unlink":
            pending.append(("remove", first, first))
        elif call == "acknowledge":
            acknowledged.append(first)
        else:
            for change in [change for change in pending if change[1].parent == first]:
                apply(durable, change)
                pending.remove(change)
    for happened in itertools.product((False, True), repeat=len(pending)):
        entries = dict(durable)
        for change, there in zip(pending, happened, strict=True):
            if there:
                apply(entries, change)
        inodes = sorted(set(entries.values()))
        for bodies in itertools.product(*(variants(content[inode], synced[inode]) for inode in inodes)):
            body = dict(zip(inodes, bodies, strict=True))
            yield (
                [([name for name, of in entries.items() if of == inode], body[inode]) for inode in inodes],
                list(acknowledged),
            )


def apply(entries: dict[Path, Path], change: tuple[str, Path, Path]) -> None:
    kind, name, inode = change
    if kind == "add":
        entries[name] = inode
    else:
        entries.pop(name, None)


def variants(content: bytes, synced: bool) -> list[bytes]:
    half = len(content) // 2
    return (
        [content]
        if synced
        else [content, b"", content[:half], bytes(len(content)), content[:half] + bytes(half)]
    )


def losses(tmp_path: Path, disk: RecordingDisk) -> Iterator[set[bytes]]:
    """What each state lost of what was acknowledged."""
    log = record(tmp_path / "written", disk)
    states = (state for length in range(len(log) + 1) for state in crash_states(log[:length]))
    for number, (files, acknowledged) in enumerate(states):
        landing = Landing(tmp_path / "after" / str(number), "sendgrid", Hasty())
        landing.prepare()
        for (first, *others), body in files:
            placed = landing.root / first.parent.name / first.name
            placed.write_bytes(body)
            for name in others:
                os.link(placed, landing.root / name.parent.name / name.name)
        recover(landing)
        found = {line for file in landing.waiting() for line in file.path.read_bytes().split(b"\n")}
        if type(disk) is RecordingDisk:
            assert found <= WRITTEN | {b""}, "something was made up"
        yield set(acknowledged) - found


def test_no_legal_disk_loses_what_was_acknowledged(tmp_path: Path) -> None:
    lost = list(losses(tmp_path, RecordingDisk()))
    assert len(lost) > 300
    assert not any(lost)


@pytest.mark.parametrize("mutant", [NoFileFsync, NoDirectoryFsync])
def test_a_writer_without_either_fsync_is_found_out(tmp_path: Path, mutant: type[RecordingDisk]) -> None:
    assert any(losses(tmp_path, mutant()))
