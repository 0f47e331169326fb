"""Warehouses as older states of this project wrote them open in today's with every row and value, and go on.

`older/` has them, packed: two opens, a click, a bounce, an unknown event, a reject and a conflict of two files, and two
lists of which one is gone. A release adds its own beside them.
"""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sendgrid_assets.warehouse.publish import publish
from sendgrid_assets.warehouse.schema import VERSION

from .conftest import T0, Store, event

OLDER = sorted((Path(__file__).parent / "older").glob("*.duckdb.xz"))

# What was drained into each, as it was sent.
FILES: dict[str, tuple[Any, ...]] = {
    "one.ndjson": (
        event("A", ip="192.0.2.1", url="https://shop.example/1", category=["news"], order=7),
        event("B", "click", timestamp=T0 + 1, url="https://shop.example/2"),
        "torn",
    ),
    "two.ndjson": (
        event("C", "bounce", email=None, reason="full", timestamp=T0 + 2),
        event("A2", ip="192.0.2.1", url="https://shop.example/1", category=["news"], order=7),
        event("D", "read_confirmed", timestamp=T0 + 3),
        event("A", ip="::1"),
    ),
}

TABLES = """
SELECT schema_name, table_name, list(column_name ORDER BY column_index) FROM duckdb_columns()
JOIN duckdb_tables() USING (schema_name, table_name) GROUP BY ALL ORDER BY ALL
"""


@pytest.fixture(params=OLDER, ids=[path.name.split(".")[0] for path in OLDER])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.warehouse.path.write_bytes(lzma.decompress(request.param.read_bytes()))
    return store


def everything(store: Store) -> dict[tuple[str, str], tuple[list[str], list[tuple[Any, ...]]]]:
    """All columns and rows of all tables, without this release's touch."""
    with duckdb.connect(store.warehouse.path, read_only=True) as connection:
        return {
            (schema, table): (columns, rows(connection, schema, table, columns))
            for schema, table, columns in connection.execute(TABLES).fetchall()
        }


def rows(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, columns: list[str]
) -> list[tuple[Any, ...]]:
    named = ", ".join(f'"{column}"' for column in columns)
    return connection.execute(f'SELECT {named} FROM "{schema}"."{table}" ORDER BY ALL').fetchall()


def test_every_row_and_value_is_kept(older: Store) -> None:
    before = everything(older)
    assert sum(len(held) for _, held in before.values()) > 10
    with older.warehouse.open() as connection:
        found = {
            (schema, table): rows(connection, schema, table, columns)
            for (schema, table), (columns, _) in before.items()
            if table != "schema_version"
        }
        versions = connection.execute("SELECT max(version) FROM _sendgrid_assets.schema_version").fetchone()
    assert found == {key: held for key, (_, held) in before.items() if key[1] != "schema_version"}
    assert versions == (VERSION,)
    # Opened twice, it is as opened once.
    once = everything(older)
    older.query("SELECT 1")
    assert everything(older) == once


def test_what_was_loaded_then_is_known_now(older: Store) -> None:
    before, rejects = older.rows("sendgrid.activity"), older.rejects("*")
    for name, lines in FILES.items():
        older.land(*lines, name=name)
    done = older.drain()
    assert (done.rows, done.rejected) == ({}, 0)
    assert (older.rows("sendgrid.activity"), older.rejects("*"), len(older.ledger())) == (before, rejects, 2)
    assert [(id_, copy) for id_, _, copy in older.activity() if copy] == [("A2", "A")]
    assert older.load(
        event("new", singlesend_id="s"), event("D2", "read_confirmed", timestamp=T0 + 3)
    ).rows == {
        "open": 1,
        "other_event": 1,
    }
    assert ("D2", "read_confirmed", "D") in older.activity()
    assert (
        older.sync("lists", {"id": 1, "name": "readers", "recipient_count": 6, "colour": "blue"}).updated == 1
    )
    assert publish(older.warehouse, older.published) is not None
    with duckdb.connect(older.published, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM sendgrid.activity").fetchone() == (len(before) + 2,)
        opened = connection.execute("SELECT sum(unique_opens) FROM sendgrid.email_daily").fetchone()
    assert opened is not None
    assert opened[0] > 0
