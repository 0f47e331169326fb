"""The rollups' tables: their names, and making them anew when their definition changes.

Belongs here: structure and the definition's fingerprint. Does not: rows (`warehouse.rollup`).
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

from sendgrid_assets.catalog.bookkeeping import SCHEMA
from sendgrid_assets.catalog.rollups import ROLLUPS, Rollup

from . import rollup_sql
from .sql import name, text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STATE = name(SCHEMA, "rollups")


def table(source: str, rollup: Rollup) -> str:
    """The quoted name of a source's rollup."""
    return name(SCHEMA, f"{source}_{rollup.table}")


@cache
def definition(time_zone: str) -> str:
    """SHA-256, hexadecimal, of all that decides what stands in the rollups.

    Args:
        time_zone: IANA name of the zone in which days begin and end.
    """
    parts = (
        *(f"{rollup.table} {column.name} {column.type}" for rollup in ROLLUPS for column in rollup.columns),
        rollup_sql.new_mail("schema", time_zone, "within"),
        rollup_sql.keyed("mail", "known"),
        rollup_sql.as_messages("mail"),
        rollup_sql.combined_messages("rows"),
        rollup_sql.as_days("mail"),
        rollup_sql.combined_days("rows"),
        rollup_sql.recipients("messages"),
        rollup_sql.judged_clicks("clicks", "delivered"),
        rollup_sql.with_bots("rows", "clicks", "judged", "message"),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def prepare(connection: DuckDBPyConnection, source: str, time_zone: str) -> None:
    """Makes a source's rollups, empty, where they are missing or were defined otherwise."""
    known = connection.execute(f"SELECT definition FROM {STATE} WHERE source = {text(source)}").fetchone()
    if known != (definition(time_zone),):
        empty(connection, source, time_zone)


def empty(connection: DuckDBPyConnection, source: str, time_zone: str) -> None:
    """Makes a source's rollups anew, without rows: the next refresh reads every event."""
    for rollup in ROLLUPS:
        columns = ", ".join(f"{name(column.name)} {column.type}" for column in rollup.columns)
        connection.execute(f"CREATE OR REPLACE TABLE {table(source, rollup)} ({columns})")
    connection.execute(f"DELETE FROM {STATE} WHERE source = {text(source)}")
    connection.execute(
        f"INSERT INTO {STATE} (source, definition, events)"
        f" VALUES ({text(source)}, {text(definition(time_zone))}, 0)"
    )
