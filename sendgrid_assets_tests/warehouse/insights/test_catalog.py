"""Every insight is what its entry says: its columns, its comments, what it reads; and none lacks its file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from string import Template
from typing import Any

import duckdb
import pytest

from sendgrid_assets.catalog import bookkeeping
from sendgrid_assets.catalog.events import EVENT_COLLECTIONS
from sendgrid_assets.catalog.insight import Insight
from sendgrid_assets.catalog.insights import INSIGHTS
from sendgrid_assets.catalog.metric_columns import DEFINED, METRICS, OUR_OWN
from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.catalog.rollups import BOT_BURST_SECONDS, BOT_LINKS, BOT_SECONDS, MAIL_EVENTS, ROLLUPS
from sendgrid_assets.warehouse.insight_views import select
from sendgrid_assets_tests.warehouse.conftest import Store

from .conftest import rows

FOLDER = files("sendgrid_assets.warehouse").joinpath("insights")
SHOWN = {
    "processed": {"processed", "delivery_rate", "bounce_rate", "block_rate", "processed_at"},
    "dropped": {"dropped", "drops", "dropped_at", "drop_reason"},
    "delivered": {"delivered", "delivery_rate", "unique_open_rate", "delivered_at", "last_delivered_at"},
    "deferred": {"deferred", "deferrals", "attempts", "first_deferred_at"},
    "bounce": {"bounces", "blocks", "bounced_at", "bounce_reason", "bounce_classification"},
    "open": {"opens", "unique_opens", "unique_human_opens", "first_open_at", "last_opened_at"},
    "click": {"clicks", "unique_clicks", "unique_human_clicks", "first_click_at", "last_clicked_at"},
    "spam_report": {"spam_reports", "spam_report_rate", "spam_report_at"},
    "unsubscribe": {"unsubscribe_rate", "unsubscribed_at"},
    "group_unsubscribe": {"group_unsubscribes"},
    "group_resubscribe": {"resubscribes"},
}
"""Columns that show a table's events, in whatever view they are."""

each = pytest.mark.parametrize("insight", INSIGHTS, ids=lambda insight: insight.view)


@pytest.fixture(scope="module")
def empty(template: object) -> Iterator[duckdb.DuckDBPyConnection]:
    """A real warehouse without a row in it."""
    with duckdb.connect(str(template), read_only=True) as connection:
        yield connection


def test_every_file_has_an_entry_and_every_entry_a_file() -> None:
    sql = sorted(file.name for file in FOLDER.iterdir() if file.name.endswith(".sql"))
    assert sql == sorted(f"{insight.view}.sql" for insight in INSIGHTS)
    assert {insight.view for insight in INSIGHTS}.isdisjoint({*BY_TABLE, *MAIL_EVENTS, "activity"})


@each
def test_its_columns_are_the_view_s(empty: duckdb.DuckDBPyConnection, insight: Insight) -> None:
    found = empty.execute(f"DESCRIBE sendgrid.{insight.view}").fetchall()
    assert [(name, type_) for name, type_, *_ in found] == [(c.name, c.type) for c in insight.columns]
    names = [column.name for column in insight.columns]
    assert insight.key == tuple(name for name in names if name in insight.key)
    assert names[0] == insight.key[0]
    assert len(set(names)) == len(names)


@each
def test_a_metric_s_name_has_one_meaning_and_one_order(insight: Insight) -> None:
    shared = {column.name: column for column in METRICS}
    metrics = [column for column in insight.columns if column.name in shared]
    assert [column.type for column in metrics] == [shared[column.name].type for column in metrics]
    if {"unique_opens", "delivery_rate"} <= {column.name for column in metrics}:
        assert tuple(metrics) == METRICS


@each
def test_it_and_each_of_its_columns_is_explained_where_it_is_queried(
    empty: duckdb.DuckDBPyConnection, insight: Insight
) -> None:
    (comment,) = empty.execute(
        "SELECT comment FROM duckdb_views() WHERE schema_name = 'sendgrid' AND view_name = ?", [insight.view]
    ).fetchall()
    assert comment == (insight.description,)
    comments = empty.execute(
        "SELECT column_name, comment FROM duckdb_columns() WHERE schema_name = 'sendgrid' AND table_name = ?"
        " ORDER BY column_index",
        [insight.view],
    ).fetchall()
    assert comments == [(column.name, column.description) for column in insight.columns]
    for text in (insight.description, *(column.description for column in insight.columns)):
        assert text[0] in '`"' or text[0].isupper() or text.startswith("Of "), text
        assert text.endswith("."), text


