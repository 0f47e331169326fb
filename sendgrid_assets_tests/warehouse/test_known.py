"""What of a collection need not be read again, by the runs that loaded it and the rows they left."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sendgrid_assets.api.known import DAILY, Known
from sendgrid_assets.catalog.objects import BY_TABLE, OBJECT_COLLECTIONS
from sendgrid_assets.warehouse.known import known
from sendgrid_assets.warehouse.sync_log import SyncRun, record

from .conftest import SCHEMAS, Row, SourceSchema, Store, at, now

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
START = dt.date(2026, 1, 1)
NOON = at(2026, 3, 1, 12)


def what_is_known(store: Store, table: str, when: dt.datetime = NOON, **other: Any) -> Known:
    given = {"source": "sendgrid", "schema": "sendgrid", "start_date": START} | other
    with store.warehouse.open() as connection:
        return known(connection, collection=BY_TABLE[table], now=when, **given)


def run(store: Store, table: str, started_at: dt.datetime, **fields: Any) -> None:
    """Notes a run that left no row."""
    given = {"source": "sendgrid", "status": "ok", "complete": True, "ended_at": started_at} | fields
    with store.warehouse.open() as connection:
        record(connection, SyncRun(run_id="r", table_name=table, started_at=started_at, **given))


@pytest.mark.parametrize("table", [collection.table for collection in OBJECT_COLLECTIONS])
def test_of_a_table_never_synced_nothing_is_known(store: Store, table: str) -> None:
    assert what_is_known(store, table) == Known(start_date=START)


def test_of_a_collection_that_is_always_listed_nothing_is_known(store: Store) -> None:
    store.sync("lists", {"id": 1}, started_at=NOON)
    assert what_is_known(store, "lists") == Known(start_date=START)


def bounce(created: dt.datetime | None) -> Row:
    return {"email": f"{created}@example.com", "created": str(created) if created else None}


def test_new_suppressions_are_those_since_the_newest_one_and_an_hour(store: Store) -> None:
    store.sync("suppression_bounces", bounce(NOON - DAY), bounce(NOON - 9 * HOUR), started_at=NOON - 3 * HOUR)
    assert what_is_known(store, "suppression_bounces") == Known(start_date=START, since=NOON - 10 * HOUR)


def test_a_suppression_of_the_future_hides_none(store: Store) -> None:
    store.sync("suppression_bounces", bounce(NOON + DAY), started_at=NOON - 3 * HOUR)
    assert what_is_known(store, "suppression_bounces").since == NOON - 4 * HOUR


@pytest.mark.parametrize("rows", [[], [bounce(None)]], ids=["no row", "no instant"])
def test_without_an_instant_all_suppressions_are_listed(store: Store, rows: list[Row]) -> None:
    store.sync("suppression_bounces", *rows, started_at=NOON - HOUR)
    assert what_is_known(store, "suppression_bounces").since is None


@pytest.mark.parametrize(("age", "all_again"), [(DAILY, False), (DAILY + dt.timedelta(seconds=1), True)])
def test_all_suppressions_are_listed_once_a_day(store: Store, age: dt.timedelta, all_again: bool) -> None:
    store.sync("suppression_bounces", bounce(NOON - 2 * DAY), started_at=NOON - age)
    store.sync("suppression_bounces", bounce(NOON - 2 * HOUR), partial=True, started_at=NOON - HOUR)
    assert (what_is_known(store, "suppression_bounces").since is None) == all_again


@pytest.mark.parametrize(
    "run_of_all",
    [
        {"status": "failed"},
        {"status": "refused"},
        {"complete": False},
        {"mode": "incremental"},
        {"source": "other"},
    ],
    ids=str,
)
def test_only_a_proven_full_listing_of_that_source_is_one(store: Store, run_of_all: Any) -> None:
    store.sync("suppression_bounces", bounce(NOON - 3 * DAY), started_at=NOON - 2 * DAY)
    run(store, "suppression_bounces", NOON - HOUR, **run_of_all)
    assert what_is_known(store, "suppression_bounces").since is None


def test_a_failed_run_does_not_move_what_is_new(store: Store) -> None:
    store.sync("suppression_bounces", bounce(NOON + DAY), started_at=NOON - 5 * HOUR)
    run(store, "suppression_bounces", NOON - HOUR, status="failed")
    assert what_is_known(store, "suppression_bounces").since == NOON - 6 * HOUR


def test_a_run_of_an_earlier_release_was_a_full_one(store: Store) -> None:
    store.sync("suppression_bounces", bounce(NOON - DAY), started_at=NOON - HOUR)
    store.query("UPDATE _sendgrid_assets.sync_runs SET mode = NULL")
    assert what_is_known(store, "suppression_bounces").since == NOON - DAY - HOUR


def midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time())


def test_the_last_days_of_statistics_are_read_again(store: Store) -> None:
    run(store, "stats", NOON - DAY, since=midnight(START))
    run(store, "stats", NOON - 3 * HOUR, since=NOON - 11 * DAY, mode="incremental")
    assert what_is_known(store, "stats").since == NOON - 3 * HOUR - 10 * DAY


def test_days_before_the_first_are_never_read(store: Store) -> None:
    run(store, "stats", at(2026, 1, 4), since=midnight(START))
    assert what_is_known(store, "stats").since == midnight(START)


@pytest.mark.parametrize(
    ("reached", "everything"),
    [(START, False), (START - DAY, False), (START + DAY, True)],
    ids=["as far", "further", "less far"],
)
def test_an_earlier_first_day_has_all_statistics_read(
    store: Store, reached: dt.date, everything: bool
) -> None:
    run(store, "stats", NOON - HOUR, since=midnight(reached))
    assert (what_is_known(store, "stats").since is None) == everything


@pytest.mark.parametrize("fields", [{"status": "failed"}, {"complete": False}], ids=str)
def test_statistics_that_did_not_come_are_read_again(store: Store, fields: Any) -> None:
    run(store, "stats", NOON - 2 * HOUR, since=midnight(START + DAY))
    run(store, "stats", NOON - HOUR, since=midnight(START), **fields)
    assert what_is_known(store, "stats").since is None


def test_statistics_of_an_unknown_reach_are_read_again(store: Store) -> None:
    run(store, "stats", NOON - HOUR)
    assert what_is_known(store, "stats").since is None


def test_names_whose_statistics_are_there_need_the_last_days_only(store: Store) -> None:
    days = [{"date": "2026-02-01", "name": name, "metrics": {}} for name in ("a", "b", "b ")]
    store.sync("category_stats", *days, started_at=NOON - HOUR, since=midnight(START))
    assert what_is_known(store, "category_stats") == Known(
        start_date=START, since=NOON - HOUR - 10 * DAY, names=frozenset({"a", "b", "b "})
    )
    assert what_is_known(store, "category_stats", start_date=START - DAY) == Known(start_date=START - DAY)


def test_statistics_without_names_name_none(store: Store) -> None:
    store.sync(
        "device_stats", {"date": "2026-02-01", "name": "Phone"}, started_at=NOON, since=midnight(START)
    )
    assert what_is_known(store, "device_stats").names == frozenset()


@pytest.mark.parametrize(
    ("newest", "since"), [(NOON - 5 * HOUR, NOON - 6 * HOUR), (NOON + DAY, NOON - 2 * HOUR)]
)
def test_activity_is_read_from_the_newest_event_on(
    store: Store, newest: dt.datetime, since: dt.datetime
) -> None:
    store.sync(
        "email_activity",
        {"msg_id": "1", "last_event_time": str(newest - DAY)},
        {"msg_id": "2", "last_event_time": str(newest)},
        started_at=NOON - HOUR,
    )
    assert what_is_known(store, "email_activity").since == since


def single_send(id_: str, updated: dt.datetime | None, **fields: Any) -> Row:
    return {"id": id_, "updated_at": updated and str(updated)} | fields


def test_details_stand_for_as_long_as_the_row_does_not_change(store: Store) -> None:
    read = {"email_config": {"subject": "x"}}
    store.sync("mc_single_sends", single_send("gone", NOON, **read))
    store.sync(
        "mc_single_sends",
        single_send("read", NOON, **read),
        single_send("read in part", NOON - DAY, send_to={"all": False}),
        single_send("never read", NOON, _kept=True),
        single_send("without its instant", None, **read),
    )
    assert what_is_known(store, "mc_single_sends").stamps == {"read": NOON, "read in part": NOON - DAY}


def test_details_of_nested_rows_are_told_by_their_own_id(store: Store) -> None:
    store.sync(
        "template_versions",
        {"template_id": "t", "id": "v", "updated_at": str(NOON), "html_content": "x"},
        {"template_id": "t", "id": "w", "updated_at": str(NOON)},
    )
    assert what_is_known(store, "template_versions").stamps == {"v": NOON}


def members(*pairs: str) -> list[Row]:
    return [{"list_id": pair[0], "contact_id": pair[1:]} for pair in pairs]


def test_lists_are_known_by_how_many_members_they_have(store: Store) -> None:
    store.sync("mc_contact_lists", *members("a1", "a2", "b1", "c1"), started_at=NOON - 3 * HOUR)
    store.sync("mc_contact_lists", *members("a1", "a2", "b1"), started_at=NOON - 2 * HOUR)
    assert what_is_known(store, "mc_contact_lists") == Known(start_date=START, counts={"a": 2, "b": 1})


def test_counts_where_nobody_counts_are_not_known(store: Store) -> None:
    store.sync("mc_segment_contacts", {"segment_id": "s", "contact_id": "1"}, started_at=NOON - HOUR)
    assert what_is_known(store, "mc_segment_contacts").counts == {}


@pytest.mark.parametrize(("age", "stands"), [(DAILY, True), (DAILY + dt.timedelta(seconds=1), False)])
def test_all_members_are_read_once_a_day(store: Store, age: dt.timedelta, stands: bool) -> None:
    store.sync("mc_contact_lists", *members("a1"), started_at=NOON - age)
    store.sync("mc_contact_lists", standing=["a"], started_at=NOON - HOUR)
    assert what_is_known(store, "mc_contact_lists").counts == ({"a": 1} if stands else {})


def test_members_of_a_listing_in_doubt_are_read_again(store: Store) -> None:
    store.sync("mc_contact_lists", *members("a1"), started_at=NOON - HOUR, whole=False)
    assert what_is_known(store, "mc_contact_lists").counts == {}


@pytest.mark.parametrize("change", ["insert", "update", "delete"])
def test_a_change_among_the_contacts_makes_counts_worthless(store: Store, change: str) -> None:
    people = [{"contact_id": "1", "first_name": "a"}, {"contact_id": "2"}]
    store.sync("mc_contacts", *people)
    later = now() + dt.timedelta(seconds=1)
    store.sync("mc_contact_lists", *members("a1"), started_at=later)
    store.sync("mc_contacts", *people)
    assert what_is_known(store, "mc_contact_lists", later).counts == {"a": 1}
    changed = {
        "insert": [*people, {"contact_id": "3"}],
        "update": [{"contact_id": "1", "first_name": "b"}, people[1]],
        "delete": people[1:],
    }
    store.query("UPDATE _sendgrid_assets.sync_runs SET started_at = started_at - INTERVAL 1 HOUR")
    store.sync("mc_contacts", *changed[change])
    assert what_is_known(store, "mc_contact_lists", later).counts == {}


def test_contacts_that_changed_before_the_last_listing_do_not_matter(store: Store) -> None:
    store.sync("mc_contacts", {"contact_id": "1"})
    store.sync("mc_contact_lists", *members("a1"))
    assert what_is_known(store, "mc_contact_lists", now()).counts == {"a": 1}


def test_contacts_that_were_never_synced_do_not_matter(store: Store) -> None:
    store.query("INSERT INTO sendgrid.mc_contacts (id, changed_at) VALUES ('1', TIMESTAMP '2100-01-01')")
    store.sync("mc_contact_lists", *members("a1"), started_at=NOON - HOUR)
    run(store, "mc_contacts", NOON, status="failed")
    assert what_is_known(store, "mc_contact_lists").counts == {"a": 1}
    run(store, "mc_contacts", NOON)
    assert what_is_known(store, "mc_contact_lists").counts == {}


def test_another_source_is_known_by_its_own_runs_and_rows(store: Store) -> None:
    store.change(schemas=(*SCHEMAS, SourceSchema("marketing_eu", "eu")))
    store.sync("suppression_bounces", bounce(NOON - DAY), started_at=NOON - HOUR)
    other = {"source": "marketing_eu", "schema": "eu"}
    assert what_is_known(store, "suppression_bounces", **other) == Known(start_date=START)
    store.sync("suppression_bounces", bounce(NOON - 2 * DAY), started_at=NOON, source="marketing_eu")
    assert what_is_known(store, "suppression_bounces", **other).since == NOON - 2 * DAY - HOUR
