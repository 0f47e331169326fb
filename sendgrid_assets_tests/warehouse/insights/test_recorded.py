"""Insights over events that were not made for them, held against a count in Python of what is in the event tables."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from sendgrid_assets.catalog.events import EVENT_COLLECTIONS
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.traffic import Traffic
from sendgrid_assets.warehouse.rollup import refresh
from sendgrid_assets_tests.warehouse.conftest import Row, Store, facts

from .conftest import rows

KINDS = {word: collection.table for collection in EVENT_COLLECTIONS for word in collection.events}
COUNTS = {
    "processed": "processed",
    "dropped": "dropped",
    "delivered": "delivered",
    "open": "opens",
    "click": "clicks",
    "spam_report": "spam_reports",
    "unsubscribe": "unsubscribes",
    "group_unsubscribe": "group_unsubscribes",
}
RATES = {
    "delivery_rate": ("delivered", "processed"),
    "bounce_rate": ("bounces", "processed"),
    "block_rate": ("blocks", "processed"),
    "unique_open_rate": ("unique_opens", "delivered"),
    "unique_human_open_rate": ("unique_human_opens", "delivered"),
    "unique_click_rate": ("unique_clicks", "delivered"),
    "click_to_open_rate": ("unique_clicks", "unique_opens"),
    "spam_report_rate": ("spam_reports", "delivered"),
    "unsubscribe_rate": ("unsubscribes", "delivered"),
}


def collected(_: Any = None) -> list[Row]:
    """Documented and observed payloads."""
    files = ("example_events.json", "observed_events.json")
    return [entry["event"] for file in files for entry in facts(file) if isinstance(entry.get("event"), dict)]


def simulated(_: Any = None) -> list[Row]:
    return Traffic(Account(contacts=40)).batch(600)


@pytest.fixture(scope="module", params=[collected, simulated])
def batch(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, template: Any) -> Store:
    """A warehouse with a batch in it, in three files that do not follow its order."""
    store = Store(tmp_path_factory.mktemp("batch"), template)
    made: Callable[[], list[Row]] = request.param
    events = made()
    for first in (2, 0, 1):
        store.load(*events[first::3])
        with store.warehouse.open() as connection:
            refresh(connection, store.warehouse.schemas)
    return store


def events_of(store: Store) -> list[Row]:
    """What happened to mail, each event once, with its message."""
    found = [
        row
        for row in store.rows("sendgrid.activity")
        if row["duplicate_of"] is None
        and KINDS.get(row["event"], "account_status_change") != "account_status_change"
    ]
    owner = {
        (smtp_id(row), address(row)): row["message_id"] for row in found if smtp_id(row) and row["message_id"]
    }
    for row in found:
        own = row["message_id"] or owner.get((smtp_id(row), address(row))) or smtp_id(row)
        row["message"] = (own, address(row)) if own else (row["sg_event_id"], row["event"])
    judge(found)
    return found


def smtp_id(row: Row) -> str:
    return (row["smtp_id"] or "").strip(" <>")


def address(row: Row) -> str:
    return (row["email"] or "").strip().lower()


def domain(row: Row) -> str | None:
    return address(row).rpartition("@")[2] if "@" in address(row) else None


def judge(events: list[Row]) -> None:
    """Marks the clicks of likely bots."""
    for message in grouped(events, lambda row: [row["message"]]).values():
        clicks = [row for row in message if row["event"] == "click"]
        delivered = min((row["timestamp"] for row in message if row["event"] == "delivered"), default=None)
        for click in clicks:
            near = delivered and abs((click["timestamp"] - delivered).total_seconds()) <= 10
            windows = [
                {c["url"] for c in clicks if dt.timedelta() <= c["timestamp"] - first["timestamp"] <= SECOND}
                for first in clicks
                if dt.timedelta() <= click["timestamp"] - first["timestamp"] <= SECOND
            ]
            click["bot"] = bool(near) or any(len(links) >= 3 for links in windows)


SECOND = dt.timedelta(seconds=1)


def grouped(events: Iterable[Row], keys: Callable[[Row], Iterable[Any]]) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in events:
        for key in keys(row):
            groups[key].append(row)
    return groups


def metrics(events: list[Row]) -> Row:
    def messages(kind: str, flag: str | None = None) -> int:
        return len({r["message"] for r in events if r["event"] == kind and not (flag and r.get(flag))})

    found = {name: sum(KINDS[row["event"]] == kind for row in events) for kind, name in COUNTS.items()}
    bounces = [(row["type"] or "").strip().lower() for row in events if row["event"] == "bounce"]
    found |= {
        "bounces": bounces.count("bounce"),
        "blocks": len(bounces) - bounces.count("bounce"),
        "machine_opens": sum(row["event"] == "open" and bool(row["sg_machine_open"]) for row in events),
        "bot_clicks": sum(row["event"] == "click" and row["bot"] for row in events),
        "deferred": messages("deferred"),
        "unique_opens": messages("open"),
        "unique_human_opens": messages("open", "sg_machine_open"),
        "unique_clicks": messages("click"),
        "unique_human_clicks": messages("click", "bot"),
    }
    return found | {
        rate: found[top] / found[bottom] if found[bottom] else None for rate, (top, bottom) in RATES.items()
    }


def shown(store: Store, view: str, *key: str) -> dict[Any, Row]:
    """A view's metrics by key."""
    names = metrics([]).keys()
    return {
        tuple(row[column] for column in key): {name: row[name] for name in names} for row in rows(store, view)
    }


