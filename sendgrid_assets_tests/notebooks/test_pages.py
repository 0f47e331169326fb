"""Both notebooks, run on a published file: no error, the numbers of the events themselves, tables and charts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sendgrid_assets.notebooks.__main__ import main

from .conftest import REASON
from .pages import RunError, Seen, jupyter_page, look, marimo_page

Page = Callable[[Path, Path | str], str]

FUNNEL = """
    WITH shown AS (SELECT * FROM sendgrid.activity WHERE duplicate_of IS NULL AND email IS NOT NULL)
    SELECT count(DISTINCT (message_id, email)) FILTER (event = 'processed'),
           count(DISTINCT (message_id, email)) FILTER (event = 'delivered'),
           count(DISTINCT (message_id, email)) FILTER (event = 'open' AND NOT coalesce(sg_machine_open, false))
    FROM shown
"""
"""From the events, not from the views that the notebooks read."""

CHARTS = 7


@pytest.fixture(scope="module", params=[marimo_page, jupyter_page])
def ran(
    request: pytest.FixtureRequest, published: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """The page of one of the notebooks, and the folder it was run in."""
    folder = tmp_path_factory.mktemp("ran")
    main([str(folder)], standalone_mode=False)
    return request.param(folder, published), folder


@pytest.fixture(scope="module")
def seen(ran: tuple[str, Path]) -> Seen:
    """The page as a browser shows it."""
    if not shutil.which("chromium"):
        pytest.skip("there is no Chromium to look at the page with")
    return look(*ran)


def _row(published: Path, sql: str) -> tuple[Any, ...]:
    with duckdb.connect(published, read_only=True) as connection:
        row = connection.execute(sql).fetchone()
    assert row
    return row


def test_it_ran_to_its_end(ran: tuple[str, Path]) -> None:
    page, _ = ran
    for told in ("What became of our mail", "such user", "0-30 days", "Win-back"):
        assert told in page, told
    assert "Traceback" not in page


def test_every_chart_is_drawn(seen: Seen) -> None:
    assert seen.charts == CHARTS


def test_the_funnel_counts_the_messages_of_the_events(seen: Seen, published: Path) -> None:
    processed, delivered, opened = _row(published, FUNNEL)
    assert processed > delivered > opened > 0
    rows = seen.table("step", "messages", "of_processed")
    assert [int(row["messages"]) for row in rows[:3]] == [processed, delivered, opened]
    assert [row["of_processed"] for row in rows[:3]] == [
        "100.00%",
        f"{delivered / processed:.2%}",
        f"{opened / processed:.2%}",
    ]
    assert 0 < int(rows[3]["messages"]) < opened


def test_each_days_row_has_its_events(seen: Seen, published: Path) -> None:
    with duckdb.connect(published, read_only=True) as connection:
        counted = connection.execute("""
            SELECT timestamp::DATE::VARCHAR, count(*) FILTER (event = 'processed'),
                   count(*) FILTER (event = 'delivered'),
                   count(*) FILTER (event = 'bounce' AND type = 'bounce')
            FROM sendgrid.activity WHERE duplicate_of IS NULL AND event <> 'account_status_change'
            GROUP BY ALL ORDER BY ALL DESC""").fetchall()
    rows = seen.table("day", "bounce_rate")
    told = [(row["day"], *(int(row[name]) for name in ("processed", "delivered", "bounces"))) for row in rows]
    assert told == counted
    assert [row["delivery_rate"] for row in rows] == [
        f"{delivered / processed:.2%}" if processed else "" for _, processed, delivered, _ in counted
    ]


RATES = """
    SELECT name, processed, delivered / processed, bounces / processed, blocks / processed, spam / delivered
    FROM (
        SELECT {of} AS name,
               count(*) FILTER (event = 'processed') AS processed,
               count(*) FILTER (event = 'delivered') AS delivered,
               count(*) FILTER (event = 'bounce' AND type = 'bounce') AS bounces,
               count(*) FILTER (event = 'bounce' AND type <> 'bounce') AS blocks,
               count(*) FILTER (event = 'spamreport') AS spam
        FROM sendgrid.activity WHERE duplicate_of IS NULL AND email IS NOT NULL GROUP BY ALL
    )
