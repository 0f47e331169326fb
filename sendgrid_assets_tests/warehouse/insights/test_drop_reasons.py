"""Why mail was not sent at all: SendGrid's words, and the names of its statistics."""

from __future__ import annotations

from typing import Any

from sendgrid_assets_tests.warehouse.conftest import Row, Store, at

from .conftest import insight, sent

DAY = "2026-03-02T12:00:00"


def _drop(reason: str | None, when: str = DAY, **fields: Any) -> Row:
    return sent("dropped", when, **{"reason": reason} | fields)


def test_drops_are_counted_by_reason_and_domain(store: Store) -> None:
    found = insight(
        store,
        "drop_reasons",
        _drop("Bounced Address", email="a@Example.com"),
        _drop("bounced address", "2026-03-02T12:00:05", email="b@example.com"),
        _drop("Bounced Address", email="c@example.org"),
        _drop("Invalid", email=None),
    )
    assert {tuple(row.values()) for row in found} == {
        ("Bounced Address", "bounce_drops", "example.com", 2, at(2026, 3, 2, 12, 0, 5), "bounced address"),
        ("Bounced Address", "bounce_drops", "example.org", 1, at(2026, 3, 2, 12), "Bounced Address"),
        ("Invalid", "invalid_emails", None, 1, at(2026, 3, 2, 12), "Invalid"),
    }


REASONS = (
    ("Bounced Address", "Bounced Address", "bounce_drops"),
    ("Unsubscribed Address", "Unsubscribed Address", "unsubscribe_drops"),
    ("Spam Reporting Address", "Spam Reporting Address", "spam_report_drops"),
    ("Invalid", "Invalid", "invalid_emails"),
    (" Invalid Address ", "Invalid", "invalid_emails"),
    ("Invalid SMTPAPI header", "Invalid SMTPAPI header", "other"),
    ("Spam Content (if Spam Checker app is enabled)", "Spam Content", "other"),
    ("Recipient List over Package Quota", "Recipient List over Package Quota", "other"),
    ("duplicate", "Duplicate", "other"),
    ("Invalid sender <casey@example.com>", "Invalid sender <address>", "other"),
    ("x" * 120, "x" * 100, "other"),
    ("", "No reason given", "other"),
    (None, "No reason given", "other"),
)


def test_a_reason_and_the_statistic_it_counts_to(store: Store) -> None:
    events = [
        _drop(said, email=f"casey@{number:02}.example.com") for number, (said, *_) in enumerate(REASONS)
    ]
    found = sorted(insight(store, "drop_reasons", *events), key=lambda row: row["domain"])
    assert [(row["reason"], row["type"]) for row in found] == [
        (reason, type_) for _, reason, type_ in REASONS
    ]


def test_an_example_has_no_address_and_is_the_newest(store: Store) -> None:
    (row,) = insight(
        store,
        "drop_reasons",
        _drop("Duplicate of casey@example.com", "2026-03-02T12:00:02"),
        _drop("Duplicate", "2026-03-02T12:00:01"),
    )
    assert row["example"] == "Duplicate of <address>"


def test_a_retry_under_a_new_id_is_not_counted(store: Store) -> None:
    first = _drop("Invalid")
    (row,) = insight(store, "drop_reasons", first, first | {"sg_event_id": "another"})
    assert row["drops"] == 1


def test_without_drops_there_are_no_rows(store: Store) -> None:
    assert insight(store, "drop_reasons", sent("delivered", DAY)) == []
