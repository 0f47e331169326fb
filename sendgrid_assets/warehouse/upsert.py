"""Upsert: a listing's rows into an object table, by its key, in one transaction.

Belongs here: reduction to one row per key, the MERGE, and marking the vanished. Does not: fetching rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import sync_log
from .casting import left_over, typed, values
from .errors import KeylessRowError, OlderListingError
from .sql import name, names, text
from .stage import largest_object

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

    from sendgrid_assets.catalog.collection import ObjectCollection

    from .stage import Staged

_LARGEST_ROW = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upserted:
    """What an upsert did, in rows.

    Attributes:
        complete: whether the batch was proven to hold every row.
        distinct: rows of the batch, by key.
        inserted: new to the table.
        updated: with a changed value, or returned.
        unchanged: seen as they were.
        deleted: newly marked as vanished.
        total: in the table now, marked ones too.
        unmodelled: names of fields that went to `extra`.
    """

    complete: bool
    distinct: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    total: int
    unmodelled: tuple[str, ...] = ()


def upsert(
    connection: DuckDBPyConnection,
    collection: ObjectCollection,
    *,
    source: str,
    schema: str,
    rows: Staged,
    started_at: dt.datetime,
    whole: bool,
    expected: int | None = None,
) -> Upserted:
    """Loads a listing, inside the caller's transaction.

    Args:
        connection: the warehouse.
        collection: whose rows they are.
        source: the source's name.
        schema: its schema.
        rows: the listing.
        started_at: when the listing was begun (UTC).
        whole: whether the listing was read to its end, undisturbed.
        expected: how many rows SendGrid says there are; None where it does not say. Only a whole listing with
            no fewer distinct rows proves that the others are gone.

    Raises:
        KeylessRowError: a row lacks its key.
        OlderListingError: a listing begun later was loaded meanwhile.
    """
    newest = sync_log.newest_loaded(connection, source, collection.table)
    if newest and newest > started_at:
        raise OlderListingError(
            f"{schema}.{collection.table} holds a listing begun later ({newest} UTC): this one is dropped."
        )
    data = [column.name for column in collection.sent_columns] + ["extra"]
    return merge(
        connection,
        name(schema, collection.table),
        _reduced(collection, rows),
        key=collection.key,
        data=data,
        now=sync_log.utc_now(),
        whole=whole,
        expected=expected,
    )


def merge(
    connection: DuckDBPyConnection,
    table: str,
    batch: str,
    *,
    key: Sequence[str],
    data: Sequence[str],
    now: dt.datetime,
    whole: bool,
    expected: int | None = None,
) -> Upserted:
    """Merges a batch with one row per key into a table that keeps `first_synced_at` and its kin.

    Args:
        connection: the warehouse, in a transaction.
        table: the quoted table.
        batch: a query with the columns of `data`.
        key: columns that identify a row.
        data: columns to keep, the key among them.
        now: the instant to note (UTC).
        whole: whether the batch was read to its end, so that rows absent from it may be marked as deleted.
        expected: rows it must have for that.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE batch AS {batch}")
    _require_keys(connection, table, key)
    (distinct,) = _counts(connection, "SELECT count(*) FROM batch")
    complete = whole and (expected is None or distinct >= expected)
    on = " AND ".join(f"t.{name(column)} = s.{name(column)}" for column in key)
    values_ = [column for column in data if column not in key]
    differs = (
        " OR ".join(f"t.{name(column)} IS DISTINCT FROM s.{name(column)}" for column in values_) or "false"
    )
    instant = f"TIMESTAMP {text(now)}"
    assignments = "".join(f"{name(column)} = s.{name(column)}, " for column in values_)
    vanished = (
        f" WHEN NOT MATCHED BY SOURCE AND t.deleted_at IS NULL THEN UPDATE SET deleted_at = {instant}"
        if complete
        else ""
    )
    columns = [*data, "first_synced_at", "synced_at", "changed_at"]
    inserted = ", ".join([*(f"s.{name(column)}" for column in data), instant, instant, instant])
    returned, before = _counts(
        connection,
        f"SELECT count(*) FILTER (t.deleted_at IS NOT NULL AND NOT ({differs})), count(*)"
        f" FROM {table} t JOIN batch s ON {on}",
    )
    connection.execute(
        f"MERGE INTO {table} AS t USING batch AS s ON {on}"
        f" WHEN MATCHED AND ({differs}) THEN UPDATE SET {assignments}"
        f"synced_at = {instant}, changed_at = {instant}, deleted_at = NULL"
        f" WHEN MATCHED THEN UPDATE SET synced_at = {instant}, deleted_at = NULL"
        f" WHEN NOT MATCHED THEN INSERT ({names(columns)}) VALUES ({inserted}){vanished}"
    )
    inserted_rows, changed, deleted, total = _counts(
        connection,
        f"SELECT count(*) FILTER (first_synced_at = {instant}),"
        f" count(*) FILTER (changed_at = {instant} AND first_synced_at <> {instant}),"
        f" count(*) FILTER (deleted_at = {instant}), count(*) FROM {table}",
    )
    updated = changed + returned
    return Upserted(
        complete=complete,
        distinct=distinct,
        inserted=inserted_rows,
        updated=updated,
        unchanged=before - updated,
        deleted=deleted,
        total=total,
        unmodelled=_unmodelled(connection, data),
    )


def _reduced(collection: ObjectCollection, rows: Staged) -> str:
    """The batch: typed, and one row per key, the last sent or the newest."""
    columns = collection.sent_columns
    selected = ", ".join(f"{typed(column, n)} AS {name(column.name)}" for n, column in enumerate(columns, 1))
    newest = f"{name(collection.newest_by)} DESC NULLS LAST, " if collection.newest_by else ""
    extra = left_over(enumerate(columns, 1), collection.ignored)
    return (
        f"SELECT * EXCLUDE (place, json, v), {extra} AS extra FROM (SELECT place, json, v, {selected}"
        f" FROM (SELECT place, json, {values(columns)} AS v FROM (SELECT json, row_number() OVER () AS place"
        f" FROM read_ndjson_objects({text(rows.path)},"
        f" maximum_object_size = {largest_object(rows.path, _LARGEST_ROW)}))))"
        f" QUALIFY row_number() OVER (PARTITION BY {names(collection.key)} ORDER BY {newest}place DESC) = 1"
    )


def _require_keys(connection: DuckDBPyConnection, table: str, key: Sequence[str]) -> None:
    missing = " OR ".join(f"{name(column)} IS NULL" for column in key)
    (keyless,) = _counts(connection, f"SELECT count(*) FROM batch WHERE {missing}")
    if keyless:
        raise KeylessRowError(
            f"A row for {table} has no {' and '.join(key)}: nothing of the listing is loaded."
        )


def _unmodelled(connection: DuckDBPyConnection, data: Sequence[str]) -> tuple[str, ...]:
    if "extra" not in data:
        return ()
    found = connection.execute(
        "SELECT DISTINCT unnest(json_keys(extra)) AS field FROM batch WHERE extra IS NOT NULL ORDER BY field"
    ).fetchall()
    return tuple(str(row[0]) for row in found)


def _counts(connection: DuckDBPyConnection, query: str) -> tuple[int, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    return tuple(row)
