"""Which clicks are taken for a bot's: at each limit, and just beyond it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sendgrid_assets_tests.warehouse.conftest import Row, Store, at

from .conftest import insight, part, sent


def _bots(row: Row) -> tuple[Any, ...]:
    return tuple(part(row, "clicks", "bot_clicks", "first_human_click_at", "last_human_click_at").values())


def test_clicks_soon_after_the_delivery_are_a_bot_s(store: Store) -> None:
    events = [sent("delivered", "2026-03-10T10:00:00", mail) for mail in ("near", "far", "both")]
    events += [sent("click", "2026-03-10T10:00:10", mail, url="https://e.com/") for mail in ("near", "both")]
    events += [sent("click", "2026-03-10T10:00:11", mail, url="https://e.com/") for mail in ("far", "both")]
    # A click of a mail whose delivery is not known.
    events.append(sent("click", "2026-03-10T10:00:00", "unknown", url="https://e.com/"))
    beyond = at(2026, 3, 10, 10, 0, 11)
    found = {row["message_id"]: _bots(row) for row in insight(store, "messages", *events)}
    assert found == {
        "near": (1, 1, None, None),
        "far": (1, 0, beyond, beyond),
        "both": (2, 1, beyond, beyond),
        "unknown": (1, 0, at(2026, 3, 10, 10), at(2026, 3, 10, 10)),
    }


def test_several_links_at_once_are_a_bot_s(store: Store) -> None:
    def clicks(mail: str, *links: tuple[int, str]) -> list[Row]:
        return [
            sent("click", f"2026-03-10T10:00:{second:02}", mail, url=f"https://e.com/{link}")
            for second, link in links
        ]

    events = [
        *clicks("three_in_a_second", (0, "a"), (0, "b"), (1, "c")),
        *clicks("three_in_two", (0, "a"), (1, "b"), (2, "c")),
        *clicks("two_links", (0, "a"), (0, "b"), (1, "a")),
        *clicks("four_and_one_later", (0, "a"), (0, "b"), (0, "c"), (1, "a"), (30, "a")),
        *clicks("two_mails", (0, "a"), (0, "b")),
        *clicks("other_mail", (0, "c")),
    ]
    found = {row["message_id"]: _bots(row) for row in insight(store, "messages", *events)}

    def second(number: int) -> dt.datetime:
        return at(2026, 3, 10, 10, 0, number)

    assert found == {
        "three_in_a_second": (3, 3, None, None),
        "three_in_two": (3, 0, second(0), second(2)),
        "two_links": (3, 0, second(0), second(1)),
        "four_and_one_later": (5, 4, second(30), second(30)),
        "two_mails": (2, 0, second(0), second(0)),
        "other_mail": (1, 0, second(0), second(0)),
    }
