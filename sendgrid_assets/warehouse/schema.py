"""The warehouse's structure, all of it from the catalog: tables, comments, views, and its version.

Belongs here: DDL and additive migration. Does not: rows.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from sendgrid_assets.catalog import bookkeeping
from sendgrid_assets.catalog.events import ACTIVITY_COLUMNS, ACTIVITY_DESCRIPTION, EVENT_COLLECTIONS
from sendgrid_assets.catalog.insights import INSIGHTS
from sendgrid_assets.catalog.objects import OBJECT_COLLECTIONS
from sendgrid_assets.catalog.rollups import ROLLUPS

from . import custom_fields, insight_views, rollup_tables
from .errors import NewerWarehouseError
from .sql import literal, name, names, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from duckdb import DuckDBPyConnection

    from sendgrid_assets.catalog.column import Column
    from sendgrid_assets.settings import Settings

VERSION = 1
"""Version of the structure; a warehouse with a higher one was written by a newer release."""


@dataclass(frozen=True, slots=True)
class SourceSchema:
    """A source's place in the warehouse.

    Attributes:
        source: the source's name.
        schema: its schema.
        segment_views: whether Segment's view names are made too.
        time_zone: IANA name of the zone in which the insights' days begin and end.
    """

    source: str
    schema: str
    segment_views: bool = False
    time_zone: str = "UTC"


def schemas_of(settings: Settings) -> tuple[SourceSchema, ...]:
    """Where each of the settings' sources is."""
    return tuple(
        SourceSchema(source.name, source.schema_name, source.segment_views, settings.time_zone)
        for source in settings.sources
    )


def apply(connection: DuckDBPyConnection, schemas: Sequence[SourceSchema]) -> None:
    """Makes the structure what this release's catalog says, in one transaction; nothing if it is already.

    Tables only ever gain columns. A schema whose source is gone keeps its tables.

    Raises:
        NewerWarehouseError: a newer release wrote the warehouse.
    """
    fingerprint = _fingerprint(tuple(schemas))
    known = _version(connection)
    if known and known[0] > VERSION:
        raise NewerWarehouseError(
            f"The warehouse has structure {known[0]} and this release knows {VERSION}: install the newer one."
        )
    if known == (VERSION, fingerprint):
        return
    connection.execute("BEGIN")
    try:
        for statement in _creation(schemas):
            connection.execute(statement)
        for statement in _missing_columns(connection, schemas):
            connection.execute(statement)
        for schema in schemas:
            rollup_tables.prepare(connection, schema.source, schema.time_zone)
        for statement in (*_views(schemas), *_comments(schemas)):
            connection.execute(statement)
        for schema in schemas:
            for contacts in custom_fields.TABLES:
                custom_fields.refresh(connection, schema.schema, contacts)
        table = name(bookkeeping.SCHEMA, "schema_version")
        applied_at = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        version = f"{VERSION}, {text(fingerprint)}, {literal(applied_at)}"
        connection.execute(f"INSERT INTO {table} VALUES ({version})")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    if known is None:
        # Or each open until the first publish would replay a thousand statements.
        connection.execute("CHECKPOINT")


@cache
def _fingerprint(schemas: tuple[SourceSchema, ...]) -> str:
    fields = (*custom_fields.TABLES, *custom_fields.TYPED.values())
    rollups = (rollup_tables.definition(schema.time_zone) for schema in schemas)
    wanted = (*_creation(schemas), *_views(schemas), *_comments(schemas), *fields, *rollups)
    return hashlib.sha256("\n".join(wanted).encode()).hexdigest()


def _version(connection: DuckDBPyConnection) -> tuple[int, str] | None:
    exists = connection.execute(
        f"SELECT 1 FROM duckdb_tables() WHERE schema_name = {text(bookkeeping.SCHEMA)}"
        " AND table_name = 'schema_version'"
    ).fetchone()
    if not exists:
        return None
    return connection.execute(
        f"SELECT version, fingerprint FROM {name(bookkeeping.SCHEMA, 'schema_version')}"
        " ORDER BY version DESC, applied_at DESC LIMIT 1"
    ).fetchone()


@dataclass(frozen=True, slots=True)
class _Table:
    schema: str
    table: str
    description: str
    columns: tuple[Column, ...]


def _tables(schemas: Iterable[SourceSchema]) -> Iterator[_Table]:
    for kept in bookkeeping.BOOKKEEPING_TABLES:
        yield _Table(bookkeeping.SCHEMA, kept.table, kept.description, kept.columns)
    for schema in schemas:
        for collection in (*OBJECT_COLLECTIONS, *EVENT_COLLECTIONS):
            yield _Table(schema.schema, collection.table, collection.description, collection.columns)


