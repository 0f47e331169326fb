"""Who left an unsubscribe group and who came back, by day."""

from __future__ import annotations

import datetime as dt

from sendgrid_assets.warehouse.schema import SourceSchema
from sendgrid_assets_tests.warehouse.conftest import Store

from .conftest import NEW_YORK, insight, load, rows, sent

VIEW = "unsubscribes_by_group"


def _day(day: int) -> dt.date:
    return dt.date(2026, 3, day)


def test_moves_by_day_and_group(store: Store) -> None:
    store.sync("suppression_groups", {"id": 5, "name": "News"}, {"id": 6, "name": "Offers"})
    store.sync("suppression_groups", {"id": 5, "name": "News"})
    first = sent("group_unsubscribe", "2026-03-01T08:00:00", asm_group_id=5)
    back = sent("group_resubscribe", "2026-03-01T09:00:00", asm_group_id=5)
    found = insight(
        store,
        VIEW,
        first,
        first | {"sg_event_id": "a retry under a new id"},
        sent("group_unsubscribe", "2026-03-01T23:59:59", "m2", asm_group_id=5),
        back,
        back | {"sg_event_id": "a retry of this one"},
        sent("group_resubscribe", "2026-03-02T00:00:00", asm_group_id=5),
        sent("group_unsubscribe", "2026-03-02T09:00:00", asm_group_id=6),
        sent("group_unsubscribe", "2026-03-02T09:00:00", asm_group_id=7),
        sent("group_unsubscribe", "2026-03-02T09:00:01"),
        # From everything: of no group.
        sent("unsubscribe", "2026-03-02T09:00:00", asm_group_id=5),
    )
    columns = ("day", "asm_group_id", "group_name", "unsubscribes", "resubscribes")
    assert found == [
        dict(zip(columns, row, strict=True))
        for row in (
            (_day(1), 5, "News", 2, 1),
            (_day(2), 5, "News", 0, 1),
            (_day(2), 6, "Offers", 1, 0),
            (_day(2), 7, None, 1, 0),
            (_day(2), None, None, 1, 0),
        )
    ]


def test_a_day_begins_in_the_zone(store: Store) -> None:
    store.change(schemas=NEW_YORK)
    found = insight(
        store,
        VIEW,
        sent("group_unsubscribe", "2026-03-02T04:59:59", "m1", asm_group_id=5),
        sent("group_unsubscribe", "2026-03-02T05:00:00", "m2", asm_group_id=5),
        # Summer time began on the eighth.
        sent("group_unsubscribe", "2026-03-12T03:59:59", "m3", asm_group_id=5),
        sent("group_unsubscribe", "2026-03-12T04:00:00", "m4", asm_group_id=5),
    )
    assert [row["day"] for row in found] == [_day(1), _day(2), _day(11), _day(12)]


def test_sources_stand_apart(store: Store) -> None:
    store.change(schemas=(SourceSchema("sendgrid", "sendgrid"), SourceSchema("eu", "eu")))
    load(store, sent("group_unsubscribe", "2026-03-02T12:00:00", asm_group_id=1))
    load(store, sent("group_unsubscribe", "2026-03-02T12:00:00", asm_group_id=2), source="eu")
    assert [row["asm_group_id"] for row in rows(store, VIEW)] == [1]
    assert [row["asm_group_id"] for row in rows(store, VIEW, source="eu")] == [2]


def test_without_moves_there_are_no_rows(store: Store) -> None:
    store.sync("suppression_groups", {"id": 5, "name": "News"})
    assert insight(store, VIEW) == []
