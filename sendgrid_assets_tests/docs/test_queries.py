"""The ready queries, run as they stand on the page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sendgrid_assets_tests.processes import ROOT

PAGE = (ROOT / "sendgrid_assets" / "docs" / "queries.md").read_text(encoding="utf-8")
QUERIES = dict(re.findall(r"^## (\d+)\. .*?```sql\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, filled: Path) -> Path:
    """A product's own data: every second address that ever clicked has bought, under another spelling."""
    file = tmp_path_factory.mktemp("shop") / "shop.duckdb"
    with duckdb.connect(file) as connection:
        connection.execute(f"ATTACH '{filled}' AS published (READ_ONLY)")
        connection.execute(
            "CREATE TABLE orders AS SELECT upper(email) AS email, now()::TIMESTAMP AS ordered_at, 9.5 AS amount"
            " FROM (SELECT email, row_number() OVER (ORDER BY email) AS n"
            " FROM published.sendgrid.recipient_engagement WHERE human_clicks_90d > 0) WHERE n % 2 = 0"
        )
    return file


def _answer(
    number: str, filled: Path, shop: Path, replace: tuple[str, str] = ("", "")
) -> list[dict[str, Any]]:
    with duckdb.connect(filled, read_only=True) as connection:
        connection.execute(f"ATTACH '{shop}' AS shop (READ_ONLY)")
        cursor = connection.execute(QUERIES[number].replace(*replace))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_they_are_numbered_and_all_of_the_page() -> None:
    assert list(QUERIES) == [str(number) for number in range(1, len(QUERIES) + 1)]
    assert len(QUERIES) == PAGE.count("```sql") >= 10


@pytest.mark.parametrize("number", sorted(QUERIES, key=int))
def test_each_answers_on_real_data(
    number: str, filled: Path, shop: Path, reader: duckdb.DuckDBPyConnection
) -> None:
    # The page's address is nobody's here: the one with most events stands in for it.
    (address,) = reader.execute("SELECT mode(lower(email)) FROM sendgrid.activity").fetchone() or ("",)
    assert _answer(number, filled, shop, ("ada@example.com", address)) != []


def test_two_weeks_are_compared(filled: Path, shop: Path) -> None:
    rows = _answer("1", filled, shop)
    assert [row["period"] for row in rows] == ["last 7 days", "7 days before"]
    assert all(0 < row["delivered_percent"] <= 100 for row in rows)


def test_a_funnel_begins_with_all(filled: Path, shop: Path) -> None:
    rows = _answer("2", filled, shop)
    assert rows[0]["percent_of_first"] == 100
    assert len(rows) == 5
    assert len({row["singlesend_name"] for row in rows}) == 1


def test_buyers_are_not_among_those_who_never_bought(filled: Path, shop: Path) -> None:
    with duckdb.connect(shop, read_only=True) as connection:
        buyers = {email.lower() for (email,) in connection.execute("SELECT email FROM orders").fetchall()}
    clickers = {row["email"] for row in _answer("4", filled, shop)}
    assert buyers
    assert not clickers & buyers
    assert abs(len(clickers) - len(buyers)) <= 1


def test_nobody_suppressed_or_awake_is_to_be_dropped(
    filled: Path, shop: Path, reader: duckdb.DuckDBPyConnection
) -> None:
    asleep = {row["email"] for row in _answer("5", filled, shop)}
    awake = reader.execute(
        "SELECT lower(email) FROM sendgrid.open WHERE NOT coalesce(sg_machine_open, false)"
        " UNION SELECT email FROM sendgrid.suppression_bounces WHERE deleted_at IS NULL"
    ).fetchall()
    assert not asleep & {email for (email,) in awake}


def test_the_counts_stand_beside_sendgrids(filled: Path, shop: Path) -> None:
    rows = _answer("9", filled, shop)
    both = [row for row in rows if row["delivered"] is not None and row["sendgrid_delivered"] is not None]
    assert len(both) > 7
    assert all(row["delivered_difference"] == row["delivered"] - row["sendgrid_delivered"] for row in both)


def test_copies_are_counted(filled: Path, shop: Path, reader: duckdb.DuckDBPyConnection) -> None:
    (copies,) = reader.execute(
        "SELECT count(*) FROM sendgrid.activity WHERE duplicate_of IS NOT NULL"
    ).fetchone() or (0,)
    assert sum(row["copies"] for row in _answer("11", filled, shop)) == copies > 0
