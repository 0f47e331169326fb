"""A power cut at any call of a drain loses no event, doubles none, and costs no raw file.

Of the disks that may be left all are looked at; some, drawn by chance, are started again.
`python -m sendgrid_assets_tests.faults --power` starts every one again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from .mutated import CUT_OFF, cut_off
from .power import Power, prepared
from .power_record import Recording
from .power_scenes import Scene


@pytest.fixture(scope="module")
def recording() -> Iterator[Recording]:
    with Recording() as made:
        yield made


@pytest.fixture(scope="module")
def scene(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return prepared(recording, tmp_path_factory.mktemp("scene") / "drain", "drain")


def test_no_disk_that_a_cut_leaves_of_a_drain_is_wrong(
    recording: Recording, scene: Scene, tmp_path: Path
) -> None:
    found = Power(recording, tmp_path / "cut", scene).cut(seed=random.randrange(1 << 32), settle=3)
    assert not found.wrong, found
    assert found.states > 250
    assert found.settled == 3


@pytest.mark.parametrize("mutant", [mutant for name, mutant in CUT_OFF if name == "drain"])
def test_a_wrong_drain_is_found_out(recording: Recording, scene: Scene, tmp_path: Path, mutant: str) -> None:
    assert cut_off(recording, tmp_path / "cut", scene, mutant)
