"""What must hold on every disk that a power cut may leave, before and after everything was started again.

Belongs here: the checks. Does not: making the disks (`power_disks`), which of them are started again (`power`).

Before a start: no file's last whole copy is gone, no part of one stands under a name that is read, every acknowledged
event is a row or in a file that the next drain takes, and what is published is a whole file of one committed state.
"""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from sendgrid_assets.webhook.archive import unnumbered
from sendgrid_assets.webhook.landing import REASON

from .invariant import LEDGER, ROWS, judge
from .plant import SOURCE, Plant
from .power_disks import Disk, Piece
from .power_scenes import Raw, Scene

_LANDING = Path("landing") / SOURCE
_WAREHOUSE = Path("warehouse.duckdb")


@dataclass(frozen=True)
class State:
    """What a database file holds: the ledger, every key as often as it is there, and whether it was published."""

    ledger: frozenset[tuple[str, int, str]]
    keys: frozenset[tuple[tuple[str, str], int]]
    known: bool = field(compare=False)


class Checks:
    """The checks of one scene; a database file that comes again is opened once."""

    def __init__(self, scene: Scene, start: Disk, scratch: Path) -> None:
        self._scene, self._scratch = scene, scratch
        self._states: dict[Any, State | str] = {}
        self._packs: dict[tuple[bytes, ...], dict[str, bytes] | None] = {}
        self._sent = set(scene.told().sent)
        self._committed = self._state(start, _WAREHOUSE)
        self._old = None if scene.foreign else self._published_alone(start)

    def before(self, disk: Disk) -> list[str]:
        """What is wrong on a disk as it was left."""
        state = self._state(disk, _WAREHOUSE)
        if isinstance(state, str):
            return [f"the warehouse does not open: {state}"]
        keys = dict(state.keys)
        wrong = [f"{key} is there {times} times" for key, times in keys.items() if times > 1]
        wrong += [f"{key} was made up" for key in keys if key not in self._sent]
        wrong += self._misplaced(disk, state) + self._torn(disk)
        if self._scene.task == "publish":
            wrong += self._published_wrong(disk, known=state.known)
        return wrong

    def after(self, plant: Plant) -> list[str]:
        """What is wrong once everything was started again."""
        wrong = list(judge(plant, self._scene.told()).wrong)
        there = {path.relative_to(plant.folder): path for path in plant.folder.rglob("*") if path.is_file()}
        files = {path: place.read_bytes() for path, place in there.items() if path.is_relative_to(_LANDING)}
        held = {data for _, data in self._held(files)}
        wrong += [f"{raw.name} is gone" for raw in self._scene.raws if raw.kept and raw.data not in held]
        if foreign := self._scene.foreign:
            kept = plant.folder.glob(f"{self._scene.published}*")
            if foreign not in {path.read_bytes() for path in kept}:
                wrong.append("the other warehouse's file is gone")
        return wrong

    def _misplaced(self, disk: Disk, state: State) -> list[str]:
        wrong, keys = [], dict(state.keys)
        entered = {(file, size) for file, size, _ in state.ledger}
        files = {path: piece.data for path, piece in disk.files.items() if path.is_relative_to(_LANDING)}
        places: dict[Raw, set[str]] = {raw: set() for raw in self._scene.raws}
        by_content = {(raw.name, raw.data): raw for raw in self._scene.raws}
        for path, data in self._held(files):
            if raw := by_content.get((unnumbered(path.name), data)):
                places[raw].add(path.relative_to(_LANDING).parts[0])
        for raw, found in places.items():
            if raw.kept and not found & {"new", "done", "rejected"}:
                wrong.append(f"{raw.name} is gone")
            taken_back = "done" in found and (raw.name, len(raw.data)) not in entered
            if not (set(raw.keys) <= keys.keys() or "new" in found or taken_back):
                wrong.append(f"{raw.name} is lost: it is in {sorted(found)}, and its events are no rows")
        return wrong

    def _torn(self, disk: Disk) -> list[str]:
        wrong, whole = [], {raw.name: raw.data for raw in self._scene.raws}
        for path, piece in disk.files.items():
            place = path.relative_to(_LANDING).parts[0] if path.is_relative_to(_LANDING) else ""
            if place not in ("new", "done", "rejected"):
                continue
            if path.name.endswith(REASON):
                if not path.name.startswith(".") and not _is_json(piece.data):
                    wrong.append(f"{path} is torn")
            elif path.suffix == ".zip":
                if self._members(piece.key, piece.data) is None:
                    wrong.append(f"{path} is torn")
            elif whole.get(unnumbered(path.name)) != piece.data:
                wrong.append(f"{path} is torn")
        return wrong

    def _published_wrong(self, disk: Disk, *, known: bool) -> list[str]:
        wrong, foreign = [], self._scene.foreign
        copies = [
            path
            for path, piece in disk.files.items()
            if path.name.startswith(self._scene.published.name) and piece.data == foreign
        ]
        if foreign and not copies:
            wrong.append("the other warehouse's file is gone")
        if copies == [self._scene.published] and known:
            wrong.append("the next publish takes the other warehouse's file for ours")
        piece = disk.files.get(self._scene.published)
        if piece is None:
            if self._old or foreign or disk.told:
                wrong.append("nothing is published any more")
            return wrong
        if foreign and piece.data == foreign and not disk.told:
            return wrong
        if self._old and not disk.told and self._published_alone(disk) == self._old:
            # What a reader wrote beside it is his until the next publish.
            return wrong
        if (state := self._state(disk, self._scene.published)) != self._committed:
            told = "though it was told to be: " if disk.told else ""
            what = state if isinstance(state, str) else "another state is published"
            wrong.append(f"what is committed is not published, {told}{what}")
        return wrong

    def _published_alone(self, disk: Disk) -> State | str | None:
        if self._scene.published not in disk.files:
            return None
        return self._state(
            Disk(disk.folders, {self._scene.published: disk.files[self._scene.published]}, ()),
            self._scene.published,
        )

    def _state(self, disk: Disk, main: Path) -> State | str:
        """What a reader finds in a database file with its log; a text where that does not open."""
        pieces = {path: disk.files.get(path) for path in (main, main.with_name(f"{main.name}.wal"))}
        key = main, tuple(piece.key if piece else None for piece in pieces.values())
        if key not in self._states:
            self._states[key] = self._read(main, pieces)
        return self._states[key]

    def _read(self, main: Path, pieces: Mapping[Path, Piece | None]) -> State | str:
        self._scratch.mkdir()
        try:
            for path, piece in pieces.items():
                if piece:
                    (self._scratch / path.name).write_bytes(piece.data)
            if not (self._scratch / main.name).exists():
                return "it is not there"
            with duckdb.connect(self._scratch / main.name, read_only=True) as connection:
                keys = Counter(connection.execute(ROWS).fetchall())
                ledger = connection.execute(LEDGER).fetchall()
                known = connection.execute("FROM _sendgrid_assets.published").fetchall()
                return State(frozenset(ledger), frozenset(keys.items()), bool(known))
        except duckdb.Error as error:
            return str(error).splitlines()[0]
        finally:
            shutil.rmtree(self._scratch)

    def _held(self, files: Mapping[Path, bytes]) -> Iterator[tuple[Path, bytes]]:
        """Every file with its content, those in packs too."""
        for path, data in files.items():
            yield path, data
            if path.suffix == ".zip":
                members = self._members((data,), data) or {}
                yield from ((path.parent / name, member) for name, member in members.items())

    def _members(self, key: tuple[bytes, ...], data: bytes) -> dict[str, bytes] | None:
        """A pack's files; None where it is damaged."""
        if key not in self._packs:
            try:
                with zipfile.ZipFile(io.BytesIO(data)) as pack:
                    self._packs[key] = {name: pack.read(name) for name in pack.namelist()}
            except zipfile.BadZipFile:
                self._packs[key] = None
        return self._packs[key]


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True
