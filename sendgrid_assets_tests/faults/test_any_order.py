"""Whatever is posted, put, killed, drained, published, replayed and lost, in whatever order: nothing lost or doubled.

More of it: `python -m sendgrid_assets_tests.faults --stateful 200`.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path

from . import stateful
from .nursery import Nursery
from .plant import Plant


def test_any_order_of_what_may_happen(nursery: Nursery, empty: Plant, tmp_path: Path) -> None:
    numbers = count()

    def make() -> Plant:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return Plant(folder).prepare(like=empty)

    happened = stateful.run(nursery, make, examples=5, steps=10)
    assert happened["settled"] >= 5
