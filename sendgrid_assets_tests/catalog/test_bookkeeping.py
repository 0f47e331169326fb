"""The bookkeeping tables, which users query to see what was synced, loaded and rejected."""

import re
from typing import get_args

import pytest

from sendgrid_assets.catalog.bookkeeping import BOOKKEEPING_TABLES, SCHEMA, BookkeepingTable
from sendgrid_assets.catalog.column import SqlType
from sendgrid_assets.settings import RESERVED_SCHEMAS

COLUMNS = {
    "sync_runs": "run_id source table_name started_at ended_at status complete fetched inserted updated unchanged "
    "deleted requests waited_seconds message mode since",
    "loaded_files": "source file size sha256 events rejected loaded_at",
    "changes": "source table_name key changed_at kind before after",
    "rejected_events": "source file line reason raw rejected_at",
}


def test_no_source_can_have_its_schema() -> None:
    assert SCHEMA == "_sendgrid_assets"
    assert SCHEMA in RESERVED_SCHEMAS


def test_columns_that_users_query_are_there() -> None:
    found = {table.table: " ".join(column.name for column in table.columns) for table in BOOKKEEPING_TABLES}
    assert {name: found[name] for name in COLUMNS} == COLUMNS
    assert "schema_version" in found
    assert len(found) == len(BOOKKEEPING_TABLES)


@pytest.mark.parametrize("table", BOOKKEEPING_TABLES, ids=lambda table: table.table)
def test_it_is_described(table: BookkeepingTable) -> None:
    assert re.fullmatch(r"One row per .*[^ .]\.", table.description)
    names = [column.name for column in table.columns]
    assert len(set(names)) == len(names)
    for column in table.columns:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)
        assert column.type in get_args(SqlType)
        assert not column.path
        assert re.fullmatch(r"[A-Z`].*[^ .]\.", column.description)
