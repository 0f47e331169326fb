"""A refresh takes what is new and nothing else, heals what was removed, and is whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sendgrid_assets.warehouse.rollup import refresh
from sendgrid_assets.warehouse.schema import SourceSchema

from .conftest import SCHEMAS, T0, Row, Store, at, event

ROOT = Path(__file__).parents[2]
MESSAGES = "_sendgrid_assets.sendgrid_messages"
DAYS = "_sendgrid_assets.sendgrid_message_days"
CLICKS = "_sendgrid_assets.sendgrid_clicks"
MAIL = {"sg_message_id": "m1.filter.1", "smtp-id": "<s1@x>"}


def refreshed(store: Store, **kwargs: Any) -> int:
    with store.warehouse.open() as connection:
        return refresh(connection, store.warehouse.schemas, **kwargs)


def opened(id_: str) -> Row:
    """An opening unlike the others, which would else be their copy."""
    return event(id_, **MAIL, ip=f"::{id_}")


def click(id_: str, after: int, url: str = "https://x/1") -> Row:
    return event(id_, "click", **MAIL, timestamp=T0 + after, url=url)


def test_what_is_new_is_counted_once(store: Store) -> None:
    store.load(opened("A"), opened("B"))
    assert refreshed(store) == 2
    assert refreshed(store) == 0
    store.load(opened("B"), opened("C"))
    assert refreshed(store) == 1
    assert store.query(f"SELECT opens FROM {MESSAGES}") == [(3,)]
    assert store.query("SELECT events FROM _sendgrid_assets.rollups") == [(3,)]


def test_a_retry_under_another_id_is_left_out(store: Store) -> None:
    store.load(event("A", **MAIL), event("B", **MAIL), opened("C"))
    refreshed(store)
    assert store.query("SELECT count(*) FROM sendgrid.open") == [(3,)]
    assert store.query(f"SELECT opens FROM {MESSAGES}") == [(2,)]


def test_a_delivery_that_comes_late_judges_the_clicks_before_it(store: Store) -> None:
    store.load(click("near", 10), click("far", 11))
    refreshed(store)
    assert store.query(f"SELECT bot_clicks, first_human_click_at FROM {MESSAGES}") == [
        (0, at(2024, 6, 21, 20, 0, 10))
    ]
    store.load(event("D", "delivered", **MAIL))
    refreshed(store)
    assert store.query(f"SELECT bot_clicks, first_human_click_at, last_human_click_at FROM {MESSAGES}") == [
        (1, at(2024, 6, 21, 20, 0, 11), at(2024, 6, 21, 20, 0, 11))
    ]
    assert store.query(f"SELECT clicks, bot_clicks FROM {DAYS}") == [(2, 1)]
    assert store.query(f"SELECT is_bot FROM {CLICKS} ORDER BY timestamp") == [(True,), (False,)]


@pytest.mark.parametrize(
    ("links", "bots"),
    [
        (["1", "2", "3"], 3),
        (["1", "2", "2"], 0),
        (["1", "1", "2", "3"], 4),
    ],
)
def test_three_links_within_a_second_are_a_bots(store: Store, links: list[str], bots: int) -> None:
    store.load(*(click(f"{n}", 100 + n % 2, f"https://x/{link}") for n, link in enumerate(links)))
    refreshed(store)
    assert store.query(f"SELECT bot_clicks FROM {MESSAGES}") == [(bots,)]


def test_three_links_over_two_seconds_are_a_persons(store: Store) -> None:
    store.load(*(click(f"{n}", 100 + n, f"https://x/{n}") for n in range(3)))
    refreshed(store)
    assert store.query(f"SELECT bot_clicks FROM {MESSAGES}") == [(0,)]


def test_an_event_with_the_message_id_header_alone_joins_its_message(store: Store) -> None:
    bounce = event("B", "bounce", type="bounce", timestamp=T0 + 9, **{"smtp-id": "<s1@x>"})
    store.load(event("P", "processed", **MAIL))
    refreshed(store)
    store.load(bounce)
    refreshed(store)
    assert store.query(f"SELECT message_id, processed, bounces FROM {MESSAGES}") == [("m1", 1, 1)]


def test_it_joins_too_where_it_comes_first(store: Store) -> None:
    store.load(
        event("B", "bounce", type="bounce", timestamp=T0 + 90_000, **{"smtp-id": "<s1@x>"}),
        event("C", "click", url="https://x/1", **{"smtp-id": "<s1@x>"}),
    )
    refreshed(store)
    assert store.query(f"SELECT message_id, bounces, clicks FROM {MESSAGES}") == [(None, 1, 1)]
    store.load(event("P", "delivered", **MAIL))
    refreshed(store)
    assert store.query(f"SELECT message_id, delivered, bounces, clicks, bot_clicks FROM {MESSAGES}") == [
        ("m1", 1, 1, 1, 1)
    ]
    assert store.query(f"SELECT delivered, bounces FROM {DAYS} ORDER BY day") == [(1, 0), (0, 1)]
    same = f"SELECT count(*) FROM {CLICKS} SEMI JOIN {MESSAGES} USING (message)"
    assert store.query(same) == [(1,)]


def test_another_recipient_of_the_same_mail_is_another_message(store: Store) -> None:
    store.load(
        opened("A"),
        event("B", **MAIL, email="other@example.com"),
        event("C", **MAIL, email="CASEY@example.com"),
    )
    refreshed(store)
    assert store.query(f"SELECT lower(email), opens FROM {MESSAGES} ORDER BY ALL") == [
        ("casey@example.com", 2),
        ("other@example.com", 1),
    ]


def test_events_without_any_id_of_a_message_stay_apart(store: Store) -> None:
    store.load(event("A"), event("B", ip="::1"))
    refreshed(store)
    assert store.query(f"SELECT opens FROM {MESSAGES}") == [(1,), (1,)]


def test_a_day_is_the_zones(store: Store) -> None:
    store.change(schemas=(SourceSchema("sendgrid", "sendgrid", time_zone="America/New_York"),))
    store.load(event("A", timestamp=1_735_700_400), event("B", timestamp=1_735_714_800, ip="::1"))
    refreshed(store)
    assert store.query(f"SELECT day::VARCHAR FROM {DAYS} ORDER BY day") == [("2024-12-31",), ("2025-01-01",)]


def test_another_zone_makes_them_anew(store: Store) -> None:
    store.load(event("A", timestamp=1_735_700_400))
    refreshed(store)
    assert store.query(f"SELECT day::VARCHAR FROM {DAYS}") == [("2025-01-01",)]
    store.change(schemas=(SourceSchema("sendgrid", "sendgrid", time_zone="America/New_York"),))
    assert refreshed(store) == 1
    assert store.query(f"SELECT day::VARCHAR FROM {DAYS}") == [("2024-12-31",)]


def test_events_that_were_removed_leave_them_too(store: Store) -> None:
    store.load(opened("A"), opened("B"))
    refreshed(store)
    store.query("DELETE FROM sendgrid.open WHERE sg_event_id = 'A'")
    refreshed(store)
    assert store.query(f"SELECT opens FROM {MESSAGES}") == [(1,)]


def test_a_table_emptied_and_loaded_again_is_counted_once(store: Store) -> None:
    store.load(opened("A"), opened("B"))
    refreshed(store)
    for table in ("sendgrid.open", "_sendgrid_assets.loaded_files"):
        store.query(f"DELETE FROM {table}")
    store.load(opened("A"), opened("B"))
    refreshed(store)
    assert store.query(f"SELECT opens FROM {MESSAGES}") == [(2,)]


def test_a_clock_set_back_hides_no_commit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.load(opened("A"))
    refreshed(store)
    monkeypatch.setattr("sendgrid_assets.warehouse.append.utc_now", lambda: at(2020, 1, 1))
    store.load(opened("B"))
    store.load(opened("C"))
    refreshed(store)
    assert store.query(f"SELECT opens FROM {MESSAGES}") == [(3,)]


def test_portions_end_as_one(store: Store) -> None:
    for number in range(4):
        store.load(*(event(f"{number}-{n}", **MAIL, ip=f"::{n}", timestamp=T0 + number) for n in range(3)))
    assert refreshed(store, portion=5) == 12
    assert store.query(f"SELECT opens, last_open_at FROM {MESSAGES}") == [(12, at(2024, 6, 21, 20, 0, 3))]


def test_sources_do_not_mix(store: Store) -> None:
    store.change(schemas=(*SCHEMAS, SourceSchema("marketing_eu", "eu")))
    store.load(event("A", **MAIL))
    refreshed(store)
    assert store.query(f"SELECT count(*) FROM {MESSAGES}") == [(1,)]
    assert store.query("SELECT count(*) FROM _sendgrid_assets.marketing_eu_messages") == [(0,)]


KILLED = """
import os, signal, sys
from pathlib import Path
from sendgrid_assets.warehouse import rollup
from sendgrid_assets_tests.warehouse.conftest import Store
store = Store(Path(sys.argv[1]))
original, seen = rollup.{function}, 0
def killing(*arguments):
    global seen
    seen += 1
    if seen == {call}:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments)
rollup.{function} = killing
with store.warehouse.open() as connection:
    rollup.refresh(connection, store.warehouse.schemas, portion=5)
"""


@pytest.mark.parametrize(("function", "call"), [("_make", 5), ("utc_now", 1), ("utc_now", 2), ("_make", 14)])
def test_a_refresh_that_is_killed_is_taken_up_again(store: Store, function: str, call: int) -> None:
    for number in range(3):
        store.load(*(event(f"{number}-{n}", **MAIL, ip=f"::{n}", timestamp=T0 + number) for n in range(5)))
    script = KILLED.format(function=function, call=call)
    died = subprocess.run(
        [sys.executable, "-c", script, str(store.folder)], cwd=ROOT, timeout=60, check=False, env=os.environ
    )
    assert died.returncode == -signal.SIGKILL
    refreshed(store)
    assert store.query(f"SELECT opens FROM {MESSAGES}") == [(15,)]


def test_the_temporary_tables_are_gone_afterwards(store: Store) -> None:
    store.load(event("A", **MAIL))
    with store.warehouse.open() as connection:
        refresh(connection, SCHEMAS)
        left = connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    assert left == []
