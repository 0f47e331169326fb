"""From the event loop to the writer: one turn of the loop is one submission, and no request's fate is another's."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.handover import Handover
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.segment import NotStored, SegmentWriter

from .recorder import CountingDisk, FailingDisk


def writer_in(root: Path, disk: Disk, **kwargs) -> tuple[Landing, SegmentWriter]:
    landing = Landing(root, "sendgrid", disk)
    landing.prepare()
    return landing, SegmentWriter(landing, **kwargs)


def stored(landing: Landing) -> list[bytes]:
    return [line for file in landing.waiting() for line in file.path.read_bytes().splitlines()]


def test_what_comes_in_one_turn_is_one_commit(tmp_path: Path) -> None:
    commits: list[int] = []
    landing, writer = writer_in(tmp_path, CountingDisk(), observe=lambda _, posts: commits.append(posts))

    async def turn() -> None:
        handover = Handover(writer, 10)
        await asyncio.gather(*(handover.store(b"%d\n" % number) for number in range(100)))
        await handover.store(b"100\n")

    asyncio.run(turn())
    writer.close()
    assert commits == [100, 1]
    assert sorted(map(int, stored(landing))) == list(range(101))


def test_a_failure_is_told_to_all_of_its_commit_and_to_no_other(tmp_path: Path) -> None:
    disk = FailingDisk("write", failing=28)
    landing, writer = writer_in(tmp_path, disk)

    async def turns() -> list[BaseException | None]:
        handover = Handover(writer, 10)
        failed = await asyncio.gather(
            *(handover.store(b"x\n") for _ in range(3)), handover.store_file(b"y"), return_exceptions=True
        )
        disk.failing = None
        await handover.store(b"z\n")
        return failed

    assert [type(error) for error in asyncio.run(turns())] == [NotStored] * 4
    writer.close()
    assert stored(landing) == [b"z"]


def test_one_that_is_cancelled_does_not_reach_the_others(tmp_path: Path) -> None:
    landing, writer = writer_in(tmp_path, CountingDisk())

    async def turn() -> list[BaseException | None]:
        handover = Handover(writer, 10)
        waiting = [handover.store(b"%d\n" % number) for number in range(3)]
        waiting[1].cancel()
        return await asyncio.gather(*waiting, return_exceptions=True)

    first, cancelled, last = asyncio.run(turn())
    writer.close()
    assert (first, last) == (None, None)
    assert isinstance(cancelled, asyncio.CancelledError)
    assert len(stored(landing)) == 3


def test_no_one_waits_for_ever(tmp_path: Path) -> None:
    answers = threading.Event()

    class Stuck(Disk):
        def write(self, descriptor: int, data: bytes) -> None:
            answers.wait(10)
            super().write(descriptor, data)

    landing, writer = writer_in(tmp_path, Stuck())

    async def wait() -> list[bool]:
        handover = Handover(writer, 0.05)
        slow = [handover.is_slow]
        with pytest.raises(TimeoutError):
            await handover.store(b"late\n")
        # At once: who asks next is told before anything of it is read.
        slow.append(handover.is_slow)
        answers.set()
        while handover.is_slow:
            await asyncio.sleep(0.01)
        return slow

    try:
        assert asyncio.run(asyncio.wait_for(wait(), 10)) == [False, True]
    finally:
        answers.set()
    writer.close()
    assert stored(landing) == [b"late"]
