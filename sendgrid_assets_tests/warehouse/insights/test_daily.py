"""`email_daily` and `domain_deliverability`: every event on its day, every message once on each of its days."""

from __future__ import annotations

import datetime as dt

from sendgrid_assets_tests.warehouse.conftest import Row, Store

from .busy_day import DAY, NEXT_DAY, NOTHING, ON_THE_DAY, ON_THE_NEXT, busy_day
from .conftest import insight, part, sent

SIMPLE = ("day", "delivered", "opens", "unique_opens")


def test_every_metric_of_a_day(store: Store) -> None:
    assert insight(store, "email_daily", *busy_day()) == [
        {"day": DAY} | ON_THE_DAY,
        {"day": NEXT_DAY} | ON_THE_NEXT,
    ]


def test_every_metric_of_a_domain(store: Store) -> None:
    elsewhere = sent("processed", "2026-03-10T08:00:00", "other", email="kim@gmail.com")
    found = insight(store, "domain_deliverability", *busy_day(), elsewhere)
    example = {"domain": "example.com", "mailbox_provider": "Other"}
    gmail = {"domain": "gmail.com", "mailbox_provider": "Gmail"}
    # One mail of which nothing more is known: rates of what was processed are 0, the others have no denominator.
    only_processed = {"processed": 1, "delivery_rate": 0.0, "bounce_rate": 0.0, "block_rate": 0.0}
    assert found == [
        {"day": DAY} | example | ON_THE_DAY,
        {"day": DAY} | gmail | NOTHING | only_processed,
        {"day": NEXT_DAY} | example | ON_THE_NEXT,
    ]


def test_a_day_of_what_no_metric_counts_is_a_day_of_zeros(store: Store) -> None:
    back = sent("group_resubscribe", "2026-03-10T08:00:00")
    assert insight(store, "email_daily", back) == [{"day": DAY} | NOTHING]


def test_an_event_that_comes_late_changes_the_day_it_belongs_to(store: Store) -> None:
    today = sent("delivered", "2026-03-11T10:00:00", "m2")
    before = insight(store, "email_daily", sent("delivered", "2026-03-10T10:00:00"), today)
    assert [part(row, *SIMPLE) for row in before] == [_simple(10, 1, 0, 0), _simple(11, 1, 0, 0)]
    late = [sent("open", "2026-03-10T12:00:00"), sent("open", "2026-03-10T12:30:00")]
    after = insight(store, "email_daily", *late)
    assert [part(row, *SIMPLE) for row in after] == [_simple(10, 1, 2, 1), _simple(11, 1, 0, 0)]
    # Once more for a message that has a day there already.
    after = insight(store, "email_daily", sent("open", "2026-03-10T13:00:00"))
    assert [part(row, *SIMPLE) for row in after] == [_simple(10, 1, 3, 1), _simple(11, 1, 0, 0)]


def test_one_domain_however_it_is_written(store: Store) -> None:
    events = [
        sent("processed", "2026-03-10T10:00:00", "m1", email="Casey@Example.COM"),
        sent("processed", "2026-03-10T10:00:00", "m2", email='"a@b"@example.com'),
        sent("dropped", "2026-03-10T10:00:00", "m3", email=None),
        sent("dropped", "2026-03-10T10:00:00", "m4", email="no address"),
    ]
    names = ("domain", "mailbox_provider", "processed", "dropped")
    found = insight(store, "domain_deliverability", *events)
    assert [tuple(part(row, *names).values()) for row in found] == [
        ("example.com", "Other", 2, 0),
        (None, None, 0, 2),
    ]


PROVIDERS = {
    "Gmail": ["gmail.com", "googlemail.com"],
    "Microsoft": ["outlook.com", "outlook.de", "outlook.com.br", "hotmail.co.uk", "hotmail.fr", "live.nl", "msn.com"],
    "Yahoo": ["yahoo.com", "yahoo.co.jp", "yahoo.com.ar", "ymail.com", "rocketmail.com", "aol.com", "aol.de"],
    "Apple": ["icloud.com", "me.com", "mac.com"],
    "GMX and WEB.DE": ["gmx.de", "gmx.net", "gmx.at", "web.de", "mail.com"],
    "Proton": ["proton.me", "protonmail.com", "protonmail.ch", "pm.me"],
    "Comcast": ["comcast.net", "xfinity.com"],
    "AT&T": ["att.net", "sbcglobal.net", "bellsouth.net"],
    "Orange": ["orange.fr", "wanadoo.fr"],
    "Telekom": ["t-online.de", "magenta.de"],
    "Yandex": ["yandex.ru", "yandex.com", "yandex.com.tr", "ya.ru"],
    "Mail.ru": ["mail.ru", "inbox.ru", "list.ru", "bk.ru", "internet.ru"],
    "QQ": ["qq.com", "foxmail.com"],
    "NetEase": ["163.com", "126.com", "yeah.net"],
    "Other": [
        "example.com",
        # Names that only look like one of the above.
        "live.example.com",
        "mygmail.com",
        "yahoo.example.org",
        "outlook",
        "outlook.company",
        "hotmail.de.evil.com",
        "team.gmx.de",
    ],
}  # fmt: skip


def test_whose_mailboxes_a_domain_is_known_for(store: Store) -> None:
    domains = {domain: provider for provider, domains in PROVIDERS.items() for domain in domains}
    events = [
        sent("processed", "2026-03-10T10:00:00", f"m{number}", email=f"casey@{domain}")
        for number, domain in enumerate(domains)
    ]
    found = insight(store, "domain_deliverability", *events)
    assert {row["domain"]: row["mailbox_provider"] for row in found} == domains


def _simple(day: int, delivered: int, opens: int, unique_opens: int) -> Row:
    return dict(zip(SIMPLE, (dt.date(2026, 3, day), delivered, opens, unique_opens), strict=True))
