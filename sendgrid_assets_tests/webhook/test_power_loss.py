"""Power loss: every disk that the writer's calls allow is built, recovered, and searched for what was acknowledged.

Un-fsynced bytes may be absent, half there, zeros or whole; entries of a directory that was not fsynced may be
there or not, each for itself. The test must fail for a writer that leaves out an fsync or is early with anything, or
it proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.recovery import recover
from sendgrid_assets.webhook.segment import SegmentWriter
from sendgrid_assets_tests.faults.power_disks import (
    Body,
    Fsync,
    FsyncFolder,
    Names,
    Operation,
    Told,
    disks,
)

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


def operations(root: Path, log: Log) -> Iterator[Operation]:
    """What the calls do to the disk under a folder."""
    inodes: dict[Path, int] = {}
    content: dict[int, bytes] = {}
    for call, first, second in log:
        path = first.relative_to(root) if isinstance(first, Path) else Path()
        if call == "create":
            inodes[path] = len(content)
            content[inodes[path]] = b""
            yield Body(inodes[path], b"")
            yield Names(((path, inodes[path]),))
        elif call == "write":
            content[inodes[path]] += second
            yield Body(inodes[path], content[inodes[path]])
        elif call == "fsync":
            yield Fsync(inodes[path])
        elif call == "link":
            yield Names(((second.relative_to(root), inodes[path]),))
        elif call == "unlink":
            yield Names(((path, None),))
        elif call == "fsync_dir":
            yield FsyncFolder(path)
        else:
            yield Told(first)


def folders(*names: str) -> Iterator[Operation]:
    """Empty folders, which were there before."""
    for number, name in enumerate(names, 1):
        yield Body(-number, None)
        yield Names(((Path(name), -number),))


def faults(tmp_path: Path, log: Log) -> Iterator[str]:
    """What is wrong with each disk: what was acknowledged is lost, or something made up; else nothing."""
    done = operations(tmp_path / "written", log)
    for number, disk in enumerate(disks(folders("sendgrid", "sendgrid/tmp", "sendgrid/new"), done)):
        root = tmp_path / "after" / str(number)
        disk.build(root)
        landing = Landing(root, "sendgrid", Hasty())
        landing.prepare()
        recover(landing)
        found = {line for file in landing.waiting() for line in file.path.read_bytes().split(b"\n")}
        yield "lost" if set(disk.told) - found else "made up" if found - WRITTEN - {b""} else ""


def test_no_legal_disk_loses_what_was_acknowledged(tmp_path: Path) -> None:
    found = list(faults(tmp_path, record(tmp_path / "written", RecordingDisk())))
    assert len(found) > 50
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
