"""Why mail was refused: classes in today's words, texts without what differs from mail to mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sendgrid_assets_tests.warehouse.conftest import Row, Store, at

from .conftest import insight, part, sent

DAY = "2026-03-02T12:00:00"


def _bounce(reason: str | None, class_: str | None = None, when: str = DAY, **fields: Any) -> Row:
    return sent(
        "bounce", when, **{"reason": reason, "bounce_classification": class_, "type": "bounce"} | fields
    )


def _by_mail(store: Store, column: str, bounces: Sequence[tuple[str | None, str | None]]) -> list[Any]:
    """A column for each bounce of (reason, class), each to a domain of its own."""
    events = [
        _bounce(*bounce, email=f"casey@{number:02}.example.com") for number, bounce in enumerate(bounces)
    ]
    found = sorted(insight(store, "bounce_reasons", *events), key=lambda row: row["domain"])
    assert len(found) == len(bounces)
    return [row[column] for row in found]


def test_bounces_are_counted_by_reason_type_and_domain(store: Store) -> None:
    found = insight(
        store,
        "bounce_reasons",
        _bounce("550 one", "Invalid Address", email="a@Example.com"),
        _bounce("550 two", "Invalid Address", "2026-03-02T12:00:05", email="b@example.com"),
        _bounce("550 three", "Invalid Address", email="c@example.com", type="blocked"),
        _bounce("550 four", "Invalid Address", email="d@example.org", type=" Bounce "),
        _bounce("550 five", "Content", email="no address", type=None),
    )
    domains = ("Invalid Address", "example.com"), ("Invalid Address", "example.org"), ("Content", None)
    ours, theirs, nowhere = domains
    assert {tuple(row.values()) for row in found} == {
        (ours[0], "bounce", ours[1], 2, at(2026, 3, 2, 12, 0, 5), "550 two"),
        (ours[0], "blocked", ours[1], 1, at(2026, 3, 2, 12), "550 three"),
        (theirs[0], "bounce", theirs[1], 1, at(2026, 3, 2, 12), "550 four"),
        (nowhere[0], None, nowhere[1], 1, at(2026, 3, 2, 12), "550 five"),
    }


def test_every_word_for_a_class_is_counted_under_todays(store: Store) -> None:
    words = {
        "Invalid Address": ("Invalid Address", "invalid", "Invalid", "INVALID_ADDRESS"),
        "Technical Failure": ("Technical", "technical", "Technical Failure"),
        "Content": ("Content", "content"),
        "Reputation": ("Reputation", "reputation"),
        "Frequency or Volume Too High": ("Frequency or Volume Too High", "Frequency/Volume", "volume"),
        "Mailbox Unavailable": ("Mailbox Unavailable", "mailbox unavailable", "mailbox"),
        "Unclassified": ("Unclassified", "unclassified", " unclassified "),
        "Greylisted Sender": ("Greylisted Sender",),
    }
    events = [_bounce("550 5.1.1 rejected", word) for said in words.values() for word in said]
    found = insight(store, "bounce_reasons", *events)
    assert {row["reason"]: row["bounces"] for row in found} == {
        reason: len(said) for reason, said in words.items()
    }


NORMALISED = (
    ("550 5.1.1 <casey@example.com>: Recipient address rejected", "Recipient address rejected"),
    ("550 no such user", "no such user"),
    ("550-5.7.1 first line\n550 5.7.1  second line", "first line second line"),
    ("Unknown user casey@example.com", "Unknown user"),
    ('mailbox "casey jones"@example.com is full', "mailbox is full"),
    ("mailbox <casey jones@example.com> is full", "mailbox is full"),
    ("see https://support.example.com/why for more", "see for more"),
    ("not found k17sor99wrb.4 - gsmtp", "not found - gsmtp"),
    ("550 5.1.1", "No reason given"),
    ("  ", "No reason given"),
    (None, "No reason given"),
    ("words " * 40, "words " * 16 + "word"),
)


def test_without_a_class_the_text_says_why(store: Store) -> None:
    assert _by_mail(store, "reason", [(said, None) for said, _ in NORMALISED]) == [
        reason for _, reason in NORMALISED
    ]


def test_an_empty_class_is_none(store: Store) -> None:
    assert _by_mail(store, "reason", [("550 no such user", " ")]) == ["no such user"]


def test_texts_that_differ_by_address_and_id_alone_are_one_reason(store: Store) -> None:
    found = insight(
        store,
        "bounce_reasons",
        _bounce("550 5.1.1 <a@example.com>: rejected id 1a2", email="a@example.com"),
        _bounce("551 5.1.2 <b@example.com>: rejected id 3b4", email="b@example.com"),
    )
    assert [part(row, "reason", "bounces") for row in found] == [{"reason": "rejected id", "bounces": 2}]


EXAMPLES = (
    ("550 <casey@example.com>: rejected", "550 <address>: rejected"),
    ("550 casey@example.com, rejected", "550 <address> rejected"),
    ('550 "casey jones"@example.com rejected', "550 <address> rejected"),
    ("550 <casey jones@example.com> rejected", "550 <address> rejected"),
    ("see https://example.com/?to=casey%40example.com", "see <address>"),
    ("a@example.com b@example.org", "<address> <address>"),
    ("x" * 295 + " casey@example.com", "x" * 295 + " <add"),
    ("550 full", "550 full"),
)


def test_an_example_has_no_address(store: Store) -> None:
    assert _by_mail(store, "example", [(said, "Content") for said, _ in EXAMPLES]) == [
        example for _, example in EXAMPLES
    ]


def test_the_example_is_the_newest_text_there_is(store: Store) -> None:
    (row,) = insight(
        store,
        "bounce_reasons",
        _bounce("newest", "Content", "2026-03-02T12:00:02"),
        _bounce("oldest", "Content", "2026-03-02T12:00:01"),
        _bounce(None, "Content", "2026-03-02T12:00:03"),
    )
    assert part(row, "example", "last_seen_at") == {
        "example": "newest",
        "last_seen_at": at(2026, 3, 2, 12, 0, 3),
    }


def test_a_retry_under_a_new_id_is_not_counted(store: Store) -> None:
    first = _bounce("550 full", "Content")
    (row,) = insight(store, "bounce_reasons", first, first | {"sg_event_id": "another"})
    assert row["bounces"] == 1


def test_without_bounces_there_are_no_rows(store: Store) -> None:
    assert insight(store, "bounce_reasons", sent("delivered", DAY)) == []
