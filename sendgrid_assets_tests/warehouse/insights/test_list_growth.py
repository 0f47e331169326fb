"""How many contacts each list had at the end of a day, and how many came and went."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sendgrid_assets.warehouse.schema import SourceSchema
from sendgrid_assets_tests.warehouse.conftest import Store, now

from .conftest import NEW_YORK, rows

VIEW = "list_growth"


def _day(ago: int) -> dt.date:
    return now().date() - dt.timedelta(days=ago)


def _noon(ago: int) -> dt.datetime:
    return dt.datetime.combine(_day(ago), dt.time(12))


def _members(
    store: Store,
    members: Sequence[tuple[str, str]],
    found_at: dt.datetime | None = None,
    *,
    table: str = "mc_contact_lists",
    source: str = "sendgrid",
) -> None:
    """Syncs who is on which list; the changes it finds are dated to another instant."""
    contact = "contact_id" if table == "mc_contact_lists" else "id"
    began = now()
    store.sync(table, *({"list_id": list_, contact: who} for list_, who in members), source=source)
    if found_at:
        with store.warehouse.open() as connection:
            connection.execute(
                "UPDATE _sendgrid_assets.changes SET changed_at = ? WHERE changed_at >= ?", [found_at, began]
            )


def _growth(store: Store, source: str = "sendgrid") -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in rows(store, VIEW, source=source)]


def test_a_list_is_worked_back_from_its_members_of_now(store: Store) -> None:
    store.sync("mc_lists", {"id": "a", "name": "News", "contact_count": 99}, {"id": "b", "name": "Still"})
    still = [("b", "x")]
    _members(store, [("a", "1"), ("a", "2"), ("a", "3"), *still])
    # Two of three go and two come; a day later one returns, twice within the day; then one goes.
    _members(store, [("a", "1"), ("a", "4"), ("a", "5"), *still], _noon(5))
    _members(store, [("a", "1"), ("a", "2"), ("a", "4"), ("a", "5"), *still], _noon(4))
    _members(store, [("a", "1"), ("a", "4"), ("a", "5"), *still], _noon(4) + dt.timedelta(hours=1))
    _members(
        store, [("a", "1"), ("a", "2"), ("a", "4"), ("a", "5"), *still], _noon(4) + dt.timedelta(hours=2)
    )
    _members(store, [("a", "2"), ("a", "4"), ("a", "5"), *still], _noon(2))
    assert _growth(store) == [
        (_day(5), "a", "News", 3, 2, 2),
        (_day(4), "a", "News", 4, 2, 1),
        (_day(2), "a", "News", 3, 0, 1),
        (_day(0), "a", "News", 3, 0, 0),
        (_day(0), "b", "Still", 1, 0, 0),
    ]


def test_todays_changes_stand_in_todays_row(store: Store) -> None:
    store.sync("mc_lists", {"id": "a", "name": "News"})
    _members(store, [("a", "1")])
    _members(store, [("a", "1"), ("a", "2"), ("a", "3")])
    assert _growth(store) == [(_day(0), "a", "News", 3, 2, 0)]


def test_legacy_lists_too(store: Store) -> None:
    store.sync("lists", {"id": 7, "name": "Legacy", "recipient_count": 1})
    _members(store, [("7", "1")], table="list_recipients")
    _members(store, [("7", "1"), ("7", "2")], _noon(1), table="list_recipients")
    assert _growth(store) == [(_day(1), "7", "Legacy", 2, 1, 0), (_day(0), "7", "Legacy", 2, 0, 0)]


def test_a_deleted_list_keeps_its_past(store: Store) -> None:
    store.sync("mc_lists", {"id": "a", "name": "News"}, {"id": "b", "name": "Gone"})
    _members(store, [("b", "1")])
    _members(store, [("b", "1"), ("b", "2")], _noon(3))
    store.sync("mc_lists", {"id": "a", "name": "News"})
    _members(store, [], _noon(2))
    assert _growth(store) == [
        (_day(3), "b", "Gone", 2, 1, 0),
        (_day(2), "b", "Gone", 0, 0, 2),
        (_day(0), "a", "News", 0, 0, 0),
    ]


def test_without_members_sendgrids_count_stands_in(store: Store) -> None:
    store.sync(
        "mc_lists", {"id": "a", "name": "Not read", "contact_count": 12}, {"id": "b", "contact_count": 5}
    )
    _members(store, [("b", "1")])
    _members(store, [], _noon(1))
    # Of the second it is known who is on it: nobody.
    assert [row[1:] for row in _growth(store)] == [
        ("b", None, 0, 0, 1),
        ("a", "Not read", 12, 0, 0),
        ("b", None, 0, 0, 0),
    ]


def test_members_of_lists_that_are_not_synced(store: Store) -> None:
    _members(store, [("a", "1"), ("b", "1")])
    _members(store, [("a", "1")], _noon(1))
    assert _growth(store) == [(_day(1), "b", None, 0, 0, 1), (_day(0), "a", None, 1, 0, 0)]


def test_a_deleted_list_has_no_today_though_its_members_are_not_read_anew(store: Store) -> None:
    store.sync("mc_lists", {"id": "a", "name": "News"})
    _members(store, [("a", "1")])
    store.sync("mc_lists")
    assert _growth(store) == []


def test_a_day_begins_in_the_zone(store: Store) -> None:
    store.change(schemas=NEW_YORK)
    today = dt.datetime.now(ZoneInfo("America/New_York")).date()
    store.sync("mc_lists", {"id": "a"})
    _members(store, [])
    _members(store, [("a", "1")], dt.datetime(2026, 3, 2, 4, 59, 59))  # noqa: DTZ001
    _members(store, [("a", "1"), ("a", "2")], dt.datetime(2026, 3, 2, 5))  # noqa: DTZ001
    assert [(row[0], row[3]) for row in _growth(store)] == [
        (dt.date(2026, 3, 1), 1),
        (dt.date(2026, 3, 2), 2),
        (today, 2),
    ]


def test_sources_stand_apart(store: Store) -> None:
    store.change(schemas=(SourceSchema("sendgrid", "sendgrid"), SourceSchema("eu", "eu")))
    for source in ("sendgrid", "eu"):
        store.sync("mc_lists", {"id": "a", "name": source}, source=source)
        _members(store, [("a", "1")], source=source)
    _members(store, [("a", "1"), ("a", "2")], _noon(1), source="eu")
    assert _growth(store) == [(_day(0), "a", "sendgrid", 1, 0, 0)]
    assert _growth(store, "eu") == [(_day(1), "a", "eu", 2, 1, 0), (_day(0), "a", "eu", 2, 0, 0)]


def test_changes_of_other_tables_and_values_are_not_growth(store: Store) -> None:
    store.sync("mc_lists", {"id": "a", "name": "News"})
    store.sync("mc_lists", {"id": "a", "name": "Newer"}, {"id": "b"})
    _members(store, [("a", "1")])
    store.sync("mc_contact_lists", {"list_id": "a", "contact_id": "1", "unknown": "update"})
    assert _growth(store) == [(_day(0), "a", "Newer", 1, 0, 0), (_day(0), "b", None, 0, 0, 0)]


def test_without_lists_there_are_no_rows(store: Store) -> None:
    assert _growth(store) == []
