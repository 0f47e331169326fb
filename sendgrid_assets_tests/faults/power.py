"""Power cuts during a drain and a publish: recorded once, then every disk that may be left is looked at.

Belongs here: recording a scene, which disks are started again, and what was wrong. Does not: the parts of that
(`power_scenes`, `power_record`, `power_disks`, `power_checks`).
"""

from __future__ import annotations

import pickle
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .nursery import Nursery
from .plant import Plant
from .power_checks import Checks
from .power_disks import Disk, Log, disks
from .power_record import is_of_duckdb
from .power_scenes import SCENES, Scene


@dataclass
class Cut:
    """What came of one scene.

    Attributes:
        states: disks that were looked at.
        failing: of these, disks on which something was wrong.
        settled: disks on which everything was started again.
        wrong: what was wrong, by the disk's number.
    """

    seed: int
    states: int = 0
    failing: int = 0
    settled: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, number: int, wrong: list[str]) -> None:
        self.failing += bool(wrong)
        self.wrong += [f"disk {number}: {what}" for what in wrong]


def prepared(nursery: Nursery, folder: Path, scene: str) -> Scene:
    """A scene in a folder that is made, to be recorded any number of times."""
    folder.mkdir()
    return SCENES[scene](nursery, Plant(folder).prepare())


class Power:
    """One scene, recorded in a folder that is made, in a copy."""

    def __init__(self, nursery: Nursery, folder: Path, scene: Scene, mutant: str | None = None) -> None:
        folder.mkdir()
        self._nursery, self._folder, self._scene = nursery, folder, scene
        shutil.copytree(scene.plant.folder, folder / "recorded")
        log = folder / "log"
        arguments = {"task": scene.task, "log": str(log), "mutant": mutant, **scene.arguments}
        nursery.must("record", Plant(folder / "recorded"), arguments=arguments)
        self._log: Log = pickle.loads(log.read_bytes())

    def disks(self, seed: int = 0) -> Iterator[Disk]:
        """Every disk that may be left."""
        return disks(self._log.start, self._log.operations, untorn=is_of_duckdb, chance=random.Random(seed))

    def cut(
        self,
        *,
        seed: int,
        settle: int | None = None,
        ends_at_first: bool = False,
        tell: Callable[[str], None] = lambda _what: None,
    ) -> Cut:
        """Looks at every disk, and starts some of them again.

        Args:
            seed: draws those.
            settle: how many; None for all.
            ends_at_first: whether to stop at the first disk on which something is wrong.
            tell: is told how far it is.
        """
        done, possible = Cut(seed), []
        for number, disk in enumerate(self.disks(seed)):
            if not possible:
                checks = Checks(self._scene, disk, self._folder / "read")
            possible.append(disk)
            done.states += 1
            done.add(number, checks.before(disk))
            if done.wrong and ends_at_first:
                return done
        numbers = range(len(possible))
        drawn = numbers if settle is None else random.Random(seed).sample(numbers, min(settle, len(numbers)))
        for number in drawn:
            done.settled += 1
            done.add(number, self._settled(possible[number], checks))
            if done.settled % 50 == 0:
                tell(f"{done.settled} of {len(drawn)} disks started again, {len(done.wrong)} wrong")
        return done

    def _settled(self, disk: Disk, checks: Checks) -> list[str]:
        plant = Plant(self._folder / "cut")
        disk.build(plant.folder)
        try:
            status = self._nursery.do("settle", plant)
            if status:
                return [f"starting again ended with {status}: {plant.log.read_text()[-300:]}"]
            return checks.after(plant)
        finally:
            shutil.rmtree(plant.folder)
