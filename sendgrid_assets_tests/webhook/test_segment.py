"""Group commit: durable before it is told, many to an fsync, and honest about every failure."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pytest

from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.segment import Broken, NotStored, SegmentWriter, recover

from .recorder import CountingDisk, FailingDisk

NAME = "1700000000000-host-1-0123456789abcdef.ndjson"


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


def test_names_rise_though_the_clock_goes_back(tmp_path: Path) -> None:
    clock = iter([2_000.0, 1_000.0, 5e9, 1.0])
    with writing(tmp_path, clock=lambda: next(clock)) as (landing, writer):
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


def test_recovery_publishes_whole_lines_and_drops_torn_tails(landing: Landing) -> None:
    contents = {b"{}\n{}\n": b"{}\n{}\n", b'{}\n{"torn': b"{}\n", b'{"torn': None, b"": None}
    contents |= {b"{}\n\0\0\0\n\0": b"{}\n", b"\0" * 50: None}
    for number, content in enumerate(contents):
        (landing.tmp / NAME.replace("cdef", f"{number:04}")).write_bytes(content)
    assert recover(landing) == 3
    found = [file.path.read_bytes() for file in landing.waiting()]
    assert found == [kept for kept in contents.values() if kept]
    assert tmp(landing) == []
    assert recover(landing) == 0


@pytest.mark.parametrize("folder", ["new", "done"])
def test_recovery_leaves_a_published_file_where_it_is(landing: Landing, folder: str) -> None:
    (landing.tmp / NAME).write_bytes(b"{}\n")
    os.link(landing.tmp / NAME, landing.root / folder / NAME)
    assert recover(landing) == 0
    assert tmp(landing) == []
    assert [path for path in landing.root.rglob("*") if path.is_file()] == [landing.root / folder / NAME]


def test_recovery_overwrites_nothing(landing: Landing) -> None:
    (landing.tmp / NAME).write_bytes(b"{}\n")
    (landing.new / NAME).write_bytes(b'{"whole":1}\n')
    assert recover(landing) == 0
    assert (tmp(landing), stored(landing)) == ([], [b'{"whole":1}'])


def test_recovery_leaves_the_living_and_the_foreign_alone(landing: Landing) -> None:
    (landing.tmp / NAME).write_bytes(b"{}\n")
    (landing.tmp / "someone-elses.ndjson").write_bytes(b"{}\n")
    (landing.tmp / NAME.replace("cdef", "0000")).symlink_to(landing.tmp / "someone-elses.ndjson")
    with (landing.tmp / NAME).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert recover(landing) == 0
    assert stored(landing) == []
    assert len(tmp(landing)) == 3
    assert recover(landing) == 1


def test_torn_raw_bodies_are_not_taken_for_whole_ones(landing: Landing) -> None:
    (landing.tmp / NAME.replace(".ndjson", ".json")).write_bytes(b"not all of i")
    assert recover(landing) == 0
    assert stored(landing) == tmp(landing) == []


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
