"""One set of events with every metric in it, and its numbers, counted by hand.

Belongs here: the set and its numbers. Does not: what a test asks of them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sendgrid_assets_tests.warehouse.conftest import Row

from .conftest import sent

DAY, NEXT_DAY = dt.date(2026, 3, 10), dt.date(2026, 3, 11)

_RATES = (
    "delivery_rate", "bounce_rate", "block_rate", "unique_open_rate", "unique_human_open_rate", "unique_click_rate",
    "click_to_open_rate", "spam_report_rate", "unsubscribe_rate",
)  # fmt: skip
NOTHING: Row = {
    **dict.fromkeys(
        (
            "processed", "dropped", "delivered", "bounces", "blocks", "opens", "machine_opens", "clicks", "bot_clicks",
            "spam_reports", "unsubscribes", "group_unsubscribes",
            "deferred", "unique_opens", "unique_human_opens", "unique_clicks", "unique_human_clicks",
        ),
        0,
    ),
    **dict.fromkeys(_RATES),
}  # fmt: skip
"""The metrics where nothing happened that is counted: no rate has a denominator."""

ON_THE_DAY: Row = {
    "processed": 6,
    "dropped": 3,
    "delivered": 4,
    "bounces": 1,
    "blocks": 2,
    "opens": 5,
    "machine_opens": 3,
    "clicks": 5,
    "bot_clicks": 2,
    "spam_reports": 1,
    "unsubscribes": 3,
    "group_unsubscribes": 2,
    "deferred": 2,
    "unique_opens": 2,
    "unique_human_opens": 1,
    "unique_clicks": 3,
    "unique_human_clicks": 2,
    "delivery_rate": 4 / 6,
    "bounce_rate": 1 / 6,
    "block_rate": 2 / 6,
    "unique_open_rate": 2 / 4,
    "unique_human_open_rate": 1 / 4,
    "unique_click_rate": 3 / 4,
    "click_to_open_rate": 3 / 2,
    "spam_report_rate": 1 / 4,
    "unsubscribe_rate": 3 / 4,
}

ON_THE_NEXT: Row = NOTHING | {
    "opens": 2,
    "unique_opens": 2,
    "unique_human_opens": 2,
    "click_to_open_rate": 0.0,
}

IN_ALL: Row = ON_THE_DAY | {
    "opens": 7,
    "unique_human_opens": 2,
    "unique_human_open_rate": 2 / 4,
}
"""Of the messages' whole life: the two that were opened on the next day were opened on the day as well."""


def busy_day(**fields: Any) -> list[Row]:
    """The events; each also has the fields given."""
    human, machine = {"sg_machine_open": False}, {"sg_machine_open": True}
    first, second = {"url": "https://example.com/a"}, {"url": "https://example.com/b"}
    events = [
        # All steps; opened by a machine first, clicked by a person twice.
        ("m1", "processed", "10T10:00:00", {}),
        ("m1", "delivered", "10T10:00:05", {}),
        ("m1", "open", "10T10:00:07", machine),
        ("m1", "open", "10T10:05:00", human),
        ("m1", "open", "10T11:00:00", {}),
        ("m1", "click", "10T10:05:30", first),
        ("m1", "click", "10T11:00:30", second),
        ("m1", "unsubscribe", "10T11:01:00", {}),
        ("m1", "open", "11T09:00:00", human),
        # Put off twice, then refused for good.
        ("m2", "processed", "10T10:00:00", {}),
        ("m2", "deferred", "10T10:00:10", {"attempt": "1"}),
        ("m2", "deferred", "10T10:10:10", {"attempt": "2"}),
        ("m2", "bounce", "10T10:20:10", {"type": "bounce"}),
        # Refused this time.
        ("m3", "processed", "10T10:00:00", {}),
        ("m3", "bounce", "10T10:00:02", {"type": "blocked"}),
        ("m10", "bounce", "10T10:00:02", {"type": "expired"}),
        ("m4", "dropped", "10T10:00:00", {}),
        ("m11", "dropped", "10T10:00:00", {}),
        ("m12", "dropped", "10T10:00:00", {}),
        # Opened by machines alone, on the first day; of its delivery nothing is known.
        ("m5", "open", "10T10:00:00", machine),
        ("m5", "open", "10T12:00:00", machine),
        ("m5", "open", "11T12:00:00", {}),
        # Clicked by a bot alone.
        ("m6", "processed", "10T10:00:00", {}),
        ("m6", "delivered", "10T10:00:05", {}),
        ("m6", "click", "10T10:00:06", first),
        ("m6", "click", "10T10:00:15", first),
        ("m6", "group_unsubscribe", "10T10:00:20", {}),
        ("m7", "processed", "10T10:00:00", {}),
        ("m7", "delivered", "10T10:00:05", {}),
        ("m7", "unsubscribe", "10T10:00:20", {}),
        ("m7", "group_unsubscribe", "10T10:00:20", {}),
        # Clicked; no step before is known.
        ("m8", "click", "10T10:00:00", first),
        ("m8", "unsubscribe", "10T10:00:20", {}),
        ("m9", "processed", "10T10:00:00", {}),
        ("m9", "deferred", "10T10:00:01", {}),
        ("m9", "delivered", "10T10:10:00", {}),
        ("m9", "spamreport", "10T10:11:00", {}),
    ]
    return [sent(kind, f"2026-03-{when}", mail, **(own | fields)) for mail, kind, when, own in events]
