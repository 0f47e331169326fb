"""Upsert: a listing's rows into an object table, by its key, in one transaction.

Belongs here: a listing's rows as SQL, and what a listing says about the rows it lacks. Does not: fetching rows
(`api`), merging them in (`warehouse.merge`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendgrid_assets.catalog.column import sent
from sendgrid_assets.catalog.reading import KEPT

from . import custom_fields, history, sync_log
from .casting import left_over, typed, values
from .errors import OlderListingError
from .merge import PLACE, Rows, merge
from .merge import Upserted as Upserted
from .sql import name, text
from .stage import largest_object

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

    from sendgrid_assets.catalog.collection import ObjectCollection

    from .stage import Staged

_LARGEST_ROW = 64 * 1024 * 1024
_KEPT = sent("sync.kept", "BOOLEAN", "Whether the row's details stand as they are.", path=(KEPT,))


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
    standing: Sequence[str] = (),
    partial: bool = False,
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
        standing: ids of parents that were not asked for their rows: these stand as they are.
        partial: whether only what is new was asked for, so that nothing is proven gone.

    Raises:
        KeylessRowError: a row lacks its key.
        OlderListingError: a listing begun later was loaded meanwhile.
    """
    newest = sync_log.newest_loaded(connection, source, collection.table)
    if newest and newest > started_at:
        raise OlderListingError(
            f"{schema}.{collection.table} holds a listing begun later ({newest} UTC): this one is dropped."
        )
    # The first listing is what later ones are changes of.
    noting = collection.history and newest is not None
    table, now = name(schema, collection.table), sync_log.utc_now()
    done = merge(
        connection,
        table,
        _rows(collection, table, rows, noting=noting),
        now=now,
        whole=whole,
        expected=expected,
        vanishing=None if partial or collection.lasting else _asked_for(connection, collection, standing),
    )
    if done.inserted or done.updated or done.deleted:
        if noting:
            history.write(connection, collection, source=source, table=table, now=now)
        custom_fields.refresh_after(connection, schema, collection.table)
    return done


def _asked_for(connection: DuckDBPyConnection, collection: ObjectCollection, standing: Sequence[str]) -> str:
    """Condition on rows `t`: their parent was asked for its rows."""
    if not standing or collection.each is None:
        return "true"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE standing AS SELECT unnest(?::VARCHAR[]) AS id", [standing]
    )
    member = collection.each.into
    parent = next(column.name for column in collection.sent_columns if column.path == (member,))
    return f"NOT EXISTS (SELECT 1 FROM standing WHERE standing.id = CAST(t.{name(parent)} AS VARCHAR))"


def _rows(collection: ObjectCollection, table: str, rows: Staged, *, noting: bool) -> Rows:
    def query(ordered: bool) -> str:
        sent_ = _typed(collection, rows, ordered)
        return _with_details(collection, table, sent_) if collection.details else sent_

    return Rows(
        query=query,
        key=collection.key,
        data=[column.name for column in collection.sent_columns] + ["extra"],
        newest_by=collection.newest_by,
        extra="extra",
        noted=history.noted(collection) if noting else (),
    )


def _typed(collection: ObjectCollection, rows: Staged, ordered: bool) -> str:
    columns = collection.sent_columns
    ignored = collection.ignored
    if collection.details:
        columns, ignored = (*columns, _KEPT), (*ignored, KEPT)
    selected = ", ".join(f"{typed(column, n)} AS {name(column.name)}" for n, column in enumerate(columns, 1))
    extra = left_over(enumerate(columns, 1), ignored, only=True)
    place = f"{name(PLACE)}, " if ordered else ""
    counted = f"row_number() OVER () AS {name(PLACE)}, " if ordered else ""
    return (
        f"SELECT * EXCLUDE (json, v), {extra} AS extra FROM (SELECT {place}json, v, {selected}"
        f" FROM (SELECT {place}json, {values(columns)} AS v FROM (SELECT {counted}json"
        f" FROM read_ndjson_objects({text(rows.path)},"
        f" maximum_object_size = {largest_object(rows.path, _LARGEST_ROW, rows.largest)}))))"
    )


def _with_details(collection: ObjectCollection, table: str, sent_: str) -> str:
    """Where a row's details were not asked for again, those that the table has, and what the listing leaves out."""
    assert collection.details is not None  # noqa: S101 - chosen by it
    kept = {*(column.name for column in collection.details.columns), "extra"}
    standing = ", ".join(
        f"CASE WHEN d.{name(_KEPT.name)} THEN {_standing(column, column in kept)} ELSE d.{name(column)} END"
        f" AS {name(column)}"
        for column in [*(column.name for column in collection.sent_columns), "extra"]
        if column not in collection.key
    )
    same = " AND ".join(f"k.{name(column)} = d.{name(column)}" for column in collection.key)
    return (
        f"SELECT d.* EXCLUDE ({name(_KEPT.name)}) REPLACE ({standing})"
        f" FROM ({sent_}) d LEFT JOIN {table} k ON {same}"
    )


def _standing(column: str, kept: bool) -> str:
    return f"k.{name(column)}" if kept else f"coalesce(d.{name(column)}, k.{name(column)})"
