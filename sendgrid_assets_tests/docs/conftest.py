"""A published file with everything in it, made once for all pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from sendgrid_assets.docs.examples import simulated


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published file of a simulated account, synced twice, with three weeks of events."""
    with pytest.MonkeyPatch.context() as patch:
        # It is set on the way, and must not be for other tests.
        patch.setenv("DAGSTER_HOME", "")
        published = simulated(tmp_path_factory.mktemp("filled")).published
    assert published
    return published


@pytest.fixture
def reader(filled: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(filled, read_only=True) as connection:
        yield connection
