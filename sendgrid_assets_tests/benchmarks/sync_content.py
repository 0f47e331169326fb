"""What the warehouses of the benchmark `sync` hold, said alike for all variants.

Belongs here: the digest. Does not: filling them (`sync`, `sync_peer`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def content(connection: DuckDBPyConnection, contacts: str, recipients: str) -> tuple[int, str]:
    """How many rows two tables hold, and a digest of columns that all variants name alike."""
    rows, digest = 0, []
    for table, key in ((contacts, "COLUMNS('^(contact_)?id$')"), (recipients, "id")):
        found = connection.execute(
            f"SELECT count(*), sum(hash({key}::VARCHAR, email::VARCHAR, first_name::VARCHAR)::HUGEINT) FROM {table}"
        ).fetchone()
        assert found is not None
        rows += found[0]
        digest.append(str(found[1]))
    return rows, " ".join(digest)
