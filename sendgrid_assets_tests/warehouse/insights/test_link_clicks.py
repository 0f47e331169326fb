"""Which links were clicked, in which campaign's mail, and by whom: people or machines."""

from __future__ import annotations

from typing import Any

from sendgrid_assets_tests.warehouse.conftest import Row, Store, at

from .conftest import insight, load, part, rows, sent

SHOP = "https://shop.example.com/sale"


def _click(when: str, mail: str = "m1", url: str | None = SHOP, **fields: Any) -> Row:
    return sent("click", when, mail, url=url, **fields)


def _delivered(mail: str = "m1") -> Row:
    return sent("delivered", "2026-03-02T12:00:00", mail)


def test_clicks_by_link_whatever_its_query(store: Store) -> None:
    found = insight(
        store,
        "link_clicks",
        _delivered("m1"),
        _delivered("m2"),
        _click("2026-03-02T12:10:00", "m1", f"{SHOP}?u=1"),
        _click("2026-03-02T12:20:00", "m1", f"{SHOP}#top?u=2"),
        # Ten seconds from the delivery, and eleven.
        _click("2026-03-02T12:00:10", "m2", f"{SHOP}?u=3#end"),
        _click("2026-03-02T12:00:11", "m2", "https://shop.example.com/other"),
        _click("2026-03-02T13:00:00", "m3", None),
    )
    assert [tuple(row.values())[4:] for row in found] == [
        ("https://shop.example.com/other", 1, 0, 1, 1, at(2026, 3, 2, 12, 0, 11), at(2026, 3, 2, 12, 0, 11)),
        (SHOP, 3, 1, 2, 1, at(2026, 3, 2, 12, 0, 10), at(2026, 3, 2, 12, 20)),
        (None, 1, 0, 1, 1, at(2026, 3, 2, 13), at(2026, 3, 2, 13)),
    ]
    assert list(found[0]) == [
        "campaign_id", "campaign_name", "singlesend_id", "singlesend_name", "url", "clicks", "bot_clicks",
        "unique_clicks", "unique_human_clicks", "first_click_at", "last_click_at",
    ]  # fmt: skip


def test_three_links_at_once_are_a_bots_and_two_are_not(store: Store) -> None:
    found = insight(
        store,
        "link_clicks",
        *(_click("2026-03-02T13:00:00", "bot", f"https://example.com/{n}") for n in (1, 2)),
        _click("2026-03-02T13:00:01", "bot", "https://example.com/3"),
        *(_click("2026-03-02T13:00:00", "person", f"https://example.com/{n}") for n in (1, 2)),
        # One second too late to be among three.
        _click("2026-03-02T13:00:02", "person", "https://example.com/3"),
    )
    assert [part(row, "clicks", "bot_clicks", "unique_human_clicks") for row in found] == [
        {"clicks": 2, "bot_clicks": 1, "unique_human_clicks": 1}
    ] * 3


def test_clicks_by_campaign_and_single_send(store: Store) -> None:
    found = insight(
        store,
        "link_clicks",
        _click("2026-03-02T12:00:00", "m1", marketing_campaign_id="7", marketing_campaign_name="Spring"),
        _click("2026-03-03T12:00:00", "m2", marketing_campaign_id="7", marketing_campaign_name="Autumn"),
        _click("2026-03-02T12:00:00", "m3", singlesend_id="s1", singlesend_name="News"),
        _click("2026-03-02T12:00:00", "m4"),
    )
    columns = ("campaign_id", "campaign_name", "singlesend_id", "singlesend_name", "clicks")
    # A campaign that was renamed is one, under the name in the mail clicked last.
    assert {tuple(part(row, *columns).values()) for row in found} == {
        ("7", "Autumn", None, None, 2),
        (None, None, "s1", "News", 1),
        (None, None, None, None, 1),
    }


def test_a_delivery_that_comes_late_shows_a_bot(store: Store) -> None:
    load(store, _click("2026-03-02T12:00:03"))
    assert [row["bot_clicks"] for row in rows(store, "link_clicks")] == [0]
    assert [row["bot_clicks"] for row in insight(store, "link_clicks", _delivered())] == [1]


def test_a_retry_under_a_new_id_is_not_counted(store: Store) -> None:
    first = _click("2026-03-02T12:00:00")
    (row,) = insight(store, "link_clicks", first, first | {"sg_event_id": "another"})
    assert row["clicks"] == 1


def test_without_clicks_there_are_no_rows(store: Store) -> None:
    assert insight(store, "link_clicks", _delivered()) == []
