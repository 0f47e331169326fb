"""Figures beside the kills: power cuts, answers under load, a full disk.

Belongs here: what is measured and in which unit. Does not: asserting how fast anything is; a long backlog (`backlog`).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from sendgrid_assets_tests.webhook.conftest import Signer

from .full_disk import small_disk
from .invariant import Told, judge
from .nursery import Nursery
from .plant import Plant
from .posting import Sender
from .power import Cut, Power, prepared
from .power_record import Recording
from .power_scenes import SCENES
from .receiving import Receiver
from .traffic import batches

MakePlant = Callable[[str], Plant]

_CLIENTS = (1, 32, 1000)


def spread(seconds: Sequence[float]) -> dict[str, Any]:
    """Median, 99th percentile and maximum, in milliseconds."""
    if not seconds:
        return {"times": 0}
    ordered = sorted(seconds)
    return {
        "times": len(ordered),
        "p50 ms": round(statistics.median(ordered) * 1000, 1),
        "p99 ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000, 1),
        "max ms": round(ordered[-1] * 1000, 1),
    }


def cut_off(folder: Path, seed: int, tell: Callable[[str], None]) -> dict[str, Cut]:
    """Every disk that a power cut may leave of a drain and of publishes, each started again."""
    done: dict[str, Cut] = {}
    with Recording() as recording:
        for name in SCENES:
            scene = prepared(recording, folder / name, name)
            done[name] = Power(recording, folder / f"{name}, cut", scene).cut(seed=seed, tell=tell)
            tell(f"{name}: {done[name].states} states, {len(done[name].wrong)} wrong")
    return done


def load(nursery: Nursery, make: MakePlant, seconds: float = 8) -> dict[str, Any]:
    """Signed POSTs of ten events from 1, 32 and 1,000 clients, each for some seconds."""
    found: dict[str, Any] = {}
    for clients in _CLIENTS:
        plant, told, signer = make(f"load-{clients}"), Told(), Signer()
        receiver = Receiver(nursery, plant, signer)
        assert receiver.ready()
        begun = time.monotonic()
        answers = Sender(receiver.port, signer, told).pour(
            batches(f"load-{clients}", 10), clients=clients, seconds=seconds
        )
        took = time.monotonic() - begun
        assert receiver.stop() == 0
        posts = len(answers.seconds)
        found[f"{clients} clients"] = {
            "posts/s": round(posts / took),
            "events/s": round(10 * posts / took),
            **spread(answers.seconds),
            "answers": dict(answers.statuses),
            "posts per file": round(posts / max(1, len(plant.waiting())), 1),
            "receiver's peak MB": round(receiver.child.peak_bytes / 1e6),
        }
        nursery.must("settle", plant, seconds=600)
        found[f"{clients} clients"]["wrong"] = list(judge(plant, told).wrong)
    return found


def room_again(nursery: Nursery, plant: Plant) -> dict[str, Any]:
    """A receiver whose disk fills up, and the time from room to its first 2xx."""
    signer, told = Signer(), Told()
    with small_disk(plant.folder / "small", 24 * 1024 * 1024) as disk:
        small = Plant(disk.folder).prepare()
        receiver = Receiver(nursery, small, signer, arguments={"free_bytes": 0}, **disk.how)
        assert receiver.ready()
        sender = Sender(receiver.port, signer, told)
        disk.fill(receiver.child.pid)
        body = batches("full", 2000)
        full = sender.pour(islice(body, 8), clients=1, seconds=20)
        disk.make_room(receiver.child.pid)
        begun = time.monotonic()
        first = None
        while first is None and time.monotonic() - begun < 60:
            first = sender.pour(islice(body, 1), clients=1, seconds=20).first
        assert first is not None
        assert receiver.stop() == 0
        return {
            "means": disk.means,
            "answers while full": dict(full.statuses),
            "room to first 2xx ms": round((first - begun) * 1000, 1),
        }
