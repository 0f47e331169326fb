"""Accounts and rows that are unlike most, through the real job."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets_tests.site import Site, make_site


def test_an_account_with_nothing_in_it_has_empty_tables_that_are_complete(tmp_path: Path) -> None:
    with make_site(tmp_path, SENDGRID_COLLECTIONS="all") as site:
        _emptied(site)
        assert site.run("sendgrid_sync").success
        runs = site.query("SELECT table_name, status, complete, fetched FROM _sendgrid_assets.sync_runs")
        assert {table for table, _, _, _ in runs} == set(BY_TABLE)
        assert {(status, complete) for _, status, complete, _ in runs} == {("ok", True)}
        # The whole account's statistics have a row a day, zeros included.
        assert {table for table, _, _, fetched in runs if fetched} <= {
            "stats", "mailbox_provider_stats", "device_stats", "client_stats", "browser_stats", "geo_stats",
        }  # fmt: skip


def _emptied(site: Site) -> None:
    for name, held in vars(site.account).items():
        if isinstance(held, list) and name not in ("scopes", "requests", "request_headers"):
            held.clear()
    site.account.members.clear()


def test_the_account_holds_what_every_table_holds(tmp_path: Path) -> None:
    with make_site(tmp_path, SENDGRID_COLLECTIONS="all") as site:
        site.account.advance()
        result = site.run("sendgrid_sync")
        assert result.success
        empty = [
            table
            for table in BY_TABLE
            if site.query(f"SELECT count(*) FROM sendgrid.{table} WHERE deleted_at IS NULL") == [(0,)]
        ]
        assert empty == []
        failed = [
            f"{check.asset_key.to_user_string()}:{check.check_name} {check.description}"
            for check in result.get_asset_check_evaluations()
            if not check.passed
        ]
        assert failed == []
        comments = site.query(
            "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'sendgrid' AND comment IS NULL"
        )
        assert comments == [(0,)]


def test_a_five_megabyte_field_and_a_nul_character_come_whole(site: Site) -> None:
    name, odd = "x" * 5_000_000, "before\x00after"
    site.account.lists[0]["name"], site.account.lists[1]["name"] = name, odd
    assert site.sync("lists").success
    found = dict(site.query("SELECT id, name FROM sendgrid.lists"))
    assert found[str(site.account.lists[0]["id"])] == name
    assert found[str(site.account.lists[1]["id"])] == odd


def test_a_row_that_comes_twice_is_one_and_case_is_kept(site: Site) -> None:
    one = {**site.account.recipients[0], "id": "YWJj"}
    site.account.recipients[:] = [one, {**one, "id": "YWJJ"}, {**one, "first_name": "Last"}]
    assert site.sync("recipients").success
    assert site.query("SELECT id, first_name FROM sendgrid.recipients ORDER BY id") == [
        ("YWJJ", one["first_name"]),
        ("YWJj", "Last"),
    ]


@pytest.mark.parametrize(
    ("table", "path", "wrong"),
    [
        ("mc_lists", "/v3/marketing/lists", {"results": []}),
        ("mc_senders", "/v3/marketing/senders", {"senders": []}),
        ("mc_field_definitions", "/v3/marketing/field_definitions", {"custom_fields": []}),
        ("templates", "/v3/templates", {"templates": []}),
        ("stats", "/v3/stats", {"stats": []}),
        ("categories", "/v3/categories", {"result": []}),
        ("verified_senders", "/v3/verified_senders", []),
        ("email_activity", "/v3/messages", {"result": []}),
        ("mc_single_send_stats", "/v3/marketing/stats/singlesends", {"result": []}),
        ("suppression_group_members", "/v3/asm/suppressions", {"suppressions": []}),
    ],
)
def test_rows_under_another_key_are_no_empty_table(
    tmp_path: Path, table: str, path: str, wrong: object
) -> None:
    broken: list[bool] = []

    def intercept(request: Request) -> Response | None:
        return JSONResponse(wrong) if broken and request.url.path == path else None

    with make_site(tmp_path, intercept=intercept, SENDGRID_COLLECTIONS="all") as site:
        assert site.sync(table).success
        before = site.query(f"SELECT * FROM sendgrid.{table} ORDER BY ALL")
        broken.append(True)
        assert not site.sync(table).success
        assert site.query(f"SELECT * FROM sendgrid.{table} ORDER BY ALL") == before


def test_custom_fields_are_columns_of_their_own_types(site: Site) -> None:
    assert site.sync("mc_contacts", "mc_field_definitions", "recipients", "custom_fields").success
    types = dict(
        site.query(
            "SELECT column_name, data_type FROM duckdb_columns()"
            " WHERE table_name = 'mc_contacts_with_custom_fields'"
        )
    )
    assert (types["loyalty_points"], types["plan"], types["birthday"]) == ("DOUBLE", "VARCHAR", "TIMESTAMP")
    contact = next(row for row in site.account.mc_contacts if row["custom_fields"].get("loyalty_points"))
    assert site.query(
        "SELECT loyalty_points, plan FROM sendgrid.mc_contacts_with_custom_fields"
        f" WHERE id = '{contact['contact_id']}'"
    ) == [(contact["custom_fields"]["loyalty_points"], contact["custom_fields"]["plan"])]
    (aged,) = site.query(
        "SELECT count(*) FROM sendgrid.recipients_with_custom_fields WHERE age BETWEEN 16 AND 80"
    )
    assert aged[0] > 0
    # A new field is a column with the next sync.
    site.account.mc_custom_fields.append({"id": "e9_T", "name": "Shoe size", "field_type": "Number"})
    contact["custom_fields"]["Shoe size"] = 43
    site.sync("mc_contacts", "mc_field_definitions")
    assert site.query(
        'SELECT "Shoe size" FROM sendgrid.mc_contacts_with_custom_fields WHERE "Shoe size" IS NOT NULL'
    ) == [(43.0,)]
