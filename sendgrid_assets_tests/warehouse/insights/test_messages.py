"""`messages`: what became of each mail to each address."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sendgrid_assets_tests.warehouse.conftest import Store, at

from .conftest import insight, part, rows, sent

COUNTS = (
    "processed", "dropped", "delivered", "bounces", "blocks", "opens", "machine_opens", "clicks", "bot_clicks",
    "spam_reports", "unsubscribes", "group_unsubscribes", "deferrals",
)  # fmt: skip
OF_THE_MAIL = {
    "marketing_campaign_id": "c1",
    "marketing_campaign_name": "Spring",
    "singlesend_id": "s1",
    "singlesend_name": "Spring sale",
    "sg_template_id": "d-t1",
    "sg_template_name": "Version 2",
    "asm_group_id": 7,
    "category": ["news", "spring"],
}


def test_all_that_is_known_of_a_message(store: Store) -> None:
    a, b = {"url": "https://example.com/a"}, {"url": "https://example.com/b"}
    events = [
        sent("processed", "2026-03-10T10:00:00"),
        sent("deferred", "2026-03-10T10:00:01", attempt="1"),
        sent("deferred", "2026-03-10T10:10:01", attempt="2"),
        sent("delivered", "2026-03-10T10:20:00"),
        sent("open", "2026-03-10T10:20:01", sg_machine_open=True),
        sent("open", "2026-03-10T12:00:00", sg_machine_open=False),
        sent("open", "2026-03-10T13:00:00"),
        sent("open", "2026-03-10T13:00:01", sg_machine_open=True),
        sent("click", "2026-03-10T10:20:02", **a),
        sent("click", "2026-03-10T12:00:30", **a),
        sent("click", "2026-03-10T13:00:30", **b),
        sent("group_unsubscribe", "2026-03-10T14:00:00"),
        sent("unsubscribe", "2026-03-10T14:00:01"),
        sent("spamreport", "2026-03-11T15:00:00"),
        sent("spamreport", "2026-03-11T16:00:00"),
    ]
    # They come in any order.
    made = insight(store, "messages", *(event | OF_THE_MAIL for event in reversed(events)))
    assert made == [
        {
            "message_id": "m1",
            "email": "casey@example.com",
            "processed": 1,
            "dropped": 0,
            "delivered": 1,
            "bounces": 0,
            "blocks": 0,
            "opens": 4,
            "machine_opens": 2,
            "clicks": 3,
            "bot_clicks": 1,
            "spam_reports": 2,
            "unsubscribes": 1,
            "group_unsubscribes": 1,
            "deferrals": 2,
            "attempts": 2,
            "outcome": "delivered",
            "processed_at": at(2026, 3, 10, 10),
            "dropped_at": None,
            "first_deferred_at": at(2026, 3, 10, 10, 0, 1),
            "delivered_at": at(2026, 3, 10, 10, 20),
            "bounced_at": None,
            "first_open_at": at(2026, 3, 10, 10, 20, 1),
            "first_human_open_at": at(2026, 3, 10, 12),
            "last_open_at": at(2026, 3, 10, 13, 0, 1),
            "last_human_open_at": at(2026, 3, 10, 13),
            "first_click_at": at(2026, 3, 10, 10, 20, 2),
            "first_human_click_at": at(2026, 3, 10, 12, 0, 30),
            "last_click_at": at(2026, 3, 10, 13, 0, 30),
            "last_human_click_at": at(2026, 3, 10, 13, 0, 30),
            "spam_report_at": at(2026, 3, 11, 15),
            "unsubscribed_at": at(2026, 3, 10, 14),
            "bounce_reason": None,
            "bounce_classification": None,
            "drop_reason": None,
            "campaign_id": "c1",
            "campaign_name": "Spring",
            "singlesend_id": "s1",
            "singlesend_name": "Spring sale",
            "template_id": "d-t1",
            "template_name": "Version 2",
            "asm_group_id": 7,
            "category": ["news", "spring"],
            "smtp_id": "m1@ismtpd",
            "first_day": dt.date(2026, 3, 10),
            "last_day": dt.date(2026, 3, 11),
        }
    ]


def test_reasons_are_those_of_the_first_refusal_and_the_first_drop(store: Store) -> None:
    refused = {"type": "blocked", "reason": "450 later", "bounce_classification": "technical"}
    bounced = {"type": "bounce", "reason": "550 unknown", "bounce_classification": "Invalid Address"}
    (row,) = insight(
        store,
        "messages",
        sent("bounce", "2026-03-10T11:00:00", **bounced),
        sent("bounce", "2026-03-10T10:00:00", **refused),
        sent("dropped", "2026-03-10T12:00:00", reason="Bounced Address"),
        sent("dropped", "2026-03-10T13:00:00", reason="Unsubscribed Address"),
    )
    names = (
        "bounce_reason",
        "bounce_classification",
        "drop_reason",
        "bounced_at",
        "dropped_at",
        "bounces",
        "blocks",
    )
    assert tuple(part(row, *names).values()) == (
        *("450 later", "Technical Failure", "Bounced Address"),
        *(at(2026, 3, 10, 10), at(2026, 3, 10, 12)),
        *(1, 1),
    )


OUTCOMES: dict[str, tuple[str, list[tuple[str, str, str | None]]]] = {
    "delivered": ("delivered", [("processed", "00:00", None), ("delivered", "00:05", None)]),
    "delivered_after_a_block": ("delivered", [("bounce", "00:04", "blocked"), ("delivered", "00:05", None)]),
    "delivered_after_a_deferral": ("delivered", [("deferred", "00:01", None), ("delivered", "00:05", None)]),
    "delivered_before_a_deferral": ("delivered", [("delivered", "00:01", None), ("deferred", "00:05", None)]),
    "delivered_and_dropped": ("delivered", [("delivered", "00:01", None), ("dropped", "00:05", None)]),
    "delivered_again": (
        "delivered",
        [("delivered", "00:01", None), ("bounce", "00:02", "bounce"), ("delivered", "00:03", None)],
    ),
    "bounced": ("bounced", [("processed", "00:00", None), ("bounce", "00:05", "bounce")]),
    "bounced_in_any_letters": ("bounced", [("bounce", "00:05", " Bounce")]),
    "bounced_after_delivery": ("bounced", [("delivered", "00:05", None), ("bounce", "59:00", "bounce")]),
    "bounced_in_that_second": ("bounced", [("delivered", "00:05", None), ("bounce", "00:05", "bounce")]),
    "bounced_after_a_block": ("bounced", [("bounce", "00:05", "blocked"), ("bounce", "00:06", "bounce")]),
    "bounced_with_a_block": ("bounced", [("bounce", "00:05", "blocked"), ("bounce", "00:05", "bounce")]),
    "blocked": ("blocked", [("processed", "00:00", None), ("bounce", "00:05", "blocked")]),
    "blocked_in_that_second": ("blocked", [("delivered", "00:05", None), ("bounce", "00:05", "blocked")]),
    "blocked_after_a_bounce": ("blocked", [("bounce", "00:05", "bounce"), ("bounce", "00:06", "blocked")]),
    "expired": ("blocked", [("deferred", "00:00", None), ("bounce", "00:05", "expired")]),
    "of_no_type": ("blocked", [("bounce", "00:05", None)]),
    "dropped": ("dropped", [("processed", "00:00", None), ("deferred", "00:01", None), ("dropped", "00:02", None)]),
    "deferred": ("deferred", [("processed", "00:00", None), ("deferred", "00:01", None), ("open", "00:02", None)]),
    "processed": ("processed", [("processed", "00:00", None), ("click", "00:02", None)]),
    "only_opened": ("unknown", [("open", "00:02", None)]),
    "only_clicked": ("unknown", [("click", "00:02", None)]),
    "only_back": ("unknown", [("group_resubscribe", "00:02", None)]),
}  # fmt: skip


def test_outcome(store: Store) -> None:
    events = [
        sent(kind, f"2026-03-10T10:{when}", mail, type=type_)
        for mail, (_, happened) in OUTCOMES.items()
        for kind, when, type_ in happened
    ]
    found = {row["message_id"]: row["outcome"] for row in insight(store, "messages", *events)}
    assert found == {mail: outcome for mail, (outcome, _) in OUTCOMES.items()}


def test_a_bounce_in_the_second_of_a_delivery_told_in_milliseconds(store: Store) -> None:
    second = 1_773_136_800
    (row,) = insight(
        store,
        "messages",
        sent("delivered", "2026-03-10T10:00:00", timestamp=second * 1000 + 900),
        sent("bounce", "2026-03-10T10:00:00", timestamp=second, type="bounce"),
    )
    assert row["delivered_at"] == at(2026, 3, 10, 10, 0, 0, 900_000)
    assert row["outcome"] == "bounced"


CLASSES = {
    "Invalid Address": ["Invalid Address", "invalid", "INVALID ADDRESS"],
    "Technical Failure": ["Technical Failure", "Technical", "technical"],
    "Content": ["Content", " content"],
    "Reputation": ["Reputation", "reputation"],
    "Frequency or Volume Too High": ["Frequency or Volume Too High", "Frequency/Volume", "Volume"],
    "Mailbox Unavailable": ["Mailbox Unavailable", "mailbox unavailable"],
    "Unclassified": ["Unclassified", "unclassified"],
    "Something New": [" Something New"],
    None: ["", None],
}  # fmt: skip


def test_a_bounce_s_class_has_one_spelling(store: Store) -> None:
    spelt = [(spelling, name) for name, spellings in CLASSES.items() for spelling in spellings]
    events = [
        sent("bounce", "2026-03-10T10:00:00", f"m{number:02}", type="bounce", bounce_classification=spelling)
        for number, (spelling, _) in enumerate(spelt)
    ]
    found = insight(store, "messages", *events)
    assert [row["bounce_classification"] for row in found] == [name for _, name in spelt]
    # Two insights have it.
    counted = {row["reason"]: row["bounces"] for row in rows(store, "bounce_reasons")}
    assert counted == {name or "No reason given": len(spellings) for name, spellings in CLASSES.items()}


def test_what_one_message_is(store: Store) -> None:
    def row(message_id: str | None, email: str | None, **counts: int) -> tuple[Any, ...]:
        return (message_id, email, *(counts.get(count, 0) for count in COUNTS))

    events = [
        # One mail to two addresses is two messages; an address may be written in any letters.
        sent("processed", "2026-03-10T10:00:00", "a", email="casey@example.com"),
        sent("delivered", "2026-03-10T10:00:01", "a", email="casey@example.com", sg_message_id="a.recvd-7"),
        sent("processed", "2026-03-10T10:00:00", "a", email="kim@example.com"),
        # A later bounce that bears the Message-ID alone.
        sent("processed", "2026-03-10T10:00:00", "b"),
        sent(
            "bounce", "2026-03-10T10:00:05", "b", sg_message_id=None, type="bounce", **{"smtp-id": "b@ismtpd"}
        ),
        # Known by the Message-ID alone.
        sent("processed", "2026-03-10T10:00:00", "c", sg_message_id=None),
        sent("open", "2026-03-10T10:00:00", "c", sg_message_id=None),
        # Of no id: each is a message.
        sent("unsubscribe", "2026-03-10T10:00:00", sg_message_id=None, **{"smtp-id": None}),
        sent("unsubscribe", "2026-03-10T11:00:00", sg_message_id=None, **{"smtp-id": None}),
        # To nobody.
        sent("dropped", "2026-03-10T10:00:00", "d", email=None),
    ]
    found = insight(store, "messages", *events)
    told = [tuple(part(each, "message_id", "email", *COUNTS).values()) for each in found]
    assert sorted(told, key=repr) == sorted(
        [
            row("a", "casey@example.com", processed=1, delivered=1),
            row("a", "kim@example.com", processed=1),
            row("b", "casey@example.com", processed=1, bounces=1),
            row(None, "casey@example.com", processed=1, opens=1),
            row(None, "casey@example.com", unsubscribes=1),
            row(None, "casey@example.com", unsubscribes=1),
            row("d", None, dropped=1),
        ],
        key=repr,
    )