@each
def test_what_it_reads_is_what_its_query_reads(empty: duckdb.DuckDBPyConnection, insight: Insight) -> None:
    tables = _tables(empty, select(insight.view, "sendgrid", "sendgrid", "UTC"))
    rollups = {table for table in tables if table.startswith(f"{bookkeeping.SCHEMA}.sendgrid_")}
    assert rollups <= {f"{bookkeeping.SCHEMA}.sendgrid_{rollup.table}" for rollup in ROLLUPS}
    direct = {table.removeprefix("sendgrid.") for table in tables - rollups if table.startswith("sendgrid.")}
    noted = tables - rollups - {f"sendgrid.{table}" for table in direct}
    assert noted <= {f"{bookkeeping.SCHEMA}.changes"}
    reads = set(insight.reads)
    assert len(reads) == len(insight.reads)
    assert reads >= direct
    # Beside what it reads itself there is only what a rollup or the record of changes holds for it.
    behind = reads - direct
    assert behind <= {*(MAIL_EVENTS if rollups else ()), *(BY_TABLE if noted else ())}
    if noted:
        assert all(f"'{table}'" in _text(insight) for table in behind & BY_TABLE.keys())
    if rollups:
        assert behind
    columns = {column.name for column in insight.columns}
    assert reads >= {table for table, shown in SHOWN.items() if shown & columns}


@each
def test_it_reads_only_what_comes_before_it(insight: Insight) -> None:
    before = {other.view for other in INSIGHTS[: INSIGHTS.index(insight)]}
    tables = {*BY_TABLE, *(collection.table for collection in EVENT_COLLECTIONS)}
    assert set(insight.reads) <= before | tables


@each
def test_it_is_empty_where_nothing_is_loaded(empty: duckdb.DuckDBPyConnection, insight: Insight) -> None:
    assert empty.execute(f"SELECT * FROM sendgrid.{insight.view}").fetchall() == []


@each
def test_its_file_says_what_it_answers(insight: Insight) -> None:
    text = _text(insight)
    lines = text.splitlines()
    heading = [line for line in lines[:4] if line.startswith("-- ")]
    assert lines[: len(heading)] == heading
    assert 1 <= len(heading) <= 3
    assert lines[len(heading)].startswith(("SELECT", "WITH", "FROM"))
    (statement,) = duckdb.extract_statements(
        f"{select(insight.view, 'sendgrid', 'sendgrid', 'UTC')}\nLIMIT 0"
    )
    assert statement.type == duckdb.StatementType.SELECT
    assert max(map(len, lines)) <= 110
    placeholders = {"schema", "source", "zone", "changes", *(rollup.table for rollup in ROLLUPS)}
    assert set(Template(text).get_identifiers()) <= placeholders


def test_the_limits_of_bots_are_told_where_their_clicks_are() -> None:
    limits = (f"{BOT_SECONDS} seconds", f"{BOT_LINKS} (and|or) more different", f"{BOT_BURST_SECONDS} second")
    for insight in INSIGHTS:
        names = {column.name for column in insight.columns}
        if {"bot_clicks", "unique_human_clicks", "last_human_clicked_at"} & names:
            assert all(re.search(limit, insight.note) for limit in limits), insight.view


def test_a_source_s_name_and_zone_may_be_any(store: Store) -> None:
    schemas = tuple(
        type(schema)(source="order", schema="select", time_zone="America/Argentina/Buenos_Aires")
        for schema in store.warehouse.schemas
    )
    store.change(schemas=schemas)
    with store.warehouse.open():
        pass
    for insight in INSIGHTS:
        assert rows(store, insight.view, source="order") == []


def _text(insight: Insight) -> str:
    return FOLDER.joinpath(f"{insight.view}.sql").read_text(encoding="utf-8")


def _tables(connection: duckdb.DuckDBPyConnection, query: str) -> set[str]:
    """The tables a query names, each with its schema."""
    row = connection.execute("SELECT json_serialize_sql(?)", [query]).fetchone()
    assert row is not None
    return set(_named(json.loads(row[0])))


def _named(node: Any) -> Iterator[str]:
    """As `_tables`, of a part of the query; what has no schema is another part's name."""
    if isinstance(node, dict):
        if node.get("type") == "BASE_TABLE" and node["schema_name"]:
            yield f"{node['schema_name']}.{node['table_name']}"
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from _named(part)


def test_every_metric_is_defined_once_by_sendgrid_or_by_us() -> None:
    told = [*OUR_OWN, *(metric for metrics in DEFINED.values() for metric in metrics)]
    assert sorted(told) == sorted(column.name for column in METRICS)