def test_days_and_domains(batch: Store) -> None:
    events = events_of(batch)
    by_day = grouped(events, lambda row: [(row["timestamp"].date(),)])
    assert shown(batch, "email_daily", "day") == {key: metrics(group) for key, group in by_day.items()}
    by_domain = grouped(events, lambda row: [(row["timestamp"].date(), domain(row))])
    assert shown(batch, "domain_deliverability", "day", "domain") == {
        key: metrics(group) for key, group in by_domain.items()
    }


@pytest.mark.parametrize(
    ("view", "column", "of"),
    [
        ("category_performance", "category", lambda row: row["category"] or []),
        ("template_performance", "template_id", lambda row: [row["sg_template_id"] or row["template_id"]]),
        ("single_send_performance", "singlesend_id", lambda row: [row["singlesend_id"]]),
        (
            "campaign_performance",
            "campaign_id",
            lambda row: [row["marketing_campaign_id"] or row["newsletter_newsletter_id"]],
        ),
    ],
)
def test_the_whole_life_of_each_group_s_messages(batch: Store, view: str, column: str, of: Any) -> None:
    events = events_of(batch)
    lives = grouped(events, lambda row: [row["message"]])
    # A message belongs where any of its events says, and several answers count as the greatest.
    belongs = {
        message: max((list(of(row)) for row in life if any(of(row))), default=[])
        for message, life in lives.items()
    }
    groups = grouped(events, lambda row: {(value,) for value in belongs[row["message"]] if value})
    found = shown(batch, view, column)
    assert found == {key: metrics(group) for key, group in groups.items()}


def test_every_message_is_a_row(batch: Store) -> None:
    lives = grouped(events_of(batch), lambda row: [row["message"]])
    found = rows(batch, "messages")
    assert len(found) == len(lives)
    instants = [
        sorted(str(row[column]) for row in found)
        for column in (
            "processed_at",
            "delivered_at",
            "first_open_at",
            "first_click_at",
            "first_human_click_at",
        )
    ]
    firsts: list[list[str]] = []
    for kind, flag in (("processed", ""), ("delivered", ""), ("open", ""), ("click", ""), ("click", "bot")):
        of = [
            min((r["timestamp"] for r in life if r["event"] == kind and not r.get(flag)), default=None)
            for life in lives.values()
        ]
        firsts.append(sorted(map(str, of)))
    assert instants == firsts
