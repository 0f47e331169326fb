"""What DuckDB may take in work of any amount."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pytest

from sendgrid_assets.warehouse import append, publish
from sendgrid_assets.warehouse.file import bound_memory

from .conftest import Store, event

LIMIT = "SELECT parse_formatted_bytes(current_setting('memory_limit'))"


def bound(connection: duckdb.DuckDBPyConnection) -> int:
    found = connection.execute(LIMIT).fetchone()
    assert found
    return int(found[0])


def test_it_is_lowered_and_never_raised() -> None:
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '8GB'")
        bound_memory(connection)
        assert bound(connection) == pytest.approx(700_000_000, rel=0.01)
        connection.execute("SET memory_limit = '200MB'")
        bound_memory(connection)
        assert bound(connection) == pytest.approx(200_000_000, rel=0.01)


def test_drains_and_publishes_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = []

    def noting(step: Callable[..., object]) -> Callable[..., object]:
        def noted(connection: duckdb.DuckDBPyConnection, *rest: object) -> object:
            bounds.append(bound(connection))
            return step(connection, *rest)

        return noted

    monkeypatch.setattr(append, "decide", noting(append.decide))
    monkeypatch.setattr(publish, "refresh", noting(publish.refresh))
    store.load(event("a"))
    publish.publish(store.warehouse, store.folder / "published.duckdb")
    assert bounds == [pytest.approx(700_000_000, rel=0.01)] * 2
