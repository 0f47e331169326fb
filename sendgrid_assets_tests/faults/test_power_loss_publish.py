"""A power cut at any call of a publish leaves the old file or the new one, whole, and what was told stays true.

Of the disks that may be left all are looked at; some, drawn by chance, are started again.
`python -m sendgrid_assets_tests.faults --power` starts every one again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from .mutated import CUT_OFF, cut_off
from .power import Power, prepared
from .power_record import Recording
from .power_scenes import SCENES, Scene


@pytest.fixture(scope="module")
def recording() -> Iterator[Recording]:
    with Recording() as made:
        yield made


@pytest.fixture(scope="module")
def scene(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Scene]:
    """A scene by its name, made once."""
    return cache(lambda name: prepared(recording, tmp_path_factory.mktemp("scene") / "publish", name))


@pytest.mark.parametrize("name", [name for name in SCENES if name != "drain"])
def test_no_disk_that_a_cut_leaves_of_a_publish_is_wrong(
    recording: Recording, scene: Callable[[str], Scene], tmp_path: Path, name: str
) -> None:
    found = Power(recording, tmp_path / "cut", scene(name)).cut(seed=random.randrange(1 << 32), settle=1)
    assert not found.wrong, found
    assert found.states > 50
    assert found.settled == 1


@pytest.mark.parametrize(("name", "mutant"), [one for one in CUT_OFF if one[0] != "drain"])
def test_a_wrong_publish_is_found_out(
    recording: Recording, scene: Callable[[str], Scene], tmp_path: Path, name: str, mutant: str
) -> None:
    assert cut_off(recording, tmp_path / "cut", scene(name), mutant)
