"""The rollups hold what a plain count over all events gives, however these came; the count here is Python's."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendgrid_assets.catalog.rollups import MAIL_EVENTS
from sendgrid_assets.warehouse.rollup import refresh
from sendgrid_assets.warehouse.rollup_tables import empty

from .conftest import SCHEMAS, Row, Store, at

ROOT = Path(__file__).parents[2]
MESSAGES = "_sendgrid_assets.sendgrid_messages"
DAYS = "_sendgrid_assets.sendgrid_message_days"
CLICKS = "_sendgrid_assets.sendgrid_clicks"
RECIPIENTS = "_sendgrid_assets.sendgrid_recipients"
LASTS = ("last_delivered_at", "last_open_at", "last_human_open_at", "last_click_at", "last_human_click_at")

COUNTED = {
    "processed": "processed",
    "dropped": "dropped",
    "delivered": "delivered",
    "deferred": "deferrals",
    "spam_report": "spam_reports",
    "unsubscribe": "unsubscribes",
    "group_unsubscribe": "group_unsubscribes",
}
OWN = {
    "bounce": {"type": "type", "reason": "reason"},
    "open": {"sg_machine_open": "machine"},
    "click": {"url": "url"},
}
COUNTS = (*COUNTED.values(), "bounces", "blocks", "opens", "machine_opens", "clicks", "bot_clicks")

EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(MAIL_EVENTS),
            "id": st.sampled_from(
                [("m1", "s1"), ("m1", None), (None, "s1"), ("m2", "s2"), (None, "s2"), (None, None)]
            ),
            "email": st.sampled_from(["a@example.com", "A@Example.com", "b@example.com", None]),
            "second": st.sampled_from([0, 1, 2, 9, 10, 11, 12, 3600, 3601, 90_000]),
            "type": st.sampled_from(["bounce", "blocked", None]),
            "reason": st.sampled_from(["full", "gone", None]),
            "machine": st.sampled_from([True, False, None]),
            "url": st.sampled_from(["https://x/1", "https://x/2", "https://x/3"]),
            "copy": st.sampled_from([False, False, False, True]),
        }
    ),
    max_size=14,
)


def oracle(events: list[Row]) -> tuple[dict[Any, Row], dict[Any, dict[str, int]]]:
    """Counts and instants of each message, and counts of each message and day."""
    counted = [sent for sent in events if not sent["copy"]]
    owners = {(sent["id"][1], address(sent)): sent["id"][0] for sent in counted if None not in sent["id"]}
    by_message: dict[Any, list[Row]] = defaultdict(list)
    for number, sent in enumerate(counted):
        message_id, smtp_id = sent["id"]
        message_id = message_id or owners.get((smtp_id, address(sent)))
        key = (message_id or smtp_id or number, address(sent))
        by_message[key].append(sent)
    messages, days = {}, {}
    for key, sent in by_message.items():
        delivered = [e["second"] for e in sent if e["kind"] == "delivered"]
        bots = bot_clicks(sent, min(delivered, default=None))
        messages[key] = counts(sent, bots) | {
            "delivered_at": min(delivered, default=None),
            "last_click_at": max((e["second"] for e in sent if e["kind"] == "click"), default=None),
            "first_human_click_at": min(
                (e["second"] for e in sent if e["kind"] == "click" and id(e) not in bots), default=None
            ),
            "bounce_reason": reason_of_the_first([e for e in sent if e["kind"] == "bounce"]),
        }
        for day in {e["second"] // 86400 for e in sent}:
            days[(*key, day)] = counts([e for e in sent if e["second"] // 86400 == day], bots)
    return messages, days


def address(sent: Row) -> str:
    return (sent["email"] or "").lower()


def reason_of_the_first(bounces: list[Row]) -> str | None:
    order = sorted(bounces, key=lambda e: (e["second"], e["reason"] is None, e["reason"] or ""))
    return order[0]["reason"] if order else None


def bot_clicks(sent: list[Row], delivered: int | None) -> set[int]:
    clicks = [e for e in sent if e["kind"] == "click"]
    near = {id(e) for e in clicks if delivered is not None and abs(e["second"] - delivered) <= 10}
    for start in clicks:
        burst = [e for e in clicks if 0 <= e["second"] - start["second"] <= 1]
        if len({e["url"] for e in burst}) >= 3:
            near |= {id(e) for e in burst}
    return near


def counts(sent: list[Row], bots: set[int]) -> dict[str, int]:
    found = dict.fromkeys(COUNTS, 0)
    for e in sent:
        match e["kind"]:
            case "bounce":
                found["bounces" if e["type"] == "bounce" else "blocks"] += 1
            case "open":
                found["opens"] += 1
                found["machine_opens"] += e["machine"] is True
            case "click":
                found["clicks"] += 1
                found["bot_clicks"] += id(e) in bots
            case "group_resubscribe":
                pass
            case kind:
                found[COUNTED[kind]] += 1
    return found


class Bench:
    """One warehouse that is emptied between examples, filled row by row."""

    def __init__(self, store: Store) -> None:
        self._opened = store.warehouse.open()
        self.connection = self._opened.__enter__()
        self.number = 0

    def close(self) -> None:
        self._opened.__exit__(None, None, None)

    def clear(self) -> None:
        for kind in MAIL_EVENTS:
            self.connection.execute(f"DELETE FROM sendgrid.{kind}")
        empty(self.connection, "sendgrid", "UTC")

    def commit(self, events: list[Row]) -> None:
        """Inserts events as one commit."""
        self.number += 1
        loaded_at = at(2026, 1, 1) + dt.timedelta(seconds=self.number)
        for sent in events:
            self.number += 1
            message_id, smtp_id = sent["id"]
            row = {
                "event": sent["kind"],
                "sg_event_id": f"e{self.number}",
                "message_id": message_id,
                "smtp_id": smtp_id and f"<{smtp_id}>",
                "email": sent["email"],
                "timestamp": at(2025, 1, 1) + dt.timedelta(seconds=sent["second"]),
                "loaded_at": loaded_at,
                "duplicate_of": "x" if sent["copy"] else None,
                **{column: sent[field] for column, field in OWN.get(sent["kind"], {}).items()},
            }
            self.connection.execute(
                f"INSERT INTO sendgrid.{sent['kind']} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
                list(row.values()),
            )

    def refresh(self, portion: int = 1_000_000) -> None:
        refresh(self.connection, SCHEMAS, portion=portion)

    def tables(self) -> tuple[list[Any], ...]:
        """All of the rollups, but for the keys of events that have nothing but an id of their own."""
        return tuple(
            self.connection.execute(f"SELECT * EXCLUDE (message) FROM {table} ORDER BY ALL").fetchall()
            for table in (MESSAGES, DAYS, CLICKS)
        )

    def recipients(self) -> list[Any]:
        return self.connection.execute(f"SELECT * FROM {RECIPIENTS} ORDER BY ALL").fetchall()

    def messages(self) -> list[Row]:
        found = self.connection.execute(f"SELECT * FROM {MESSAGES}")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Bench]:
    made = Bench(Store(tmp_path_factory.mktemp("rollup"), template))
    yield made
    made.close()


def seconds(instant: dt.datetime | None) -> int | None:
    return None if instant is None else int((instant - at(2025, 1, 1)).total_seconds())


@settings(max_examples=15, deadline=None)
@given(
    events=EVENTS, cuts=st.lists(st.integers(0, 14), max_size=3), shuffle=st.randoms(use_true_random=False)
)
def test_in_any_order_and_portions_they_are_what_a_plain_count_gives(
    bench: Bench, events: list[Row], cuts: list[int], shuffle: Any
) -> None:
    bench.clear()
    bench.commit(events)
    bench.refresh()
    once = bench.tables()
    expected, days = oracle(events)
    found = bench.messages()
    wanted = (*COUNTS, "bounce_reason")
    instants = ("delivered_at", "last_click_at", "first_human_click_at")
    assert as_multiset(
        [[*(row[c] for c in wanted), *(seconds(row[c]) for c in instants)] for row in found]
    ) == (as_multiset([[row[c] for c in (*wanted, *instants)] for row in expected.values()]))
    by_day = bench.connection.execute(f"SELECT {', '.join(COUNTS)} FROM {DAYS}").fetchall()
    assert as_multiset(by_day) == as_multiset([[row[c] for c in COUNTS] for row in days.values()])

    shuffled = list(events)
    shuffle.shuffle(shuffled)
    bench.clear()
    bounds = sorted({0, len(shuffled), *(cut % (len(shuffled) + 1) for cut in cuts)})
    for first, last in pairwise(bounds):
        bench.commit(shuffled[first:last])
        bench.refresh()
    assert bench.tables() == once
    assert bench.recipients() == last_of_each(found)


def last_of_each(messages: list[Row]) -> list[Any]:
    """Each address's last instants, from its messages."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in messages:
        if row["email"]:
            found[row["email"].lower()].append(row)
    return [
        (email, *(max((row[last] for row in rows if row[last]), default=None) for last in LASTS))
        for email, rows in sorted(found.items())
    ]


def as_multiset(rows: Sequence[Sequence[Any]]) -> list[str]:
    return sorted(str(list(row)) for row in rows)
