"""One nursery and one empty warehouse for all faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sendgrid_assets_tests.webhook.conftest import Signer

from . import tracing
from .nursery import Nursery
from .plant import Plant
from .sweeps import Sweep


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as made:
        yield made


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer()


@pytest.fixture(scope="session")
def empty(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """A plant with an empty warehouse, published."""
    made = Plant(tmp_path_factory.mktemp("empty")).prepare()
    nursery.must("drain_and_publish", made)
    return made


@pytest.fixture
def plant(tmp_path: Path, empty: Plant) -> Plant:
    return Plant(tmp_path).prepare(like=empty)


@pytest.fixture
def sweep(nursery: Nursery, plant: Plant, signer: Signer) -> Sweep:
    return Sweep(nursery, plant, signer)


@pytest.fixture
def tracer() -> None:
    """Skips a test whose faults need strace; the same is asserted with failpoints elsewhere."""
    if reason := tracing.why_not():
        pytest.skip(reason)
