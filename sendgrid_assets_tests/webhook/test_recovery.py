"""The start after a writer died: its whole lines are published, once, and the living are left alone."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.recovery import recover

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
