"""How much is in a table.

Belongs here: counts that are shown. Does not: metrics (insights).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .sql import name, names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection


def row_count(connection: DuckDBPyConnection, schema: str, table: str) -> int:
    """Rows of a table or view."""
    row = connection.execute(f"SELECT count(*) FROM {name(schema, table)}").fetchone()
    return int(row[0]) if row else 0


def repeated_keys(connection: DuckDBPyConnection, schema: str, table: str, key: Sequence[str]) -> int:
    """How many keys a table has more than once."""
    row = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM {name(schema, table)} GROUP BY {names(key)} HAVING count(*) > 1)"
    ).fetchone()
    return int(row[0]) if row else 0
