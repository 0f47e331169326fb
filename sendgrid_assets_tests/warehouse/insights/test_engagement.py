"""When each address last got, opened and clicked mail, and how often lately."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from sendgrid_assets_tests.warehouse.conftest import Row, Store, now

from .conftest import NEW_YORK, insight, load, part, rows, sent

VIEW = "recipient_engagement"
INSTANTS = (
    "last_delivered_at",
    "last_opened_at",
    "last_human_opened_at",
    "last_clicked_at",
    "last_human_clicked_at",
)
COUNTS = ("delivered", "opens", "human_opens", "clicks", "human_clicks")


def _ago(days: int, hour: int = 12, second: int = 0) -> dt.datetime:
    """An hour of the day so many days before today, in UTC."""
    day = now().date() - dt.timedelta(days=days)
    return dt.datetime.combine(day, dt.time(hour, 0, second))


def _mail(kind: str, when: dt.datetime, mail: str, **fields: Any) -> Row:
    return sent(kind, when.isoformat(), mail, **fields)


def _counts(row: Row, days: int) -> tuple[int, ...]:
    return tuple(row[f"{name}_{days}d"] for name in COUNTS)


def test_one_address_through_a_year_and_more(store: Store) -> None:
    events = [
        # Three mails: today's, of 31 days ago, of 366 days ago.
        _mail("delivered", _ago(0, 0), "today"),
        _mail("open", _ago(0, 0, 5), "today", sg_machine_open=True),
        _mail("click", _ago(0, 0, 5), "today", url="https://example.com/"),
        _mail("delivered", _ago(31), "month", email="CASEY@example.com"),
        _mail("open", _ago(30), "month", email="CASEY@example.com"),
        _mail("open", _ago(31, 13), "month"),
        _mail("click", _ago(31, 12, 10), "month", url="https://example.com/"),
        _mail("click", _ago(31, 13), "month", url="https://example.com/"),
        _mail("delivered", _ago(366), "year", email="Casey@Example.com"),
        _mail("open", _ago(365), "year", email="Casey@Example.com"),
        _mail("click", _ago(91), "year", url="https://example.com/", email="Casey@Example.com"),
    ]
    (row,) = insight(store, VIEW, *events)
    assert row["email"] == "casey@example.com"
    assert part(row, *INSTANTS) == {
        "last_delivered_at": _ago(0, 0),
        "last_opened_at": _ago(0, 0, 5),
        "last_human_opened_at": _ago(30),
        "last_clicked_at": _ago(0, 0, 5),
        "last_human_clicked_at": _ago(31, 13),
    }
    assert _counts(row, 30) == (1, 2, 1, 1, 0)
    assert _counts(row, 90) == (2, 3, 2, 3, 1)
    assert _counts(row, 365) == (2, 4, 3, 4, 2)


def test_bands_by_the_last_human_open_or_click(store: Store) -> None:
    days = {"0-30 days": (0, 30), "31-90 days": (31, 90), "91-365 days": (91, 365), "over 365 days": (366,)}
    events = [
        _mail(
            kind, _ago(ago, 0), f"{kind} {ago}", email=f"{kind}.{ago}@example.com", url="https://example.com/"
        )
        for band in days.values()
        for ago in band
        for kind in ("open", "click")
    ]
    # The later of the two decides, and neither machine nor bot does.
    both = {"email": "both@example.com"}
    machine = {"email": "machine@example.com"}
    events += [
        _mail("open", _ago(100), "both", **both),
        _mail("click", _ago(40), "both", url="https://example.com/", **both),
        _mail("delivered", _ago(1), "machine", **machine),
        _mail("open", _ago(1), "machine", sg_machine_open=True, **machine),
        _mail("click", _ago(1), "machine", url="https://example.com/", **machine),
        _mail("bounce", _ago(1), "bounced", email="bounced@example.com"),
    ]
    found = {row["email"]: row for row in insight(store, VIEW, *events)}
    assert {address: row["recency_band"] for address, row in found.items()} == {
        **{
            f"{kind}.{ago}@example.com": band
            for band, agos in days.items()
            for ago in agos
            for kind in ("open", "click")
        },
        "both@example.com": "31-90 days",
        "machine@example.com": "never",
        "bounced@example.com": "never",
    }
    # A band is the shortest period with a human open or click in it.
    human = {
        days: {address for address, row in found.items() if _counts(row, days)[2] + _counts(row, days)[4] > 0}
        for days in (30, 90, 365)
    }
    assert human[30] == {address for address, row in found.items() if row["recency_band"] == "0-30 days"}
    assert human[90] - human[30] == {
        address for address, row in found.items() if row["recency_band"] == "31-90 days"
    }
    assert human[365] - human[90] == {
        address for address, row in found.items() if row["recency_band"] == "91-365 days"
    }
    for address in ("bounced@example.com", "open.366@example.com"):
        assert {_counts(found[address], days) for days in (30, 90, 365)} == {(0, 0, 0, 0, 0)}
    assert set(part(found["bounced@example.com"], *INSTANTS).values()) == {None}


def test_today_is_the_zones(store: Store) -> None:
    store.change(schemas=NEW_YORK)
    zone = ZoneInfo("America/New_York")
    midnight = dt.datetime.combine(dt.datetime.now(zone).date() - dt.timedelta(days=30), dt.time(), zone)
    first = midnight.astimezone(dt.UTC).replace(tzinfo=None)
    found = insight(
        store,
        VIEW,
        _mail("open", first, "in", email="in@example.com"),
        _mail("open", first - dt.timedelta(seconds=1), "out", email="out@example.com"),
    )
    assert [(row["recency_band"], row["opens_30d"], row["opens_90d"]) for row in found] == [
        ("0-30 days", 1, 1),
        ("31-90 days", 0, 1),
    ]


def test_an_event_that_comes_late_is_counted_on_its_day(store: Store) -> None:
    load(store, _mail("open", _ago(1), "m1"))
    (row,) = insight(store, VIEW, _mail("open", _ago(40), "m1"), _mail("open", _ago(400), "m1"))
    assert (row["opens_30d"], row["opens_90d"], row["opens_365d"]) == (1, 2, 2)
    assert row["last_opened_at"] == _ago(1)


def test_a_retry_under_a_new_id_is_not_counted(store: Store) -> None:
    first = _mail("open", _ago(1), "m1")
    (row,) = insight(store, VIEW, first, first | {"sg_event_id": "another"})
    assert row["opens_30d"] == 1


def test_mail_to_nobody_has_no_row(store: Store) -> None:
    assert insight(store, VIEW, _mail("dropped", _ago(1), "m1", email=None)) == []
    assert rows(store, VIEW) == []
