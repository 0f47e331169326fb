"""The published file after runs that went well, badly, or did nothing."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
from starlette.requests import Request
from starlette.responses import Response

from sendgrid_assets.defs.names import PUBLISHED
from sendgrid_assets_tests.site import Site, make_site


def test_a_sync_leaves_it_current_and_says_so(site: Site) -> None:
    site.sync("lists")
    assert site.query("SELECT count(*) FROM sendgrid.lists")[0][0] == len(site.account.lists)
    event = site.instance.get_latest_materialization_event(PUBLISHED)
    assert event is not None
    assert event.asset_materialization is not None
    published = site.settings.published
    assert published is not None
    assert event.asset_materialization.metadata["dagster/size_bytes"].value == published.stat().st_size


def test_a_run_in_which_a_collection_failed_leaves_it_current_too(tmp_path: Path) -> None:
    def intercept(request: Request) -> Response | None:
        return Response("no", 400) if request.url.path == "/v3/contactdb/lists" else None

    with make_site(tmp_path, intercept=intercept) as site:
        assert not site.sync("lists", "mc_lists").success
        assert site.query("SELECT count(*) FROM sendgrid.mc_lists")[0][0] == len(site.account.mc_lists)
        assert ("lists", "failed") in site.query("SELECT table_name, status FROM _sendgrid_assets.sync_runs")


def test_a_drain_that_found_nothing_replaces_nothing(site: Site) -> None:
    site.run("sendgrid_drain")
    published = site.settings.published
    assert published is not None
    before = published.stat().st_ino
    site.run("sendgrid_drain")
    assert published.stat().st_ino == before


def test_all_tables_exist_with_comments_after_any_first_run(site: Site) -> None:
    site.variables.pop("SENDGRID_API_KEY")
    site.run("sendgrid_drain")
    uncommented = site.query(
        "SELECT schema_name, table_name, column_name FROM duckdb_columns()"
        " WHERE schema_name IN ('sendgrid', '_sendgrid_assets') AND comment IS NULL"
    )
    assert uncommented == []
    tables = {
        name
        for (name,) in site.query("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'sendgrid'")
    }
    assert {"lists", "mc_contacts", "suppression_bounces", "open", "other_event"} <= tables
    assert site.query("SELECT max(version) FROM _sendgrid_assets.schema_version") == [(1,)]


def test_a_reader_that_stays_disturbs_nothing_and_sees_what_it_opened(site: Site) -> None:
    site.sync("lists")
    published = site.settings.published
    assert published is not None
    with duckdb.connect(published, read_only=True) as stays:
        before = stays.execute("SELECT count(*) FROM sendgrid.activity").fetchone()
        site.post(site.traffic.batch(20))
        assert site.run("sendgrid_drain").success
        assert stays.execute("SELECT count(*) FROM sendgrid.activity").fetchone() == before


def test_the_publish_job_publishes_on_demand(site: Site) -> None:
    site.sync("lists")
    published = site.settings.published
    assert published is not None
    published.unlink()
    assert site.run("publish").success
    assert published.exists()


def test_published_off_leaves_no_file_and_no_asset(site: Site) -> None:
    site.variables["SENDGRID_PUBLISHED"] = "off"
    assert site.sync("lists").success
    assert not (site.folder / "data" / "published.duckdb").exists()
    assert PUBLISHED not in site.definitions.resolve_all_asset_keys()


def test_what_a_killed_run_left_in_staging_is_removed_after_a_day(site: Site) -> None:
    old, new = (site.folder / "data" / "staging" / name for name in ("sync-old", "sync-new"))
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "rows.ndjson").touch()
    os.utime(old, (0, 0))
    site.sync("lists")
    assert (old.exists(), new.exists()) == (False, True)
