"""dbt's sources.yml: all that is in a real warehouse, and only freshness that can be kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.dbt_sources import dbt_sources, longest_interval
from sendgrid_assets.settings import SettingsError, load_settings

from .processes import call, environment, ours
from .site import Site

KEY = {"SENDGRID_API_KEY": "SG.a.b", "SENDGRID_WEBHOOK_UNSIGNED": "true"}


def _sources(variables: dict[str, str], database: str | None = None) -> dict[str, Any]:
    document = yaml.safe_load(dbt_sources(load_settings(variables), database))
    assert document["version"] == 2
    return {source["name"]: source for source in document["sources"]}


def _tables(variables: dict[str, str], source: str = "sendgrid") -> dict[str, Any]:
    return {table["name"]: table for table in _sources(variables)[source]["tables"]}


def test_it_has_every_table_view_column_and_type_of_a_warehouse(site: Site) -> None:
    site.sync("recipients", "mc_contacts", "custom_fields", "mc_field_definitions")
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for schema, table, column, type_ in site.query(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE NOT internal AND NOT starts_with(table_name, 'sendgrid_') ORDER BY column_index"
    ):
        found.setdefault((schema, table), []).append((column, type_))
    told = {
        (source["schema"], table["name"]): [(c["name"], c["data_type"]) for c in table["columns"]]
        for source in _sources(site.variables).values()
        for table in source["tables"]
    }
    assert told.keys() == found.keys()
    for place, columns in told.items():
        theirs = found[place]
        if place[1].endswith("_with_custom_fields"):
            assert len(theirs) > len(columns)
            theirs = theirs[: len(columns)]
        assert columns == theirs, place


def test_everything_is_described() -> None:
    for source in _sources(KEY).values():
        for table in source["tables"]:
            assert table["description"].endswith("."), table["name"]
            assert [c["name"] for c in table["columns"] if not c["description"].endswith(".")] == []


def test_keys_become_tests() -> None:
    tables = _tables(KEY)

    def columns_with(table: str, test: str) -> list[str]:
        return [c["name"] for c in tables[table]["columns"] if test in c.get("data_tests", ())]

    assert columns_with("lists", "unique") == columns_with("lists", "not_null") == ["id"]
    assert "data_tests" not in tables["lists"]
    assert columns_with("mc_contact_lists", "unique") == []
    assert columns_with("mc_contact_lists", "not_null") == ["list_id", "contact_id"]
    (test,) = tables["mc_contact_lists"]["data_tests"]
    assert test == {"unique": {"arguments": {"column_name": '("list_id", "contact_id")'}}}
    assert columns_with("open", "unique") == ["sg_event_id"]
    for several in ("spam_report", "other_event", "activity"):
        (test,) = tables[several]["data_tests"]
        assert test["unique"]["arguments"]["column_name"] == '("sg_event_id", "event")'
        assert "config" not in test["unique"]
    (test,) = tables["messages"]["data_tests"]
    assert test["unique"] == {
        "arguments": {"column_name": '("message_id", "email")'},
        "config": {"where": '"message_id" IS NOT NULL AND "email" IS NOT NULL'},
    }
    assert columns_with("messages", "not_null") == columns_with("email_daily", "not_null") == []
    assert columns_with("email_daily", "unique") == ["day"]


def _fresh(variables: dict[str, str]) -> set[str]:
    return {name for name, table in _tables(variables).items() if "config" in table}


def test_only_what_is_synced_or_posted_must_be_fresh() -> None:
    costly = {table for table, collection in BY_TABLE.items() if collection.costly}
    assert _fresh(KEY) == BY_TABLE.keys() - costly | {"activity"}
    assert _fresh(KEY | {"SENDGRID_COLLECTIONS": "lists,stats"}) == {"lists", "stats", "activity"}
    assert _fresh({"SENDGRID_WEBHOOK_UNSIGNED": "true"}) == {"activity"}
    assert _fresh({"SENDGRID_API_KEY": "SG.a.b", "SENDGRID_COLLECTIONS": "lists"}) == {"lists"}


@pytest.mark.parametrize(
    ("cron", "warned"),
    [("0 */3 * * *", (6, "hour")), ("*/10 * * * *", (20, "minute")), ("@daily", (48, "hour"))],
)
def test_two_intervals_late_is_warned_of(cron: str, warned: Sequence[object]) -> None:
    table = _tables(KEY | {"SENDGRID_SYNC_CRON": cron})["lists"]
    count, period = warned
    assert table["config"]["freshness"] == {"warn_after": {"count": count, "period": period}}


def test_the_longest_interval_is_what_counts() -> None:
    # Friday evening to Monday morning.
    assert longest_interval("0 8,18 * * 1-5") == dt.timedelta(hours=62)
    assert longest_interval("*/5 * * * 1-5") == dt.timedelta(days=2, minutes=5)
    assert longest_interval("0 0 1 * *") == dt.timedelta(days=31)


def test_what_is_no_cron_line_is_said() -> None:
    with pytest.raises(SettingsError, match="SENDGRID_SYNC_CRON: 'often' is no cron line: write five fields"):
        dbt_sources(load_settings(KEY | {"SENDGRID_SYNC_CRON": "often"}))


def test_each_source_has_its_schema() -> None:
    sources = _sources({"SENDGRID_SOURCES": "prod,eu", "PROD_SCHEMA": "mail"})
    assert {name: source["schema"] for name, source in sources.items()} == {
        "prod": "mail",
        "eu": "eu",
        "_sendgrid_assets": "_sendgrid_assets",
    }
    query = _tables({"SENDGRID_SOURCES": "eu", "EU_API_KEY": "SG.a.b"}, "eu")["lists"]["config"]
    assert "source = 'eu' AND table_name = 'lists'" in query["loaded_at_query"]


def test_the_database_is_named_only_where_it_is_given() -> None:
    assert {source.get("database") for source in _sources(KEY).values()} == {None}
    assert {source["database"] for source in _sources(KEY, "published").values()} == {"published"}


def test_the_command_prints_it(tmp_path: Path) -> None:
    done = call(*ours("dbt-sources", "--database", "mail"), cwd=tmp_path, env=environment(**KEY))
    assert done.returncode == 0, done.stderr
    assert done.stdout == dbt_sources(load_settings(KEY), "mail")


def test_the_command_says_a_wrong_setting_in_one_sentence(tmp_path: Path) -> None:
    done = call(*ours("dbt-sources"), cwd=tmp_path, env=environment(SENDGRID_SYNC_CRON="often"))
    assert done.returncode == 1
    assert done.stderr.startswith("Error: SENDGRID_SYNC_CRON: 'often'")
    assert done.stderr.count("\n") == 1
