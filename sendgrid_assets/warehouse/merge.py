"""Merge: rows into a table by key.

Belongs here: what is new, changed, returned, seen and vanished, and how many of each. Does not: where the rows
come from (`warehouse.upsert`, `warehouse.frame`), what is noted of changes (`warehouse.history`).

Rows are read, cast and compared in one query, and values are kept only of those that are new or differ: measured
on contacts of which 1 % changed, writing all of them aside first takes up to a seventh more, and one MERGE that
touches the unchanged rows too half as much again. A key that comes twice is rare, so only then is it all read
again, in order, for its last row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import KeylessRowError
from .sql import literal, name, names

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from duckdb import DuckDBPyConnection

BATCH = "batch"
"""Temporary table with the key of every row, `KIND`, and the values where there is one."""

KIND, BEFORE, AFTER, PLACE = "sync.kind", "sync.before", "sync.after", "sync.place"
"""Columns that no table has."""

_ROW, _NEW, _GONE, _DIFFERS = "sync.row", "sync.new", "sync.gone", "sync.differs"


@dataclass(frozen=True, slots=True)
class Upserted:
    """What an upsert did, in rows.

    Attributes:
        complete: whether the batch was proven to hold every row that was asked for.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows to merge.

    Attributes:
        query: gives the query with the columns of `data`; if its argument is true, also `PLACE`, which counts
            the rows as they were sent.
        key: columns that identify a row.
        data: columns to keep, the key among them.
        newest_by: column that tells which of several rows of one key is kept; else the last one sent.
        extra: column with an object of fields that have no column; None if there is none.
        noted: `BEFORE` and `AFTER`, of rows `t` that stand in the table and rows `s` of the query.
    """

    query: Callable[[bool], str]
    key: Sequence[str]
    data: Sequence[str]
    newest_by: str | None = None
    extra: str | None = None
    noted: Sequence[str] = ()

    @property
    def same(self) -> str:
        """Whether rows `t` and `s` have one key."""
        return " AND ".join(f"t.{name(column)} = s.{name(column)}" for column in self.key)

    @property
    def values(self) -> list[str]:
        """The columns that are not the key."""
        return [column for column in self.data if column not in self.key]


def merge(
    connection: DuckDBPyConnection,
    table: str,
    rows: Rows,
    *,
    now: dt.datetime,
    whole: bool,
    expected: int | None = None,
    vanishing: str | None = None,
) -> Upserted:
    """Merges rows into a table that keeps `first_synced_at` and its kin.

    Args:
        connection: the warehouse, in a transaction.
        table: the quoted table.
        rows: what to merge.
        now: the instant to note (UTC).
        whole: whether the rows were read to their end.
        expected: how many there must be for that to be believed.
        vanishing: condition on rows `t`: which are marked as deleted where a complete batch lacks them; None for
            no row.

    Raises:
        KeylessRowError: a row lacks its key.
    """
    instant = literal(now)
    _stage(connection, table, rows)
    _require_keys(connection, table, rows)
    (seen,) = _counts(
        connection,
        f"UPDATE {table} SET synced_at = {instant} WHERE rowid IN (SELECT {name(_ROW)} FROM {BATCH})",
    )
    if _has_a_key_twice(connection, rows, seen):
        _stage(connection, table, rows, reduced=True)
    distinct, inserted, updated = _counts(
        connection,
        f"SELECT count(*), count(*) FILTER ({name(KIND)} = 'insert'),"
        f" count(*) FILTER ({name(KIND)} IN ('update', 'return')) FROM {BATCH}",
    )
    complete = whole and (expected is None or distinct >= expected)
    deleted = 0
    if complete and vanishing:
        # Rows that were seen bear this very instant: comparing it is much faster than another join.
        (deleted,) = _counts(
            connection,
            f"UPDATE {table} AS t SET deleted_at = {instant}"
            f" WHERE deleted_at IS NULL AND synced_at IS DISTINCT FROM {instant} AND ({vanishing})",
        )
    if updated:
        _update(connection, table, rows, instant)
    if inserted:
        _insert(connection, table, rows, instant)
    (total,) = _counts(connection, f"SELECT count(*) FROM {table}")
    return Upserted(
        complete=complete,
        distinct=distinct,
        inserted=inserted,
        updated=updated,
        unchanged=distinct - inserted - updated,
        deleted=deleted,
        total=total,
        unmodelled=_unmodelled(connection, rows.extra) if rows.extra else (),
    )


def _stage(connection: DuckDBPyConnection, table: str, rows: Rows, *, reduced: bool = False) -> None:
    compared = _compared(table, rows, reduced=reduced)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {BATCH} AS {compared}")


def _require_keys(connection: DuckDBPyConnection, table: str, rows: Rows) -> None:
    missing = " OR ".join(f"{name(column)} IS NULL" for column in rows.key)
    if connection.execute(f"SELECT 1 FROM {BATCH} WHERE {missing} LIMIT 1").fetchone():
        raise KeylessRowError(
            f"A row for {table} has no {' and '.join(rows.key)}: nothing of the listing is loaded."
        )


def _has_a_key_twice(connection: DuckDBPyConnection, rows: Rows, seen: int) -> bool:
    """Whether the batch has more rows than keys; `seen` is how many of the table's rows it has."""
    # Grouping all keys would take as long as the MERGE, so keys of the table are told by their number.
    (there,) = _counts(
        connection, f"SELECT count(*) FROM {BATCH} WHERE {name(KIND)} IS DISTINCT FROM 'insert'"
    )
    if there != seen:
        return True
    written = f"SELECT {names(rows.key)} FROM {BATCH} WHERE {name(KIND)} IS NOT NULL"
    twice = f"SELECT 1 FROM ({written}) GROUP BY {names(rows.key)} HAVING count(*) > 1 LIMIT 1"
    return connection.execute(twice).fetchone() is not None


