"""Power loss: every disk that the writer's calls allow is built, recovered, and searched for what was acknowledged.

Un-fsynced bytes may be absent, half there, zeros or whole; entries of a directory that was not fsynced may be
there or not, each for itself. The test must fail for a writer that leaves out an fsync or is early with anything, or
it proves nothing.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.recovery import recover
from sendgrid_assets.webhook.segment import SegmentWriter

from .recorder import RecordingDisk

LINES = [b'{"n":%d}' % number for number in range(7)]
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
    def __init__(self, *folders: str) -> None:
        super().__init__()
        self._folders = folders

    def fsync_dir(self, path: Path) -> None:
        if path.name not in self._folders:
            super().fsync_dir(path)


Log = list[tuple]


def record(root: Path, disk: RecordingDisk) -> Log:
    """One commit that is published at once, and others that share a segment until the end."""
    landing = Landing(root, "sendgrid", disk)
    landing.prepare()
    disk.log.clear()
    writer = SegmentWriter(landing, segment_seconds=60)
    try:
        for line in LINES:
            writer.submit([line, MORE]).result(5)
            disk.acknowledge(line)
    finally:
        writer.close()
    return disk.log


def earlier(call: str, before: str) -> Callable[[Log], Log]:
    """A writer that does one thing, each time, just before another that should come first."""

    def changed(log: Log) -> Log:
        log = list(log)
        for at in [at for at, (made, *_) in enumerate(log) if made == call]:
            first = max((place for place in range(at) if log[place][0] == before), default=at)
            log.insert(first, log.pop(at))
        return log

    return changed


def crash_states(log: list[tuple]):
    """Every legal disk after these operations, as names and bytes of each inode, with what was acknowledged."""
    content: dict[Path, bytes] = {}
    synced: dict[Path, int] = {}
    # An inode is known by the path it was created under; entries map names to inodes.
    durable: dict[Path, Path] = {}
    pending: list[tuple[str, Path, Path]] = []
    acknowledged: list[bytes] = []
    for call, first, second in log:
        if call == "create":
            content[first], synced[first] = b"", 0
            pending.append(("add", first, first))
        elif call == "write":
            content[first] += second
        elif call == "fsync":
            synced[first] = len(content[first])
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


def variants(content: bytes, synced: int) -> list[bytes]:
    kept, loose = content[:synced], content[synced:]
    half = len(loose) // 2
    if not loose:
        return [kept]
    return [kept + tail for tail in (loose, b"", loose[:half], bytes(len(loose)), loose[:half] + bytes(half))]


def faults(tmp_path: Path, log: Log) -> Iterator[str]:
    """What is wrong with each state: what was acknowledged is lost, or something made up; else nothing."""
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
        yield "lost" if set(acknowledged) - found else "made up" if found - WRITTEN - {b""} else ""


def test_no_legal_disk_loses_what_was_acknowledged(tmp_path: Path) -> None:
    found = list(faults(tmp_path, record(tmp_path / "written", RecordingDisk())))
    assert len(found) > 100
    assert not any(found)


@pytest.mark.parametrize(
    "mutant",
    [NoFileFsync(), NoDirectoryFsync("tmp", "new"), NoDirectoryFsync("tmp"), NoDirectoryFsync("new")],
    ids=["file", "both folders", "tmp", "new"],
)
def test_a_writer_without_one_of_its_fsyncs_is_found_out(tmp_path: Path, mutant: RecordingDisk) -> None:
    assert "lost" in faults(tmp_path, record(tmp_path / "written", mutant))


@pytest.mark.parametrize(
    ("call", "before", "fault"),
    [
        ("acknowledge", "fsync", "lost"),
        ("acknowledge", "fsync_dir", "lost"),
        ("unlink", "fsync_dir", "lost"),
        ("link", "fsync", "made up"),
    ],
)
def test_a_writer_that_is_early_is_found_out(tmp_path: Path, call: str, before: str, fault: str) -> None:
    log = earlier(call, before)(record(tmp_path / "written", RecordingDisk()))
    assert fault in faults(tmp_path, log)
