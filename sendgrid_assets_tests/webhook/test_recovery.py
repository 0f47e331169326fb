"""The start after a writer died: its whole lines are published, once, and the living are left alone."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from sendgrid_assets.webhook import receiver
from sendgrid_assets.webhook.durable import Disk, FsyncError
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.recovery import recover
from sendgrid_assets_tests.processes import wait_for

from .recorder import BrokenFsync

NAME = "1700000000000-host-1-0123456789abcdef.ndjson"


def stored(landing: Landing) -> list[bytes]:
    return [line for file in landing.waiting() for line in file.path.read_bytes().splitlines()]


def tmp(landing: Landing) -> list[Path]:
    return list(landing.tmp.iterdir())


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


def test_recovery_of_a_large_segment_finds_its_last_whole_line(landing: Landing) -> None:
    whole = b"".join(b"%d" % number * 1_000 + b"\n" for number in range(2_000))
    (landing.tmp / NAME).write_bytes(whole + b"x" * 3_000_000)
    assert recover(landing) == 1
    assert (landing.new / NAME).read_bytes() == whole


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


class Refusing(Disk):
    """Cannot link one file."""

    def __init__(self, name: str) -> None:
        self.name: str | None = name

    def link(self, source: Path, target: Path) -> None:
        if source.name == self.name:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(source))
        super().link(source, target)


def test_recovery_leaves_alone_what_its_writer_published_meanwhile(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A NUL would be cut off with all that follows it, were it taken for a dead writer's.
    content = b'{"a":"\0"}\n'
    (landing.tmp / NAME).write_bytes(content)
    held = os.open(landing.tmp / NAME, os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    lock = fcntl.flock

    def published_first(descriptor: int, how: int) -> None:
        (landing.tmp / NAME).rename(landing.new / NAME)
        os.close(held)
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", published_first)
    assert recover(landing) == 0
    assert (landing.new / NAME).read_bytes() == content
    assert tmp(landing) == []


def test_what_cannot_be_recovered_holds_up_no_other(landing: Landing) -> None:
    landing.disk = Refusing(NAME)
    for name in (NAME, NAME.replace("cdef", "ffff")):
        (landing.tmp / name).write_bytes(b"{}\n")
    with pytest.raises(OSError, match="Input/output"):
        recover(landing)
    assert [file.name for file in landing.waiting()] == [NAME.replace("cdef", "ffff")]
    assert [path.name for path in tmp(landing)] == [NAME]
    landing.disk = Disk()
    assert recover(landing) == 1


def test_a_receiver_takes_events_while_what_it_found_waits_to_be_recovered(
    serve, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "RETRY_AFTER_SECONDS", 0.1)
    (landing.tmp / NAME).write_bytes(b'{"left":1}\n')
    disk = Refusing(NAME)
    with serve(disk=disk) as served:
        assert served.post(b'[{"posted":1}]').status_code == 204
        assert stored(landing) == [b'{"posted":1}']
        disk.name = None
        wait_for(lambda: b'{"left":1}' in stored(landing), "recovered", 10)
    assert tmp(landing) == []


def test_a_failed_fsync_of_what_was_found_ends_the_receiver(serve, landing: Landing) -> None:
    (landing.tmp / NAME).write_bytes(b'{"left":1}\n')
    broken: list[bool] = []
    with serve(disk=BrokenFsync(), on_broken=lambda: broken.append(True)) as served:
        assert served.get("/healthz").status_code == 200
        assert broken == [True]


def test_after_a_failed_fsync_no_other_is_tried(landing: Landing) -> None:
    class Once(BrokenFsync):
        tried = 0

        def fsync(self, descriptor: int) -> None:
            self.tried += 1
            super().fsync(descriptor)

    landing.disk = disk = Once()
    for name in (NAME, NAME.replace("cdef", "ffff")):
        (landing.tmp / name).write_bytes(b"{}\n")
    with pytest.raises(FsyncError):
        recover(landing)
    assert (disk.tried, landing.waiting(), len(tmp(landing))) == (1, [], 2)
