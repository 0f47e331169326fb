"""The insights by category, template, single send and campaign: messages' whole life, and what the account adds."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sendgrid_assets_tests.warehouse.conftest import Row, Store, at

from .busy_day import DAY, IN_ALL, NEXT_DAY, NOTHING, busy_day
from .conftest import insight, load, part, rows, sent

DAYS = {"first_day": DAY, "last_day": NEXT_DAY}
COUNTED = (
    "requests", "delivered", "bounces", "bounce_drops", "invalid_emails", "opens", "unique_opens", "clicks",
    "unique_clicks", "spam_reports", "spam_report_drops", "unsubscribes",
)  # fmt: skip
"""What SendGrid counts of a single send."""


def test_every_metric_of_each(store: Store) -> None:
    fields = {"sg_template_id": "d-t1", "singlesend_id": "s1", "marketing_campaign_id": "c1"}
    load(
        store,
        # One category is all mail's, beside one of each message's own.
        *(row | {"category": ["news", row["sg_message_id"]]} for row in busy_day(**fields)),
        # Mail of none of them is in none of the views.
        sent("delivered", "2026-03-12T10:00:00", "plain"),
        sent("delivered", "2026-03-12T10:00:00", "empty", category=[], sg_template_id="", singlesend_id=""),
    )
    category, *others = sorted(rows(store, "category_performance"), key=lambda row: row["category"] != "news")
    assert category == {"category": "news"} | IN_ALL | DAYS
    assert len(others) == 12
    template = {"template_id": "d-t1", "template_name": None}
    assert rows(store, "template_performance") == [template | IN_ALL | DAYS]
    campaign = {"campaign_id": "c1", "campaign_name": None}
    assert rows(store, "campaign_performance") == [campaign | IN_ALL | DAYS]
    single_send = {"singlesend_id": "s1", "singlesend_name": None, "send_at": None, "subject": None}
    unknown = dict.fromkeys(f"sendgrid_{count}" for count in COUNTED)
    assert rows(store, "single_send_performance") == [single_send | IN_ALL | DAYS | unknown]


def test_no_rate_without_a_denominator(store: Store) -> None:
    load(
        store,
        sent("group_resubscribe", "2026-03-10T10:00:00", category="a", template_id="t", singlesend_id="s")
        | {"marketing_campaign_id": "c"},
    )
    for view in ("category", "template", "single_send", "campaign"):
        (row,) = rows(store, f"{view}_performance")
        assert part(row, *NOTHING) == NOTHING


def test_mail_in_several_categories_counts_in_each(store: Store) -> None:
    found = insight(
        store,
        "category_performance",
        sent("delivered", "2026-03-09T10:00:00", "m1", category=["news", "spring"]),
        sent("open", "2026-03-11T10:00:00", "m1", category=["news", "spring"]),
        # The order of categories, and one named twice, change nothing.
        sent("delivered", "2026-03-10T10:00:00", "m2", category=["spring", "news"]),
        sent("delivered", "2026-03-10T10:00:00", "m3", category=["news", "news"]),
        # Event types that SendGrid sends without categories belong to the message's.
        sent("group_unsubscribe", "2026-03-12T10:00:00", "m3"),
        sent("bounce", "2026-03-10T10:00:00", "m4", category="one text", type="bounce"),
        sent("delivered", "2026-03-08T10:00:00", "m5", category=["News", ""]),
    )
    names = ("category", "delivered", "opens", "bounces", "group_unsubscribes", "first_day", "last_day")
    assert [tuple(part(row, *names).values()) for row in found] == [
        ("News", 1, 0, 0, 0, _day(8), _day(8)),
        ("news", 3, 1, 0, 1, _day(9), _day(12)),
        ("one text", 0, 0, 1, 0, _day(10), _day(10)),
        ("spring", 2, 1, 0, 0, _day(9), _day(11)),
    ]
    assert found[1]["unique_open_rate"] == 1 / 3


def test_an_event_that_comes_late_counts_where_its_message_does(store: Store) -> None:
    delivered = sent("delivered", "2026-03-10T10:00:00", category="news", singlesend_id="s1")
    assert [row["unique_opens"] for row in insight(store, "single_send_performance", delivered)] == [0]
    load(store, sent("open", "2026-03-10T11:00:00"), sent("processed", "2026-03-09T23:00:00"))
    for view in ("single_send_performance", "category_performance"):
        (row,) = rows(store, view)
        assert part(row, "processed", "delivered", "unique_opens", "first_day", "last_day") == {
            "processed": 1,
            "delivered": 1,
            "unique_opens": 1,
            "first_day": _day(9),
            "last_day": _day(10),
        }


def test_a_template_s_name_is_the_account_s_else_the_events(store: Store) -> None:
    store.sync("templates", {"id": "d-known", "name": "Receipt"}, {"id": "d-unused", "name": "Unused"})
    store.sync("templates", {"id": "d-nameless", "name": ""}, whole=False)
    # A template that is gone keeps the name it had.
    store.sync("templates", {"id": "d-gone", "name": "Gone"}, whole=False)
    store.sync("templates", {"id": "d-known", "name": "Receipt"}, {"id": "d-nameless", "name": ""})
    found = insight(
        store,
        "template_performance",
        *(
            sent("delivered", "2026-03-10T10:00:00", id_, sg_template_id=id_, sg_template_name="v1")
            for id_ in ("d-known", "d-gone", "d-nameless", "d-unknown")
        ),
        sent("delivered", "2026-03-10T10:00:00", "m2", template_id="legacy"),
    )
    assert [(row["template_id"], row["template_name"], row["delivered"]) for row in found] == [
        ("d-gone", "Gone", 1),
        ("d-known", "Receipt", 1),
        ("d-nameless", "v1", 1),
        ("d-unknown", "v1", 1),
        ("legacy", None, 1),
    ]


def test_a_campaign_s_name_is_the_events_else_the_legacy_title(store: Store) -> None:
    store.sync(
        "campaigns", {"id": 7, "title": "June"}, {"id": 8, "title": "July"}, {"id": 9, "title": "Unsent"}
    )
    newsletter = {"newsletter": {"newsletter_id": "8", "newsletter_user_list_id": "1"}}
    found = insight(
        store,
        "campaign_performance",
        sent(
            "delivered", "2026-03-10T10:00:00", "m1", marketing_campaign_id=7, marketing_campaign_name="June!"
        ),
        sent("delivered", "2026-03-10T10:00:00", "m2", marketing_campaign_id="7"),
        sent("delivered", "2026-03-10T10:00:00", "m3", **newsletter),
        sent("delivered", "2026-03-10T10:00:00", "m4", marketing_campaign_id="10"),
    )
    assert [(row["campaign_id"], row["campaign_name"], row["delivered"]) for row in found] == [
        ("10", None, 1),
        ("7", "June!", 2),
        ("8", "July", 1),
    ]


def test_what_the_account_says_of_a_single_send(store: Store) -> None:
    known = {"id": "s1", "name": "Spring", "send_at": "2026-03-10T09:30:00Z"}
    known |= {"email_config": {"subject": "It is spring"}}
    store.sync("mc_single_sends", known, {"id": "s2", "name": ""}, {"id": "unsent", "name": "Draft"})
    found = insight(
        store,
        "single_send_performance",
        *(
            sent("delivered", "2026-03-10T10:00:00", id_, singlesend_id=id_, singlesend_name="In events")
            for id_ in ("s1", "s2", "s3")
        ),
    )
    names = ("singlesend_id", "singlesend_name", "send_at", "subject", "delivered", "sendgrid_delivered")
    assert [tuple(part(row, *names).values()) for row in found] == [
        ("s1", "Spring", at(2026, 3, 10, 9, 30), "It is spring", 1, None),
        ("s2", "In events", None, None, 1, None),
        ("s3", "In events", None, None, 1, None),
    ]


def test_all_that_sendgrid_counts_of_a_single_send(store: Store) -> None:
    numbers = {count: 10 * number for number, count in enumerate(COUNTED, 1)}
    store.sync("mc_single_send_stats", _stats("all", "all", **numbers))
    (row,) = insight(
        store, "single_send_performance", sent("delivered", "2026-03-10T10:00:00", singlesend_id="s1")
    )
    assert {count: row[f"sendgrid_{count}"] for count in COUNTED} == numbers
    assert (row["delivered"], row["delivery_rate"]) == (1, None)


WHOLE = [("all", "all", 100)]
PHASES = [("all", "test", 21), ("all", "send", 80)]
VARIATIONS = [("a", "all", 52), ("b", "all", 50)]
PARTS = [("a", "test", 3), ("b", "test", 20), ("a", "send", 80)]


def test_no_mail_of_an_a_b_test_is_counted_twice(store: Store) -> None:
    counted = {
        "whole": (WHOLE, 100),
        "phases": (PHASES, 101),
        "variations": (VARIATIONS, 102),
        "parts": (PARTS, 103),
        "parts_and_phases": (PARTS + PHASES, 101),
        "variations_and_parts": (VARIATIONS + PARTS, 103),
        "one_phase_in_parts": (PARTS[:2] + PHASES[1:], 103),
        "all_but_the_whole": (PARTS + VARIATIONS + PHASES, 101),
        "everything": (PARTS + VARIATIONS + PHASES + WHOLE, 100),
    }
    by_day = [_stats("all", "all", id_, delivered=7) | {"aggregation": "2026-03-10"} for id_ in counted]
    parts = [
        _stats(variation, phase, id_, delivered=delivered)
        for id_, (rows_, _) in counted.items()
        for variation, phase, delivered in rows_
    ]
    store.sync("mc_single_send_stats", *by_day, *parts)
    events = [sent("delivered", "2026-03-10T10:00:00", id_, singlesend_id=id_) for id_ in counted]
    found = insight(store, "single_send_performance", *events)
    assert {row["singlesend_id"]: row["sendgrid_delivered"] for row in found} == {
        id_: total for id_, (_, total) in counted.items()
    }


def test_counts_that_sendgrid_withdrew_stand_back(store: Store) -> None:
    def counted(*parts: tuple[str, str, int]) -> list[int]:
        stats = (_stats(variation, phase, delivered=delivered) for variation, phase, delivered in parts)
        store.sync("mc_single_send_stats", *stats)
        return [row["sendgrid_delivered"] for row in rows(store, "single_send_performance")]

    load(store, sent("delivered", "2026-03-10T10:00:00", singlesend_id="s1"))
    assert counted(*WHOLE) == [100]
    assert counted(*PHASES) == [101]
    assert counted(*PARTS) == [103]
    # Of a single send that is deleted, the last that was known stays.
    assert counted() == [103]
    assert store.query("SELECT count(*), count(deleted_at) FROM sendgrid.mc_single_send_stats") == [(6, 6)]


def _stats(variation: str, phase: str, id_: str = "s1", **numbers: int) -> Row:
    row: dict[str, Any] = {"id": id_, "ab_variation": variation, "ab_phase": phase}
    return row | {"aggregation": "total", "stats": numbers}


def _day(day: int) -> dt.date:
    return dt.date(2026, 3, day)
