"""pandas DataFrames in and out of tables.

Belongs here: a user's own frame, upserted by its key, and a table as a frame. Does not: SendGrid's collections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendgrid_assets.catalog.collection import KEEPING_COLUMNS

from .errors import FrameError
from .merge import PLACE, Rows, Upserted, merge
from .sql import name
from .sync_log import utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from duckdb import DuckDBPyConnection

_KEPT = tuple(column for column in KEEPING_COLUMNS if column.name != "extra")


def read_frame(connection: DuckDBPyConnection, schema: str, table: str) -> pd.DataFrame:
    """The whole table."""
    return connection.execute(f"SELECT * FROM {name(schema, table)}").df()


def upsert_frame(
    connection: DuckDBPyConnection, schema: str, table: str, frame: pd.DataFrame, key: Sequence[str]
) -> Upserted:
    """Upserts a frame inside the caller's transaction; the table and new columns are made as needed.

    Of several rows with one key the last counts. Rows that are not in the frame stay; columns the table keeps
    for itself (`synced_at` and its kin) are left out of it.

    Raises:
        FrameError: a key column is missing.
        KeylessRowError: a row has no key.
    """
    missing = [column for column in key if column not in frame.columns]
    if missing:
        raise FrameError(f"The frame for {schema}.{table} lacks its key {', '.join(missing)}.")
    data = [str(column) for column in frame.columns if column not in {kept.name for kept in _KEPT}]
    connection.register("frame", frame)
    try:
        types = _make_room(connection, schema, table, data)
        selected = ", ".join(
            f"CAST({name(column)} AS {types[column.lower()]}) AS {name(column)}" for column in data
        )
        place = f", row_number() OVER () AS {name(PLACE)}"

        def query(ordered: bool) -> str:
            return f"SELECT {selected}{place if ordered else ''} FROM frame"

        rows = Rows(query=query, key=key, data=data)
        return merge(connection, name(schema, table), rows, now=utc_now(), whole=False)
    finally:
        connection.unregister("frame")


def _make_room(
    connection: DuckDBPyConnection, schema: str, table: str, data: Sequence[str]
) -> dict[str, str]:
    """Makes what is missing of the table; returns the types of all its columns, by name in lower case."""
    found = ", ".join(f"typeof(any_value({name(column)}))" for column in data)
    # A row whether or not the frame has one; nothing but None has no type of its own, which DESCRIBE hides.
    row = connection.execute(f"SELECT {found} FROM frame WHERE false").fetchone() or ()
    types = {column: type_.replace('"NULL"', "VARCHAR") for column, type_ in zip(data, row, strict=True)}
    types.update((kept.name, kept.type) for kept in _KEPT)
    declared = ", ".join(f"{name(column)} {type_}" for column, type_ in types.items())
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {name(schema)}")
    connection.execute(f"CREATE TABLE IF NOT EXISTS {name(schema, table)} ({declared})")
    for column, type_ in types.items():
        connection.execute(
            f"ALTER TABLE {name(schema, table)} ADD COLUMN IF NOT EXISTS {name(column)} {type_}"
        )
    return {
        row[0].lower(): row[1] for row in connection.execute(f"DESCRIBE {name(schema, table)}").fetchall()
    }
