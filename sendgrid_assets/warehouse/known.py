"""What of a collection need not be read again, found in its table and in `sync_runs`.

Belongs here: how far back each way of reading must reach. Does not: reading (`api`).

Only a run that loaded its listing counts: one that failed or was refused advances nothing.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from sendgrid_assets.api.known import DAILY, Known
from sendgrid_assets.catalog.paging import ByActivity, ByDay

from .sql import name
from .sync_log import furthest_back, newest_full, newest_loaded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duckdb import DuckDBPyConnection

    from sendgrid_assets.catalog.collection import ObjectCollection
    from sendgrid_assets.catalog.reading import Details, Each


def known(
    connection: DuckDBPyConnection,
    *,
    source: str,
    schema: str,
    collection: ObjectCollection,
    start_date: dt.date,
    now: dt.datetime,
) -> Known:
    """What need not be read again.

    Args:
        connection: the warehouse.
        source: the source's name.
        schema: its schema.
        collection: what is about to be read.
        start_date: first day of statistics.
        now: the present instant (UTC).
    """
    looking = _Looking(connection, source, schema, collection)
    since, names = None, frozenset[str]()
    match collection.paging:
        case ByDay() as paging:
            since = looking.days(paging, start_date)
            if since and paging.names:
                names = looking.names()
        case ByActivity() as paging:
            since = looking.overlapping(_column(collection, paging.member), paging.again_seconds)
        case _ if collection.since and looking.fully_listed(now):
            since = looking.overlapping(collection.since.column, collection.since.again_seconds)
    return Known(
        start_date=start_date,
        since=since,
        names=names,
        stamps=looking.stamps(collection.details) if collection.details else {},
        counts=looking.counts(collection.each) if collection.each and looking.fully_listed(now) else {},
    )


class _Looking:
    """One collection of one source, and the queries about it."""

    def __init__(
        self, connection: DuckDBPyConnection, source: str, schema: str, collection: ObjectCollection
    ) -> None:
        self._connection, self._source, self._schema = connection, source, schema
        self._collection = collection
        self._table = name(schema, collection.table)
        self._last = newest_loaded(connection, source, collection.table)

    def fully_listed(self, now: dt.datetime) -> bool:
        """Whether the last full listing is young enough."""
        full = newest_full(self._connection, self._source, self._collection.table)
        return full is not None and now - full <= DAILY

    def overlapping(self, column: str, again_seconds: int) -> dt.datetime | None:
        """The newest instant that is there, less the overlap; None if there is none."""
        if self._last is None:
            return None
        newest: dt.datetime | None = self._value(f"SELECT max({name(column)}) FROM {self._table}")
        # An instant far in the future must not hide what comes before it.
        return min(newest, self._last) - dt.timedelta(seconds=again_seconds) if newest else None

    def days(self, paging: ByDay, start_date: dt.date) -> dt.datetime | None:
        """From which day on days are read again; None while those from the start on were never all read."""
        start = dt.datetime.combine(start_date, dt.time())
        reached = furthest_back(self._connection, self._source, self._collection.table)
        if self._last is None or reached is None or reached > start:
            return None
        return max(self._last - dt.timedelta(days=paging.again_days), start)

    def names(self) -> frozenset[str]:
        """Names whose statistics are there."""
        found = self._rows(f"SELECT DISTINCT name FROM {self._table} WHERE name IS NOT NULL")
        return frozenset(str(row[0]) for row in found)

    def stamps(self, details: Details) -> Mapping[str, dt.datetime]:
        """By id, the instant of change of rows whose details were read."""
        by = name(_column(self._collection, details.by))
        read = " OR ".join(f"{name(column.name)} IS NOT NULL" for column in details.columns)
        found = self._rows(
            f"SELECT id, {by} FROM {self._table} WHERE deleted_at IS NULL AND {by} IS NOT NULL AND ({read})"
        )
        return {str(id_): stamp for id_, stamp in found}

    def counts(self, each: Each) -> Mapping[str, int]:
        """By id of the parent, how many rows it has; nothing where they may have changed unseen."""
        if each.count is None or (each.watched and self._has_changed(each.watched)):
            return {}
        parent = name(_column(self._collection, each.into))
        found = self._rows(
            f"SELECT {parent}, count(*) FROM {self._table} WHERE deleted_at IS NULL GROUP BY {parent}"
        )
        return {str(id_): count for id_, count in found}

    def _has_changed(self, watched: str) -> bool:
        if newest_loaded(self._connection, self._source, watched) is None:
            return False
        changed: dt.datetime | None = self._value(
            f"SELECT max(greatest(changed_at, first_synced_at, deleted_at)) FROM {name(self._schema, watched)}"
        )
        return changed is not None and (self._last is None or changed > self._last)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query).fetchall()

    def _value(self, query: str) -> Any:
        row = self._connection.execute(query).fetchone()
        return row[0] if row else None


def _column(collection: ObjectCollection, member: str) -> str:
    return next(column.name for column in collection.sent_columns if column.path == (member,))
