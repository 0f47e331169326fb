"""What no insight on performance may mix: a source with another, an event with its copies, a day with the next."""

from __future__ import annotations

import datetime as dt

from sendgrid_assets.catalog.insights_performance import PERFORMANCE
from sendgrid_assets.warehouse.schema import SourceSchema
from sendgrid_assets_tests.warehouse.conftest import Store

from .conftest import NEW_YORK, load, part, rows, sent

OF_THE_MAIL = {
    "category": ["news"],
    "sg_template_id": "d-t1",
    "singlesend_id": "s1",
    "marketing_campaign_id": "c1",
}


def test_sources_are_apart(store: Store) -> None:
    store.change(schemas=(SourceSchema("sendgrid", "sendgrid"), SourceSchema("eu", "europe")))
    load(store, sent("delivered", "2026-03-10T10:00:00", **OF_THE_MAIL))
    load(store, sent("open", "2026-03-10T10:00:00", **OF_THE_MAIL), source="eu")
    for insight in PERFORMANCE:
        ours, theirs = rows(store, insight.view), rows(store, insight.view, source="eu")
        assert [part(row, "delivered", "opens") for row in ours] == [{"delivered": 1, "opens": 0}]
        assert [part(row, "delivered", "opens") for row in theirs] == [{"delivered": 0, "opens": 1}]


def test_copies_under_a_new_id_are_left_out(store: Store) -> None:
    opened = sent("open", "2026-03-10T10:00:00", **OF_THE_MAIL)
    load(store, opened, opened | {"sg_event_id": "another"})
    load(store, opened | {"sg_event_id": "a third"})
    assert store.query("SELECT count(*), count(duplicate_of) FROM sendgrid.open") == [(3, 2)]
    for insight in PERFORMANCE:
        assert [row["opens"] for row in rows(store, insight.view)] == [1]


def test_days_begin_when_they_do_in_the_zone(store: Store) -> None:
    store.change(schemas=NEW_YORK)
    # On 8 March 2026 New York's clocks go from five hours behind UTC to four.
    load(
        store,
        sent("delivered", "2026-03-08T04:59:59", **OF_THE_MAIL),
        sent("open", "2026-03-08T05:00:00", **OF_THE_MAIL),
        sent("open", "2026-03-09T03:59:59", **OF_THE_MAIL),
        sent("open", "2026-03-09T04:00:00", **OF_THE_MAIL),
    )
    for view in ("email_daily", "domain_deliverability"):
        by_day = [
            (row["day"].day, row["delivered"], row["opens"], row["unique_opens"]) for row in rows(store, view)
        ]
        assert by_day == [(7, 1, 0, 0), (8, 0, 2, 1), (9, 0, 1, 1)]
    for insight in PERFORMANCE:
        if "first_day" in {column.name for column in insight.columns}:
            (row,) = rows(store, insight.view)
            assert (row["first_day"], row["last_day"]) == (dt.date(2026, 3, 7), dt.date(2026, 3, 9))
