"""Power loss: every disk that the writer's calls allow is built, recovered, and searched for what was acknowledged.

Un-fsynced bytes may be absent, half there, zeros or whole; entries of a directory that was not fsynced may be
there or not, each for itself. The test must fail for a writer that leaves out an fsync or is early with anything, or
it proves nothing.
"""

from __future__ import annotations

import os
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
        elif call == "truncate":
            content[inodes[path]] = content[inodes[path]][:second]
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


def faults(tmp_path: Path, log: Log, *, untorn: bool = False) -> Iterator[str]:
    """What is wrong with each disk: what was acknowledged is lost, or something made up; else nothing."""
    done = operations(tmp_path / "written", log)
    before = folders("sendgrid", "sendgrid/tmp", "sendgrid/new")
    for number, disk in enumerate(disks(before, done, untorn=lambda _path: untorn)):
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


class Found(RecordingDisk):
    """What dead writers left, and the calls that recover it.

    Args:
        without: the call that pretends, once recovering has begun.
    """

    def __init__(self, without: str = "") -> None:
        super().__init__()
        self._without, self.is_recovering = without, False

    def fsync(self, descriptor: int) -> None:
        if not (self.is_recovering and self._without == "fsync"):
            super().fsync(descriptor)

    def fsync_dir(self, path: Path) -> None:
        if not (self.is_recovering and self._without == "fsync_dir"):
            super().fsync_dir(path)

    def leave(self, path: Path, content: bytes) -> None:
        """A writer's file as it died: all of it on the disk, a torn line too."""
        descriptor = self.create(path)
        self.write(descriptor, content)
        self.fsync(descriptor)
        os.close(descriptor)
        self.fsync_dir(path.parent)
        for line in content.split(b"\n")[:-1]:
            self.acknowledge(line)


def record_recovery(root: Path, disk: Found, monkeypatch: pytest.MonkeyPatch) -> Log:
    """A segment with a torn line, and one that had its other name already, though not durably."""
    landing = Landing(root, "sendgrid", disk)
    landing.prepare()
    disk.log.clear()
    torn, linked = (landing.tmp / f"170000000000{n}-host-1-0123456789abcdef.ndjson" for n in range(2))
    disk.leave(torn, b"\n".join([*LINES[:2], b'{"torn']))
    disk.leave(linked, LINES[2] + b"\n")
    disk.link(linked, landing.new / linked.name)
    truncate = os.ftruncate

    def logged(descriptor: int, size: int) -> None:
        truncate(descriptor, size)
        disk.log.append(("truncate", Path(f"/proc/self/fd/{descriptor}").readlink(), size))

    monkeypatch.setattr(os, "ftruncate", logged)
    disk.is_recovering = True
    recover(landing)
    monkeypatch.undo()
    return disk.log


def test_no_legal_disk_loses_what_is_being_recovered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = record_recovery(tmp_path / "written", Found(), monkeypatch)
    found = list(faults(tmp_path, log, untorn=True))
    assert len(found) > 10
    assert not any(found)


@pytest.mark.parametrize(("without", "fault"), [("fsync", "made up"), ("fsync_dir", "lost")])
def test_a_recovery_without_one_of_its_fsyncs_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without: str, fault: str
) -> None:
    log = record_recovery(tmp_path / "written", Found(without), monkeypatch)
    assert fault in faults(tmp_path, log, untorn=True)
