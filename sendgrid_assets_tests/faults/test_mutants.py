"""The checks find out every wrong way to do it; the same faults find nothing in the right one."""

from __future__ import annotations

import pytest

from .mutants import MUTANTS
from .mutated import FOUND_BY, caught
from .sweeps import Sweep


@pytest.mark.parametrize("name", FOUND_BY)
def test_a_mutant_is_found_out(sweep: Sweep, name: str) -> None:
    assert caught(name, sweep)


def test_no_mutant_is_forgotten() -> None:
    assert set(FOUND_BY) == set(MUTANTS)
