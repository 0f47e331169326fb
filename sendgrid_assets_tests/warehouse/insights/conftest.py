"""Short words for tests of insights: events of one mail, and a view's rows as people query them."""

from __future__ import annotations

import datetime as dt
from itertools import count
from typing import Any

import duckdb

from sendgrid_assets.warehouse.drain import drain
from sendgrid_assets.warehouse.rollup import refresh
from sendgrid_assets.warehouse.schema import SourceSchema
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets_tests.warehouse.conftest import Row, Store, ndjson

NEW_YORK = (SourceSchema("sendgrid", "sendgrid", time_zone="America/New_York"),)
"""The one source of the tests, with days that begin four or five hours after UTC's."""

_ids = count()


def insight(store: Store, view: str, *events: Row, source: str = "sendgrid") -> list[Row]:
    """Loads the events of a source, then reads a view of it."""
    load(store, *events, source=source)
    return rows(store, view, source=source)


def load(store: Store, *events: Row, source: str = "sendgrid") -> None:
    """Loads a source's events, in one file, and brings the rollups up to them."""
    if events:
        landing = Landing(store.folder / "landing", source)
        landing.prepare()
        landing.publish(f"insight-{next(_ids):06}.ndjson", ndjson(events))
        done = drain(store.warehouse, landing, scratch=store.folder / "scratch", retention_days=30)
        assert (done.rows.total(), done.rejected) == (len(events), 0)
    with store.warehouse.open() as connection:
        refresh(connection, store.warehouse.schemas)


def rows(store: Store, view: str, *, source: str = "sendgrid", order: str = "ALL") -> list[Row]:
    """A view's rows, in an order of columns."""
    schema = store.warehouse.schema_of(source)
    with duckdb.connect(store.warehouse.path, read_only=True) as connection:
        found = connection.execute(f'SELECT * FROM "{schema}"."{view}" ORDER BY {order}')
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def sent(kind: str, when: str, mail: str = "m1", **fields: Any) -> Row:
    """An event of one mail, under an id of its own.

    Args:
        kind: SendGrid's word for its type.
        when: the instant in UTC, ISO 8601.
        mail: which mail: its SendGrid id begins with it.
        fields: further fields, or others than usual; None leaves one out.
    """
    instant = dt.datetime.fromisoformat(when).replace(tzinfo=dt.UTC)
    made = {
        "email": "casey@example.com",
        "event": kind,
        "timestamp": int(instant.timestamp()),
        "sg_event_id": f"{kind}-{next(_ids)}",
        "sg_message_id": f"{mail}.filter0001",
        "smtp-id": f"<{mail}@ismtpd>",
    } | fields
    return {key: value for key, value in made.items() if value is not None}


def part(row: Row, *names: str) -> Row:
    """Some columns of a row."""
    return {name: row[name] for name in names}
