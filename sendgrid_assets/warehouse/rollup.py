"""Refreshing the rollups: the events that came since the last time, into the rows of their messages.

Belongs here: what is new, in which portions, and the transaction. Does not: what a row is (`warehouse.rollup_sql`),
when it is done (`warehouse.publish`).

A refresh reads the new events, the rollup rows of the messages these belong to, and nothing else.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sendgrid_assets.catalog.rollups import MAIL_EVENTS, ROLLUPS

from . import rollup_sql as sql
from .append import LEDGER
from .file import transaction
from .rollup_tables import STATE, empty, table
from .sql import literal, name, text
from .sync_log import utc_now

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

    from .schema import SourceSchema

log = logging.getLogger(__name__)

PORTION = 250_000
"""About how many events are taken at once, so that memory does not grow with what waits."""


def refresh(
    connection: DuckDBPyConnection, schemas: Sequence[SourceSchema], *, portion: int = PORTION
) -> int:
    """Brings every source's rollups up to the events that are committed.

    Where events were removed, all of that source's rollups are made anew.

    Args:
        connection: the warehouse, outside of a transaction.
        schemas: the sources.
        portion: about how many events are taken in one transaction.

    Returns:
        How many events were new.
    """
    return sum(_refresh(connection, schema, portion) for schema in schemas)


def _refresh(connection: DuckDBPyConnection, schema: SourceSchema, portion: int) -> int:
    through, known = _state(connection, schema)
    there, new = _counts(connection, schema, through)
    if there == known and not new:
        return 0
    if there != known + new:
        log.info("Events of %s were removed: its insights are made anew.", schema.source)
        with transaction(connection):
            empty(connection, schema.source, schema.time_zone)
        through, known = None, 0
        there, new = _counts(connection, schema, through)
    for upto in _portions(connection, schema, through, portion):
        _take(connection, schema, through, upto)
        through = upto
    return new


def _state(connection: DuckDBPyConnection, schema: SourceSchema) -> tuple[dt.datetime | None, int]:
    row = connection.execute(
        f"SELECT loaded_through, events FROM {STATE} WHERE source = {text(schema.source)}"
    ).fetchone()
    assert row is not None  # noqa: S101 - the structure was applied when the warehouse was opened
    return row[0], row[1]


def _counts(
    connection: DuckDBPyConnection, schema: SourceSchema, through: dt.datetime | None
) -> tuple[int, int]:
    """How many events there are, and how many of them are new."""
    new = _after(through)
    # Counted apart: without a condition it is answered without reading.
    there = _of_all(connection, schema, "sum(found)::BIGINT", "count(*)")
    return there, _of_all(connection, schema, "sum(found)::BIGINT", "count(*)", new)


def _after(through: dt.datetime | None) -> str:
    return f"loaded_at > {literal(through)}" if through else "true"


def _portions(
    connection: DuckDBPyConnection, schema: SourceSchema, through: dt.datetime | None, portion: int
) -> list[dt.datetime]:
    """Instants up to which to read, each a commit's: no commit is read in parts."""
    commits = connection.execute(
        f"SELECT loaded_at, sum(events)::BIGINT FROM {LEDGER} WHERE source = {text(schema.source)}"
        f" AND {_after(through)} GROUP BY loaded_at ORDER BY loaded_at"
    ).fetchall()
    upto: list[dt.datetime] = []
    size = 0
    for loaded_at, events in commits:
        size += events
        if size >= portion:
            upto.append(loaded_at)
            size = 0
    newest = _of_all(connection, schema, "max(found)", "max(loaded_at)")
    if newest and (not upto or upto[-1] < newest):
        upto.append(newest)
    return upto


def _of_all(
    connection: DuckDBPyConnection, schema: SourceSchema, whole: str, each: str, condition: str = "true"
) -> Any:
    """One figure over all event tables."""
    figures = " UNION ALL ".join(
        f"SELECT {each} AS found FROM {name(schema.schema, kind)} WHERE {condition}" for kind in MAIL_EVENTS
    )
    row = connection.execute(f"SELECT {whole} FROM ({figures})").fetchone()
    return row[0] if row else None


