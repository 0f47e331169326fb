"""A full disk refuses, keeps what was stored, and is over by itself once there is room."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import pytest

from sendgrid_assets_tests.webhook.conftest import Signer

from .full_disk import LIMIT, MEANS, TMPFS, SmallDisk, small_disk, within_namespace
from .invariant import Told, judge
from .nursery import Nursery
from .plant import Plant
from .posting import Sender
from .power_record import Recording
from .receiving import Receiver
from .traffic import batches

SIZE = 40 * 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path, record_property: Callable[[str, object], None]) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "small", SIZE) as made:
        record_property("means", made.means)
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
    if disk.means != LIMIT:
        disk.fill(0, leave)
    limit = {} if disk.means != LIMIT else {"file_bytes": leave}
    assert nursery.do("drain", plant, **limit) != 0
    assert plant.waiting() == ["more.ndjson"]
    assert plant.query("SELECT count(*) FROM sendgrid.activity") == before
    assert nursery.do("publish", plant, **limit) != 0
    assert plant.query("SELECT count(*) FROM sendgrid.activity", published=True) == [(0,)]
    if disk.means != LIMIT:
        disk.make_room(0)
    nursery.must("settle", plant)
    assert judge(plant, told).wrong == ()


@pytest.fixture(scope="module")
def recording() -> Iterator[Recording]:
    with Recording() as made:
        yield made


@pytest.mark.parametrize("means", MEANS)
def test_a_publish_whose_disk_fills_while_it_copies_leaves_the_old_file_and_no_half_one(
    recording: Recording, tmp_path: Path, empty: Plant, means: str
) -> None:
    with ExitStack() as stack:
        try:
            disk = stack.enter_context(small_disk(tmp_path / "small", SIZE, means=[means]))
        except OSError as error:
            pytest.skip(str(error))
        plant, told = Plant(disk.folder).prepare(like=empty), Told()
        one = next(batches("full", 30))
        plant.put("one.ndjson", one.lines())
        told.put(one.keys)
        recording.must("drain", plant)
        assert recording.do("publish_while_it_fills", plant, arguments={"means": means}) != 0
        assert "published.duckdb could not be written" in plant.log.read_text()
        assert plant.query("SELECT count(*) FROM sendgrid.activity", published=True) == [(0,)]
        assert list(plant.folder.glob(".*.part")) == []
        if means != LIMIT:
            disk.make_room(0)
        recording.must("publish", plant)
        assert judge(plant, told).wrong == ()


def test_a_plain_user_has_all_of_this_on_a_disk_of_his_own(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", SIZE) as disk:
        if disk.means == TMPFS:
            pytest.skip("this user has had it already")
    options = ["-n0", "-rs", "-k", "not plain_user", f"--basetemp={tmp_path / 'within'}"]
    try:
        done = within_namespace([sys.executable, "-m", "pytest", *options, __file__])
    except PermissionError as error:
        pytest.skip(str(error))
    assert done.returncode == 0, done.stdout
    assert "SKIPPED" not in done.stdout
