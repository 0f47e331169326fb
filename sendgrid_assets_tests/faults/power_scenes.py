"""What is cut: a drain that makes every kind of move, and publishes over nothing, a reader's log, and a foreign file.

Belongs here: what stands on the disk before, and what must be found after. Does not: recording, and the checks.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from sendgrid_assets.catalog.events import EVENT_COLLECTIONS
from sendgrid_assets.webhook import pack

from .invariant import Told
from .nursery import Nursery
from .plant import Plant
from .traffic import Key, batch, event

RETENTION = 30


@dataclass(frozen=True)
class Raw:
    """A file as it came in, and the keys that are found of it."""

    name: str
    data: bytes
    keys: tuple[Key, ...]
    kept: bool = True


@dataclass
class Scene:
    """A plant just before its disk is cut off.

    Attributes:
        task: what is done there.
        raws: every file that was acknowledged.
        foreign: the bytes of a published file that is not this warehouse's.
        published: where the file is published, seen from the plant's folder.
    """

    plant: Plant
    task: str
    arguments: dict[str, object] = field(default_factory=dict)
    raws: list[Raw] = field(default_factory=list)
    foreign: bytes | None = None
    published: Path = Path("published.duckdb")

    def told(self) -> Told:
        told = Told()
        for raw in self.raws:
            told.put(raw.keys)
        return told

    def add(self, name: str, *numbers: int, kept: bool = True) -> Raw:
        """A file of events whose keys are its own."""
        sent = batch("power", [event("power", number) for number in numbers])
        return self._add(Raw(name, sent.lines(), sent.keys, kept))

    def add_cut(self, name: str) -> Raw:
        """A file of which nothing can be read: its only key is that it was rejected."""
        data = gzip.compress(b"".join(b"%d" % number for number in range(900)))[:-40]
        told = f"{len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}"
        return self._add(Raw(name, data, (("", told),)))

    def _add(self, raw: Raw) -> Raw:
        self.raws.append(raw)
        return raw


def draining(nursery: Nursery, plant: Plant) -> Scene:
    """Files that are loaded, rejected, put back, put back out of a pack, packed, and removed for their age."""
    scene = Scene(plant, "drain", {"chunk_bytes": 1})
    loaded = {
        2 * RETENTION: [scene.add("old.ndjson", 1, kept=False)],
        1: [scene.add(f"packed-{n}.ndjson", 10 + n) for n in range(2)],
    }
    for raws in loaded.values():
        for raw in raws:
            plant.put(raw.name, raw.data)
    # Published, so that the first commit of the recorded drain makes a log.
    nursery.must("drain_and_publish", plant)
    done = next(plant.landing.done.iterdir())
    # Every day of the last week is there: retention believes no clock that leaps.
    days = {ago: _day(plant, done.name, ago) for ago in (2 * RETENTION, *range(1, 10))}
    for ago, raws in loaded.items():
        for raw in raws:
            (done / raw.name).rename(days[ago] / raw.name)
    done.rmdir()
    # As where the last drains' commits were lost, with the note of how far the ledger was.
    (plant.landing.root / ".drain.json").unlink()
    back = scene.add("back.ndjson", 20)
    (days[3] / back.name).write_bytes(back.data)
    unpacked = scene.add("unpacked.ndjson", *range(30, 33))
    (plant.folder / unpacked.name).write_bytes(unpacked.data)
    pack.write(plant.landing.disk, days[3] / "packed-1.zip", [plant.folder / unpacked.name])
    (plant.folder / unpacked.name).unlink()
    for raw in (scene.add_cut("000.ndjson.gz"), scene.add("001.ndjson", 40, 41)):
        plant.put(raw.name, raw.data)
    return scene


def _day(plant: Plant, today: str, ago: int) -> Path:
    folder = plant.landing.done / (dt.date.fromisoformat(today) - dt.timedelta(days=ago)).isoformat()
    folder.mkdir()
    return folder


def publishing(nursery: Nursery, plant: Plant) -> Scene:
    """An older state is published, and somebody wrote into it and went."""
    scene = _committed(nursery, plant, published=True)
    _write_into(plant.published)
    return scene


def publishing_first(nursery: Nursery, plant: Plant) -> Scene:
    """Nothing is published yet."""
    return _committed(nursery, plant, published=False)


def publishing_into_new_folder(nursery: Nursery, plant: Plant) -> Scene:
    """Nothing is published yet, and the folder for it is to be made."""
    scene = _committed(nursery, plant, published=False)
    scene.published = Path("for", "people", "published.duckdb")
    scene.arguments["published"] = str(scene.published)
    return scene


def publishing_over_foreign(nursery: Nursery, plant: Plant) -> Scene:
    """What is published is another warehouse's."""
    scene = _committed(nursery, plant, published=False)
    with duckdb.connect(plant.published) as connection:
        connection.execute("CREATE TABLE theirs AS SELECT 1 AS n")
    scene.foreign = plant.published.read_bytes()
    return scene


def _committed(nursery: Nursery, plant: Plant, *, published: bool) -> Scene:
    scene = Scene(plant, "publish")
    for task in ("drain_and_publish", "drain") if published else ("drain",):
        raw = scene.add(f"{task}.ndjson", 50 + len(scene.raws))
        plant.put(raw.name, raw.data)
        nursery.must(task, plant)
    return scene


def _write_into(published: Path) -> None:
    published.chmod(0o644)
    found = published.stat()
    with duckdb.connect(published) as connection:
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        table = EVENT_COLLECTIONS[0].table
        connection.execute(f"INSERT INTO sendgrid.{table} (sg_event_id) VALUES ('a reader''s own')")
    os.utime(published, ns=(found.st_atime_ns, found.st_mtime_ns))


SCENES: dict[str, Callable[[Nursery, Plant], Scene]] = {
    "drain": draining,
    "publish": publishing,
    "publish, the first": publishing_first,
    "publish, into a new folder": publishing_into_new_folder,
    "publish, over a foreign file": publishing_over_foreign,
}
