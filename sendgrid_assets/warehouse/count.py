"""How much is in a table.

Belongs here: counts that are shown. Does not: metrics (insights).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from .sql import name, names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection


def row_count(connection: DuckDBPyConnection, schema: str, table: str) -> int:
    """Rows of a table or view."""
    row = connection.execute(f"SELECT count(*) FROM {name(schema, table)}").fetchone()
    return int(row[0]) if row else 0


def published_counts(published: Path, schema: str, tables: Iterable[str]) -> dict[str, int]:
    """Rows of several tables or views of a published file, which is read beside whoever writes the warehouse."""
    with duckdb.connect(published, read_only=True) as connection:
        return {table: row_count(connection, schema, table) for table in tables}


def repeated_keys(connection: DuckDBPyConnection, schema: str, table: str, key: Sequence[str]) -> int:
    """How many keys a table has more than once."""
    row = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM {name(schema, table)} GROUP BY {names(key)} HAVING count(*) > 1)"
    ).fetchone()
    return int(row[0]) if row else 0


def unmodelled_fields(connection: DuckDBPyConnection, schema: str, table: str) -> tuple[str, ...]:
    """Names of the fields in `extra`, over all rows that SendGrid still has."""
    found = connection.execute(
        f"SELECT DISTINCT unnest(json_keys(extra)) AS field FROM {name(schema, table)}"
        " WHERE extra IS NOT NULL AND deleted_at IS NULL ORDER BY field"
    ).fetchall()
    return tuple(str(row[0]) for row in found)
