"""Group commit: durable before it is told, many to an fsync, and honest about every failure."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pytest

from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.recovery import recover
from sendgrid_assets.webhook.segment import Broken, NotStored, SegmentWriter

from .recorder import CountingDisk, FailingDisk


@contextmanager
def writing(root: Path, disk: Disk | None = None, **kwargs) -> Iterator[tuple[Landing, SegmentWriter]]:
    landing = Landing(root, "sendgrid", disk)
    landing.prepare()
    writer = SegmentWriter(landing, **kwargs)
    try:
        yield landing, writer
    finally:
        writer.close()


def stored(landing: Landing) -> list[bytes]:
    return [line for file in landing.waiting() for line in file.path.read_bytes().splitlines()]


def tmp(landing: Landing) -> list[Path]:
    return list(landing.tmp.iterdir())


def test_lines_are_in_new_when_the_future_resolves(tmp_path: Path) -> None:
    with writing(tmp_path) as (landing, writer):
        writer.submit([b"1", b"2"]).result(5)
        assert stored(landing) == [b"1", b"2"]
        writer.submit_file(b"raw\nbody").result(5)
        assert [file.path.suffix for file in landing.waiting()] == [".ndjson", ".json"]
        assert tmp(landing) == []


def test_many_submissions_share_an_fsync(tmp_path: Path) -> None:
    disk = CountingDisk()
    with writing(tmp_path, disk) as (landing, writer):
        futures = [writer.submit([b"%d" % number]) for number in range(2_000)]
        for future in futures:
            future.result(10)
    assert sorted(map(int, stored(landing))) == list(range(2_000))
    assert disk.calls["fsync"] < 200


def test_load_makes_few_files_and_rest_none_that_wait(tmp_path: Path) -> None:
    with writing(tmp_path, segment_seconds=0.2) as (landing, writer):
        writer.submit([b"first"]).result(5)
        assert (stored(landing), writer.open_since) == ([b"first"], None)
        ended, count = time.monotonic() + 0.5, 0
        while time.monotonic() < ended:
            writer.submit([b"%d" % count]).result(5)
            count += 1
        eventually(lambda: writer.open_since is None)
        assert sorted(stored(landing)) == sorted([b"first", *(b"%d" % number for number in range(count))])
        assert len(landing.waiting()) <= 4 < count
        assert tmp(landing) == []


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert true()


def test_a_large_segment_is_published_whatever_its_age(tmp_path: Path) -> None:
    with writing(tmp_path, segment_seconds=60, segment_bytes=1000) as (landing, writer):
        for number in range(10):
            writer.submit([b"%d" % number * 300]).result(5)
        eventually(lambda: len(landing.waiting()) == 3)
        assert [file.size for file in landing.waiting()] == [301, 1204, 1204]
        assert writer.open_since is not None
    assert len(stored(landing)) == 10


def test_a_segment_in_tmp_is_durable_before_it_is_told(tmp_path: Path) -> None:
    with writing(tmp_path, segment_seconds=60) as (landing, writer):
        for line in (b"1", b"2", b"3"):
            writer.submit([line]).result(5)
        (path,) = tmp(landing)
        assert (stored(landing), path.read_bytes()) == ([b"1"], b"2\n3\n")
        assert recover(landing) == 0, "its writer lives"
    assert (stored(landing), tmp(landing)) == ([b"1", b"2", b"3"], [])


@pytest.mark.parametrize("seconds", [-3_600, 315_360_000], ids=["back", "ahead"])
def test_a_clock_that_is_set_neither_holds_a_segment_nor_hurries_it(tmp_path: Path, seconds: int) -> None:
    now = time.time()
    clock = iter([now, now + seconds, now + seconds])
    with writing(tmp_path, clock=lambda: next(clock), segment_seconds=0.3) as (landing, writer):
        for line in (b"1", b"2"):
            writer.submit([line]).result(5)
        assert stored(landing) == [b"1"]
        eventually(lambda: stored(landing) == [b"1", b"2"])


def test_a_full_disk_leaves_no_torn_line_in_an_open_segment(tmp_path: Path) -> None:
    disk = FailingDisk("write")
    with writing(tmp_path, disk, segment_seconds=60) as (landing, writer):
        for line in (b"1", b"2"):
            writer.submit([line]).result(5)
        disk.failing = errno.ENOSPC
        for _ in range(3):
            with pytest.raises(NotStored, match="no room"):
                writer.submit([b"torn" * 100]).result(5)
        (path,) = tmp(landing)
        assert path.read_bytes() == b"2\n"
        disk.failing = None
        writer.submit([b"3"]).result(5)
    assert stored(landing) == [b"1", b"2", b"3"]


def test_a_segment_that_cannot_be_published_is_kept_and_stops_the_intake(tmp_path: Path) -> None:
    disk = FailingDisk("link")
    with writing(tmp_path, disk, segment_seconds=1.0) as (landing, writer):
        for line in (b"1", b"2"):
            writer.submit([line]).result(5)
        disk.failing = errno.EACCES
        eventually(lambda: writer.failure is not None)
        with pytest.raises(NotStored, match="Permission denied"):
            writer.submit([b"refused"]).result(5)
        disk.failing = None
        writer.submit([b"3"]).result(5)
        eventually(lambda: writer.open_since is None)
        assert stored(landing) == [b"1", b"2", b"3"]


@pytest.mark.parametrize("cut", [True, False], ids=["fsync", "truncate"])
def test_an_open_segment_that_breaks_is_left_to_recovery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: bool
) -> None:
    disk, told = FailingDisk("fsync" if cut else "write"), threading.Event()
    with writing(tmp_path, disk, segment_seconds=60, on_broken=told.set) as (landing, writer):
        for line in (b"1", b"2"):
            writer.submit([line]).result(5)
        disk.failing = errno.EIO
        with monkeypatch.context() as failing:
            if not cut:
                failing.setattr(os, "ftruncate", truncated)
            with pytest.raises(Broken):
                writer.submit([b"3" * 100]).result(5)
        assert told.is_set()
        assert stored(landing) == [b"1"]
    disk.failing = None
    assert recover(landing) == 1
    assert stored(landing)[:2] == [b"1", b"2"]
    assert set(stored(landing)[2:]) <= {b"3" * 100}


def truncated(descriptor: int, length: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_names_rise_though_the_clock_goes_back(tmp_path: Path) -> None:
    clock = iter([2_000.0, 1_000.0, 5e9, 1.0])
    with writing(tmp_path, clock=lambda: next(clock), segment_seconds=0) as (landing, writer):
        for number in range(4):
            writer.submit([b"%d" % number]).result(5)
        assert stored(landing) == [b"0", b"1", b"2", b"3"]


class SlowFsync(Disk):
    def fsync(self, descriptor: int) -> None:
        time.sleep(0.2)
        super().fsync(descriptor)


def test_nothing_is_told_before_the_fsync(tmp_path: Path) -> None:
    with writing(tmp_path, SlowFsync()) as (_, writer):
        future = writer.submit([b"1"])
        time.sleep(0.1)
        assert not future.done()
        future.result(5)


def test_close_stores_what_was_submitted(tmp_path: Path) -> None:
    with writing(tmp_path, SlowFsync()) as (landing, writer):
        futures = [writer.submit([b"%d" % number]) for number in range(10)]
    assert all(future.done() for future in futures)
    assert len(stored(landing)) == 10


def test_a_failed_fsync_fails_all_and_is_never_tried_again(tmp_path: Path) -> None:
    disk, told = FailingDisk("fsync", failing=None), threading.Event()
    with writing(tmp_path, disk, on_broken=told.set) as (landing, writer):
        disk.failing = errno.EIO
        disk.calls.clear()
        futures: list[Future[None]] = [writer.submit([b"x"]) for _ in range(20)]
        for future in futures:
            with pytest.raises(Broken):
                future.result(5)
        assert told.is_set()
        disk.failing = None
        with pytest.raises(Broken):
            writer.submit([b"y"]).result(5)
        assert disk.calls["fsync"] == 1
        assert stored(landing) == tmp(landing) == []


class NoMemory(Disk):
    def write(self, descriptor: int, data: bytes) -> None:
        raise MemoryError


def test_too_little_memory_fails_those_who_wait(tmp_path: Path) -> None:
    with writing(tmp_path, NoMemory()) as (landing, writer):
        with pytest.raises(NotStored, match="memory"):
            writer.submit([b"1"]).result(5)
        assert tmp(landing) == []


@pytest.mark.parametrize("call", ["write", "link"])
@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "no room"),
        (errno.EDQUOT, "no room"),
        (errno.EFBIG, "no room"),
        (errno.EACCES, "cannot be written: Permission denied"),
        (errno.EMFILE, "cannot be written: Too many open files"),
    ],
)
def test_other_failures_leave_nothing_and_pass(tmp_path: Path, call: str, number: int, told: str) -> None:
    disk = FailingDisk(call)
    with writing(tmp_path, disk) as (landing, writer):
        disk.failing = number
        with pytest.raises(NotStored, match=told):
            writer.submit([b"x" * 100]).result(5)
        assert stored(landing) == tmp(landing) == []
        assert writer.failure
        disk.failing = None
        writer.submit([b"y"]).result(5)
        assert stored(landing) == [b"y"]
        assert writer.failure is None


class TakenForAnOrphan(Disk):
    """Another process starts between a segment's creation and its lock."""

    def __init__(self) -> None:
        self.first = True

    def create(self, path: Path) -> int:
        descriptor = super().create(path)
        if self.first:
            self.first = False
            recover(Landing(path.parents[2], "sendgrid"))
        return descriptor


def test_a_start_beside_us_costs_nothing(tmp_path: Path) -> None:
    with writing(tmp_path, TakenForAnOrphan()) as (landing, writer):
        writer.submit([b"1"]).result(5)
        assert stored(landing) == [b"1"]
        assert tmp(landing) == []
