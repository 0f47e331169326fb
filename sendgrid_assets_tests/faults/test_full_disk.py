"""A full disk refuses, keeps what was stored, and is over by itself once there is room."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from sendgrid_assets_tests.webhook.conftest import Signer

from .full_disk import SmallDisk, small_disk
from .invariant import Told, judge
from .nursery import Nursery
from .plant import Plant
from .posting import Sender
from .receiving import Receiver
from .traffic import batches


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "small", 40 * 1024 * 1024) as made:
        yield made


def test_a_receiver_refuses_while_it_is_full_and_takes_by_itself_afterwards(
    nursery: Nursery, signer: Signer, disk: SmallDisk, empty: Plant
) -> None:
    plant, told = Plant(disk.folder).prepare(like=empty), Told()
    receiver = Receiver(nursery, plant, signer, arguments={"free_bytes": 0})
    assert receiver.ready()
    sender, large = Sender(receiver.port, signer, told), batches("full", 400)
    assert sender.pour(islice(large, 2), clients=1, seconds=10).statuses == {204: 2}
    disk.fill(receiver.child.pid)
    full = sender.pour(islice(large, 3), clients=1, seconds=10)
    assert full.statuses == {503: 3}
    assert receiver.health() == 503
    disk.make_room(receiver.child.pid)
    assert sender.pour(iter(full.unanswered), clients=1, seconds=10).statuses == {204: 3}
    assert receiver.health() == 200
    assert receiver.stop() == 0
    nursery.must("settle", plant)
    assert judge(plant, told).wrong == ()


@pytest.mark.parametrize("leave", [4096, 600_000])
def test_a_drain_and_a_publish_leave_everything_as_it_was_and_are_done_once_there_is_room(
    nursery: Nursery, disk: SmallDisk, empty: Plant, leave: int
) -> None:
    plant, told = Plant(disk.folder).prepare(like=empty), Told()
    landed = list(islice(batches("full", 3000), 3))
    for number, one in enumerate(landed):
        plant.put(f"{number}.ndjson", one.lines())
        told.put(one.keys)
    nursery.must("drain", plant, arguments={"chunk_bytes": 1})
    more = next(batches("more", 3000))
    plant.put("more.ndjson", more.lines())
    told.put(more.keys)
    before = plant.query("SELECT count(*) FROM sendgrid.activity")
    if disk.means == "tmpfs":
        disk.fill(0, leave)
    limit = {} if disk.means == "tmpfs" else {"file_bytes": leave}
    assert nursery.do("drain", plant, **limit) != 0
    assert plant.waiting() == ["more.ndjson"]
    assert plant.query("SELECT count(*) FROM sendgrid.activity") == before
    assert nursery.do("publish", plant, **limit) != 0
    assert plant.query("SELECT count(*) FROM sendgrid.activity", published=True) == [(0,)]
    if disk.means == "tmpfs":
        disk.make_room(0)
    nursery.must("settle", plant)
    assert judge(plant, told).wrong == ()