def _creation(schemas: Sequence[SourceSchema]) -> Iterator[str]:
    yield f"CREATE SCHEMA IF NOT EXISTS {name(bookkeeping.SCHEMA)}"
    for schema in schemas:
        yield f"CREATE SCHEMA IF NOT EXISTS {name(schema.schema)}"
    for table in _tables(schemas):
        columns = ", ".join(f"{name(column.name)} {column.type}" for column in table.columns)
        yield f"CREATE TABLE IF NOT EXISTS {name(table.schema, table.table)} ({columns})"


def _missing_columns(connection: DuckDBPyConnection, schemas: Sequence[SourceSchema]) -> list[str]:
    there = set(
        connection.execute(
            "SELECT schema_name, table_name, column_name FROM duckdb_columns()"
            " WHERE database_name = current_database()"
        ).fetchall()
    )
    return [
        f"ALTER TABLE {name(table.schema, table.table)} ADD COLUMN {name(column.name)} {column.type}"
        for table in _tables(schemas)
        for column in table.columns
        if (table.schema, table.table, column.name) not in there
    ]


def _views(schemas: Sequence[SourceSchema]) -> Iterator[str]:
    for schema in schemas:
        union = " UNION ALL BY NAME ".join(
            f"SELECT * FROM {name(schema.schema, collection.table)}" for collection in EVENT_COLLECTIONS
        )
        columns = names(column.name for column in ACTIVITY_COLUMNS)
        yield f"CREATE OR REPLACE VIEW {name(schema.schema, 'activity')} AS SELECT {columns} FROM ({union})"
        if schema.segment_views:
            yield from _segment_views(schema.schema)
        yield from insight_views.creation(schema.source, schema.schema, schema.time_zone)


_AS_SEGMENT = {
    "timestamp": "epoch_us(timestamp) // 1000000",
    # No category is NULL: of an empty list DuckDB 1.1 makes that, and 1.5 an empty text.
    "category": "nullif(array_to_string(category, ','), '')",
    "attempt": "attempt::VARCHAR",
    "tls": "tls::INTEGER",
}
"""Columns of event tables that have another type in Segment's warehouses."""


def _segment_views(schema: str) -> Iterator[str]:
    """Segment's names: `<table>_view` for each, and `_open`, with the columns and types that SQL there relies on."""
    events = [(collection.table, collection.columns) for collection in EVENT_COLLECTIONS]
    for table, columns in (*events, ("activity", ACTIVITY_COLUMNS)):
        held = [column.name for column in columns if column.name in _AS_SEGMENT]
        replaced = ", ".join(f"{_AS_SEGMENT[column]} AS {name(column)}" for column in held)
        query = f"SELECT sg_event_id AS id, * REPLACE ({replaced}), loaded_at AS uuid_ts FROM {name(schema, table)}"
        yield f"CREATE OR REPLACE VIEW {name(schema, f'{table}_view')} AS {query}"
        if table == "open":
            yield f"CREATE OR REPLACE VIEW {name(schema, '_open')} AS {query}"
    for collection in OBJECT_COLLECTIONS:
        view = name(schema, f"{collection.table}_view")
        yield (
            f"CREATE OR REPLACE VIEW {view} AS SELECT *, synced_at AS received_at, synced_at AS uuid_ts"
            f" FROM {name(schema, collection.table)} WHERE deleted_at IS NULL"
        )


def _comments(schemas: Sequence[SourceSchema]) -> Iterator[str]:
    for table in _tables(schemas):
        qualified = name(table.schema, table.table)
        yield f"COMMENT ON TABLE {qualified} IS {text(table.description)}"
        yield from _column_comments(qualified, table.columns)
    for schema in schemas:
        qualified = name(schema.schema, "activity")
        yield f"COMMENT ON VIEW {qualified} IS {text(ACTIVITY_DESCRIPTION)}"
        yield from _column_comments(qualified, ACTIVITY_COLUMNS)
        for insight in INSIGHTS:
            qualified = name(schema.schema, insight.view)
            yield f"COMMENT ON VIEW {qualified} IS {text(insight.description)}"
            yield from _column_comments(qualified, insight.columns)
        for rollup in ROLLUPS:
            qualified = rollup_tables.table(schema.source, rollup)
            yield f"COMMENT ON TABLE {qualified} IS {text(rollup.description)}"
            yield from _column_comments(qualified, rollup.columns)


def _column_comments(qualified: str, columns: Iterable[Column]) -> Iterator[str]:
    for column in columns:
        yield f"COMMENT ON COLUMN {qualified}.{name(column.name)} IS {text(column.description)}"
