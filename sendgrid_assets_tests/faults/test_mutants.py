"""The checks find out every wrong way to do it; the same faults find nothing in the right one.

Those that only a power cut brings to light stand in `test_power_loss_drain` and `test_power_loss_publish`.
"""

from __future__ import annotations

import pytest

from .mutants import MUTANTS
from .mutated import CUT_OFF, FOUND_BY, caught
from .sweeps import Sweep


@pytest.mark.parametrize("name", FOUND_BY)
def test_a_mutant_is_found_out(sweep: Sweep, name: str) -> None:
    assert caught(name, sweep)


def test_no_mutant_is_forgotten() -> None:
    assert {*FOUND_BY, *(mutant for _, mutant in CUT_OFF)} == set(MUTANTS)