def _compared(table: str, rows: Rows, *, reduced: bool) -> str:
    """The batch: what each row is to the table, and its values where they are to be written."""
    differs = " OR ".join(f"t.{name(column)} IS DISTINCT FROM s.{name(column)}" for column in rows.values)
    new = f"t.{name(rows.key[0])} IS NULL"
    newest = f"s.{name(rows.newest_by)} DESC NULLS LAST, " if rows.newest_by else ""
    own_key = ", ".join(f"s.{name(column)}" for column in rows.key)
    one = f" QUALIFY row_number() OVER (PARTITION BY {own_key} ORDER BY {newest}s.{name(PLACE)} DESC) = 1"
    inner = ", ".join(
        [
            *(f"s.{name(column)}" for column in rows.data),
            f"t.rowid AS {name(_ROW)}",
            f"{new} AS {name(_NEW)}",
            f"t.deleted_at IS NOT NULL AS {name(_GONE)}",
            f"NOT {new} AND ({differs or 'false'}) AS {name(_DIFFERS)}",
            *rows.noted,
        ]
    )
    kind = (
        f"CASE WHEN {name(_NEW)} THEN 'insert' WHEN {name(_GONE)} THEN 'return'"
        f" WHEN {name(_DIFFERS)} THEN 'update' END"
    )
    written = f"{name(_NEW)} OR {name(_DIFFERS)}"
    outer = ", ".join(
        [
            *(
                name(column)
                if column in rows.key or column == rows.extra
                else f"CASE WHEN {written} THEN {name(column)} END AS {name(column)}"
                for column in rows.data
            ),
            f"{kind} AS {name(KIND)}",
            name(_ROW),
            name(_DIFFERS),
            *([name(BEFORE), name(AFTER)] if rows.noted else []),
        ]
    )
    return (
        f"SELECT {outer} FROM (SELECT {inner} FROM ({rows.query(reduced)}) s LEFT JOIN {table} t ON {rows.same}"
        f"{one if reduced else ''})"
    )


def _insert(connection: DuckDBPyConnection, table: str, rows: Rows, instant: str) -> None:
    # Apart from the MERGE, which holds new rows several times over: half its memory and two thirds of its time.
    columns = [*rows.data, "first_synced_at", "synced_at", "changed_at"]
    values = ", ".join([*(name(column) for column in rows.data), instant, instant, instant])
    connection.execute(
        f"INSERT INTO {table} ({names(columns)}) SELECT {values} FROM {BATCH} WHERE {name(KIND)} = 'insert'"
    )


def _update(connection: DuckDBPyConnection, table: str, rows: Rows, instant: str) -> None:
    assigned = "".join(f"{name(column)} = s.{name(column)}, " for column in rows.values)
    connection.execute(
        f"MERGE INTO {table} AS t USING"
        f" (SELECT * FROM {BATCH} WHERE {name(KIND)} IN ('update', 'return')) AS s ON {rows.same}"
        f" WHEN MATCHED AND s.{name(_DIFFERS)}"
        f" THEN UPDATE SET {assigned}changed_at = {instant}, deleted_at = NULL"
        " WHEN MATCHED THEN UPDATE SET deleted_at = NULL"
    )


def _unmodelled(connection: DuckDBPyConnection, extra: str) -> tuple[str, ...]:
    found = connection.execute(
        f"SELECT DISTINCT unnest(json_keys({name(extra)})) AS field FROM {BATCH}"
        f" WHERE {name(extra)} IS NOT NULL ORDER BY field"
    ).fetchall()
    return tuple(str(row[0]) for row in found)


def _counts(connection: DuckDBPyConnection, query: str) -> tuple[int, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    return tuple(row)