"""
NAMES = ("delivery_rate", "bounce_rate", "block_rate", "spam_report_rate")


def test_each_domain_has_the_rates_of_its_events(seen: Seen, published: Path) -> None:
    with duckdb.connect(published, read_only=True) as connection:
        counted = connection.execute(RATES.format(of="lower(split_part(email, '@', 2))")).fetchall()
    rows = {row["domain"]: row for row in seen.table("domain", "block_rate")}
    assert len(counted) == len(rows) > 2
    for domain, processed, *rates in counted:
        assert int(rows[domain]["processed"]) == processed
        assert [rows[domain][name] for name in NAMES] == [f"{rate:.2%}" for rate in rates]


def test_the_whole_period_has_the_rates_of_its_sums(seen: Seen, published: Path) -> None:
    _, processed, *rates = _row(published, RATES.format(of="'all'"))
    for name, told in zip(
        ("processed", *NAMES), (str(processed), *(f"{rate:.2%}" for rate in rates)), strict=True
    ):
        assert (name, told) in seen.totals


def test_each_send_has_the_rates_of_its_messages(seen: Seen, published: Path) -> None:
    with duckdb.connect(published, read_only=True) as connection:
        counted = connection.execute("""
            WITH clicked AS (
                SELECT singlesend_id, count(first_human_click_at) AS clicked FROM sendgrid.messages GROUP BY ALL
            )
            SELECT singlesend_name, count(*) FILTER (event = 'delivered') AS delivered,
                   count(DISTINCT message_id) FILTER (event = 'open' AND NOT sg_machine_open) / delivered,
                   any_value(clicked) / delivered,
                   count(*) FILTER (event IN ('unsubscribe', 'group_unsubscribe')) / delivered
            FROM sendgrid.activity JOIN clicked USING (singlesend_id)
            WHERE duplicate_of IS NULL GROUP BY singlesend_name""").fetchall()
    names = ("unique_human_open_rate", "unique_human_click_rate", "left_rate")
    told = {
        (row["single_send"], int(row["delivered"]), *(row[name] for name in names))
        for row in seen.table("single_send", "left_rate")
    }
    assert told == {
        (name, delivered, *(f"{rate:.2%}" for rate in rates)) for name, delivered, *rates in counted
    }


def test_causes_sends_and_categories_are_listed(seen: Seen, published: Path) -> None:
    sends = {row["single_send"]: int(row["delivered"]) for row in seen.table("single_send", "left_rate")}
    categories = {row["category"]: int(row["delivered"]) for row in seen.table("category", "left_rate")}
    causes = seen.table("kind", "reason")
    (bounces,) = _row(published, "SELECT count(*) FROM sendgrid.bounce WHERE duplicate_of IS NULL")
    (drops,) = _row(published, "SELECT count(*) FROM sendgrid.dropped WHERE duplicate_of IS NULL")
    (receipts,) = _row(
        published,
        "SELECT count(*) FROM sendgrid.delivered WHERE list_contains(category, 'receipts') AND duplicate_of IS NULL",
    )
    (sent,) = _row(
        published,
        "SELECT count(*) FROM sendgrid.delivered WHERE singlesend_id IS NOT NULL AND duplicate_of IS NULL",
    )
    assert sum(sends.values()) == sent > 0
    assert categories["receipts"] == receipts > 0
    assert sum(int(row["messages"]) for row in causes if row["kind"] != "dropped") == bounces > 0
    assert sum(int(row["messages"]) for row in causes if row["kind"] == "dropped") == drops > 0


def test_a_reasons_html_is_shown_and_not_followed(seen: Seen) -> None:
    told = [row["example"] for row in seen.table("kind", "example") if "such user" in row["example"]]
    assert told == [REASON.replace("<o'brien@example.com>", "<address>")]
    assert seen.bold == []


def test_the_recipient_is_one_of_the_most_active(seen: Seen, published: Path) -> None:
    (row,) = seen.table("email", "suppressed")
    received = seen.table("mail", "outcome")
    messages = _row(
        published,
        f"SELECT count(DISTINCT message_id) FROM sendgrid.activity WHERE lower(email) = '{row['email']}'"
        " AND message_id IS NOT NULL",
    )
    # A page of marimo shows twenty rows of a table.
    assert len(received) in (messages[0], 20)
    assert messages[0] > 1
    assert any(mail["first_human_click_at"] for mail in received)


def test_revenue_is_that_of_the_orders(seen: Seen) -> None:
    bands = seen.table("recency_band", "revenue")
    sends = seen.table("single_send", "revenue")
    revenue = sum(float(row["revenue"].replace(",", "")) for row in bands)
    assert 0 < sum(float(row["revenue"].replace(",", "")) for row in sends) < revenue
    assert sum(int(row["buyers"]) for row in bands) < sum(int(row["recipients"]) for row in bands)


@pytest.mark.parametrize("page", [marimo_page, jupyter_page])
def test_a_missing_file_gives_the_sentence(page: Page, folder: Path) -> None:
    try:
        shown = page(folder, "nowhere.duckdb")
    except RunError as error:
        shown = str(error)
    assert re.search(r"There is no published file at \S*nowhere\.duckdb, nor a demo", shown)
    assert "sendgrid-assets up" in shown