def _take(
    connection: DuckDBPyConnection, schema: SourceSchema, through: dt.datetime | None, upto: dt.datetime
) -> None:
    messages, days, clicks, recipients = (table(schema.source, rollup) for rollup in ROLLUPS)
    within = f"loaded_at <= {literal(upto)} AND {_after(through)}"
    _make(connection, "arrived", sql.new_mail(schema.schema, schema.time_zone, within))
    _know(connection, messages)
    _make(connection, "mail", sql.keyed("arrived", "known"))
    _adopt(connection, messages)
    _make(
        connection,
        "touched",
        "SELECT message, bool_or(kind IN ('click', 'delivered')) OR message IN (SELECT message FROM adopted) AS judge"
        " FROM mail GROUP BY message",
    )
    _combine(connection, messages, days, clicks)
    _make(connection, "made_recipients", sql.recipients(f"({_to_touched(messages)})"))
    held = f"loaded_at <= {literal(upto)}"
    events = _of_all(connection, schema, "sum(found)::BIGINT", "count(*)", held)
    with transaction(connection):
        for rollup in (messages, days, clicks):
            connection.execute(f"DELETE FROM {rollup} WHERE message IN (SELECT was FROM adopted)")
        for rollup, made in ((messages, "made_messages"), (days, "made_days")):
            connection.execute(f"DELETE FROM {rollup} WHERE message IN (SELECT message FROM touched)")
            connection.execute(f"INSERT INTO {rollup} BY NAME SELECT * FROM {made}")
        connection.execute(f"DELETE FROM {clicks} WHERE message IN (SELECT message FROM judged)")
        connection.execute(f"INSERT INTO {clicks} BY NAME SELECT * FROM made_clicks")
        connection.execute(f"DELETE FROM {recipients} WHERE email IN (SELECT address FROM mail)")
        connection.execute(f"INSERT INTO {recipients} BY NAME SELECT * FROM made_recipients")
        connection.execute(
            f"UPDATE {STATE} SET loaded_through = {literal(upto)}, refreshed_at = {literal(utc_now())},"
            f" events = {events} WHERE source = {text(schema.source)}"
        )
    for made in _TEMPORARY:
        connection.execute(f"DROP TABLE IF EXISTS {made}")


_TEMPORARY = (
    "arrived", "known", "mail", "adopted", "touched", "judged", "made_messages", "made_days", "made_clicks",
    "made_recipients",
)  # fmt: skip


def _know(connection: DuckDBPyConnection, messages: str) -> None:
    """Which message a Message-ID belongs to, for the events that bear no other id, and for those that come later."""
    _make(
        connection,
        "known",
        "SELECT smtp_id, address, min(message_id) AS message_id FROM ("
        " SELECT smtp_id, lower(coalesce(email, '')) AS address, message_id FROM arrived"
        " WHERE message_id IS NOT NULL AND smtp_id IS NOT NULL UNION ALL"
        f" SELECT smtp_id, lower(coalesce(email, '')), message_id FROM {messages} WHERE message_id IS NOT NULL"
        " AND smtp_id IN (SELECT smtp_id FROM arrived WHERE message_id IS NULL)) GROUP BY ALL",
    )


def _adopt(connection: DuckDBPyConnection, messages: str) -> None:
    """Messages known by their Message-ID alone until now, with the key they have from now on."""
    _make(
        connection,
        "adopted",
        "SELECT m.message AS was, md5('m' || k.message_id || chr(31) || k.address)::UUID AS message, k.message_id"
        f" FROM {messages} m JOIN known k ON m.message_id IS NULL AND m.smtp_id = k.smtp_id"
        " AND lower(coalesce(m.email, '')) = k.address",
    )


def _combine(connection: DuckDBPyConnection, messages: str, days: str, clicks: str) -> None:
    def there(rollup: str, replaced: str = "") -> str:
        # By way of row ids only the row groups that hold such rows are read whole.
        touched = f"SELECT rowid FROM {rollup} WHERE message IN (SELECT message FROM touched)"
        moved = f"t.* REPLACE (a.message AS message{replaced}) FROM {rollup} t JOIN adopted a ON a.was = t.message"
        return f"SELECT * FROM {rollup} WHERE rowid IN ({touched}) UNION ALL BY NAME SELECT {moved}"

    message_rows = (
        f"{sql.as_messages('mail')} UNION ALL BY NAME {there(messages, ', a.message_id AS message_id')}"
    )
    _make(connection, "made_messages", sql.combined_messages(message_rows))
    _make(
        connection,
        "judged",
        "SELECT message FROM touched SEMI JOIN (FROM made_messages WHERE clicks > 0) USING (message) WHERE judge",
    )
    clicked = (
        "SELECT message, timestamp, day, url FROM mail WHERE kind = 'click' UNION ALL BY NAME"
        f" SELECT * EXCLUDE (is_bot) FROM ({there(clicks)}) WHERE message IN (SELECT message FROM judged)"
    )
    _make(connection, "made_clicks", sql.judged_clicks(clicked, "made_messages"))
    bots = sql.with_bots("FROM made_messages", "made_clicks", "judged", "message")
    _make(connection, "made_messages", bots)
    day_rows = sql.combined_days(f"{sql.as_days('mail')} UNION ALL BY NAME {there(days)}")
    _make(connection, "made_days", sql.with_bots(day_rows, "made_clicks", "judged", "message", "day"))


def _to_touched(messages: str) -> str:
    """Every message, as it is now, to an address that has a new event."""
    others = (
        f"SELECT rowid FROM {messages} WHERE lower(email) IN (SELECT address FROM mail)"
        " AND message NOT IN (SELECT message FROM touched UNION ALL SELECT was FROM adopted)"
    )
    return f"FROM made_messages UNION ALL BY NAME SELECT * FROM {messages} WHERE rowid IN ({others})"


def _make(connection: DuckDBPyConnection, temporary: str, query: str) -> None:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {temporary} AS {query}")
