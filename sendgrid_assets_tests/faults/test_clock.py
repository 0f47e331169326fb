"""A clock that is set back an hour or ahead ten years: names stay unique and in order, and nothing expires early."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from sendgrid_assets.webhook.archive import Archive
from sendgrid_assets.webhook.reader import Event, read
from sendgrid_assets_tests.processes import free_port
from sendgrid_assets_tests.webhook.conftest import Signer

from .clocked import MEANS, Clock
from .invariant import Told, judge
from .nursery import Nursery
from .plant import Plant
from .posting import Sender
from .traffic import Batch, batch, event

HOUR, DAY, TEN_YEARS = 3600, 86_400, 3652 * 86_400


@pytest.fixture
def clock(plant: Plant, record_property: Callable[[str, object], None]) -> Clock:
    record_property("clock", MEANS)
    return Clock(plant.folder, MEANS)


def fresh(word: str) -> Iterator[Batch]:
    """Bodies of one event, numbered."""
    return (batch(word, [event(word, number)]) for number in count())


def ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait_until_ready(receiver: subprocess.Popen[str], port: int) -> None:
    until = time.monotonic() + 30
    while not ready(port):
        assert receiver.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_receiver_names_its_files_in_order_whatever_the_clock_does(
    clock: Clock, nursery: Nursery, plant: Plant, signer: Signer
) -> None:
    told, numbered = Told(), fresh("clock")
    settings = {"PUBLIC_KEY": signer.public_key}
    for starts_at, then in ((0, (-HOUR, TEN_YEARS, 0)), (-HOUR, (0,))):
        clock.set(starts_at)
        port = free_port()
        with clock.started(plant, "receive", PORT=str(port), **settings) as receiver:
            wait_until_ready(receiver, port)
            for seconds in (starts_at, *then):
                clock.set(seconds)
                # The first finds the writer at rest or not, the others share its open segment or not.
                sent = (next(numbered) for _ in range(5))
                answers = Sender(port, signer, told).pour(sent, clients=1, seconds=10)
                assert answers.statuses == {204: 5}
                assert ready(port)
                # An open segment is due by the clock that only grows.
                until = time.monotonic() + 20
                while any(plant.landing.tmp.iterdir()):
                    assert time.monotonic() < until
                    time.sleep(0.02)
            receiver.send_signal(signal.SIGTERM)
            assert receiver.wait(30) == 0

    by_process: dict[str, list[int]] = defaultdict(list)
    years = set()
    for file in plant.landing.waiting():
        years.add(file.received_at.year)
        for line in read(file):
            assert isinstance(line, Event)
            by_process[file.name.split("-")[-2]].append(
                int(json.loads(line.json)["sg_event_id"].split("-")[1])
            )
    assert max(years) - min(years) >= 9
    assert [len(numbers) for numbers in by_process.values()] in ([20, 10], [10, 20])
    assert all(numbers == sorted(numbers) for numbers in by_process.values())
    nursery.must("settle", plant)
    assert judge(plant, told).wrong == ()


def drain(drains: subprocess.Popen[str]) -> float:
    """Has one drain and publish done; what time it was by its clock."""
    assert drains.stdin
    assert drains.stdout
    drains.stdin.write("\n")
    drains.stdin.flush()
    answer = drains.stdout.readline()
    assert answer, "the drain has failed"
    return float(answer)


def test_a_drain_loads_publishes_and_keeps_whatever_the_clock_does(clock: Clock, plant: Plant) -> None:
    told, numbered, last = Told(), fresh("drained"), None
    loaded_at = "SELECT max(loaded_at), max_by(file, loaded_at) FROM _sendgrid_assets.loaded_files"
    archive = Archive(plant.landing)
    with clock.started(plant, "drains") as drains:
        # Ten years ahead it stands there over midnights, and is then set right.
        for number, seconds in enumerate([0, -HOUR, *(TEN_YEARS + day * DAY for day in range(4)), -HOUR, 0]):
            clock.set(seconds)
            one, name = next(numbered), f"{number}.ndjson"
            plant.put(name, one.lines())
            told.put(one.keys)
            assert abs(drain(drains) - time.time() - seconds) < HOUR / 2
            ((now, newest),) = plant.query(loaded_at)
            assert newest == name
            assert last is None or now > last
            last = now
            # All of it can be loaded again: packed or not, none was taken for old.
            assert sum(len(list(archive.files(day))) for day in archive.days()) == number + 1
    assert judge(plant, told).wrong == ()
