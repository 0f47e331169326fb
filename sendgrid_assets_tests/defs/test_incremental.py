"""What a later sync asks for: what is new where SendGrid can say so, everything once a day, and all on demand."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import dagster as dg
import duckdb
import pytest
from starlette.requests import Request
from starlette.responses import Response

from sendgrid_assets_tests.site import Site, make_site

BOUNCES = "/v3/suppression/bounces"


def asked(site: Site, path: str) -> list[dict[str, list[str]]]:
    """Queries of the requests to a path since the last look."""
    found = [parse_qs(urlsplit(one).query) for _, one in site.account.requests if urlsplit(one).path == path]
    site.account.requests.clear()
    return found


def jobs(site: Site) -> int:
    """Export jobs asked for since the last look."""
    found = sum(method == "POST" for method, _ in site.account.requests)
    site.account.requests.clear()
    return found


def refreshed(site: Site, *tables: str) -> dg.ExecuteInProcessResult:
    """A sync of these tables as the Launchpad starts it with `full_refresh`."""
    ops = {f"sendgrid__{table}": {"config": {"full_refresh": True}} for table in tables}
    return site.sync(*tables, run_config={"ops": ops})


def a_day_later(site: Site) -> None:
    """As if the last sync had been a day ago."""
    with duckdb.connect(site.settings.warehouse) as connection:
        connection.execute(
            "UPDATE _sendgrid_assets.sync_runs"
            " SET started_at = started_at - INTERVAL 1 DAY, ended_at = ended_at - INTERVAL 1 DAY"
        )


def latest(site: Site, table: str, columns: str = "mode, complete") -> Any:
    return site.query(
        f"SELECT {columns} FROM _sendgrid_assets.sync_runs WHERE table_name = '{table}' ORDER BY ended_at DESC LIMIT 1"
    )[0]


def live(site: Site, table: str) -> int:
    return int(site.query(f"SELECT count(*) FROM sendgrid.{table} WHERE deleted_at IS NULL")[0][0])


def bounce(site: Site, email: str, created: int) -> None:
    site.account.bounces.append({"created": created, "email": email, "reason": "550", "status": "5.1.1"})


def test_suppressions_are_asked_for_since_the_watermark_and_in_full_once_a_day(site: Site) -> None:
    site.sync("suppression_bounces")
    (first,) = asked(site, BOUNCES)
    assert "start_time" not in first
    newest = max(row["created"] for row in site.account.bounces)
    gone = site.account.bounces.pop(0)
    # A row of the watermark's very second, and one that shows late.
    bounce(site, "same-second@example.com", newest)
    bounce(site, "late@example.com", newest - 600)
    site.sync("suppression_bounces")
    (second,) = asked(site, BOUNCES)
    assert int(second["start_time"][0]) == newest - 3600
    assert latest(site, "suppression_bounces") == ("incremental", True)
    emails = {email for (email,) in site.query("SELECT email FROM sendgrid.suppression_bounces")}
    assert {"same-second@example.com", "late@example.com"} <= emails
    # A removal does not show in what is new.
    marked = "SELECT email FROM sendgrid.suppression_bounces WHERE deleted_at IS NOT NULL"
    assert site.query(marked) == []
    a_day_later(site)
    site.sync("suppression_bounces")
    (third,) = asked(site, BOUNCES)
    assert "start_time" not in third
    assert latest(site, "suppression_bounces") == ("full", True)
    assert site.query(marked) == [(gone["email"],)]


def test_an_instant_far_in_the_future_hides_nothing(site: Site) -> None:
    bounce(site, "clock@example.com", 4_000_000_000)
    site.sync("suppression_bounces")
    # The account's clock and ours disagree: what is new to us is older than what it says is newest.
    bounce(site, "new@example.com", site.account.now() - 60)
    site.sync("suppression_bounces")
    assert ("new@example.com",) in site.query("SELECT email FROM sendgrid.suppression_bounces")


def test_full_refresh_asks_for_everything(site: Site) -> None:
    site.sync("suppression_bounces")
    gone = site.account.bounces.pop()
    site.account.requests.clear()
    assert refreshed(site, "suppression_bounces").success
    assert "start_time" not in asked(site, BOUNCES)[0]
    marked = "SELECT email FROM sendgrid.suppression_bounces WHERE deleted_at IS NOT NULL"
    assert site.query(marked) == [(gone["email"],)]


@pytest.fixture
def broken() -> list[str]:
    """Paths that answer 400."""
    return []


@pytest.fixture
def fragile(tmp_path: Path, broken: list[str]) -> Iterator[Site]:
    def intercept(request: Request) -> Response | None:
        return Response(b"<html>", 400) if request.url.path in broken else None

    with make_site(tmp_path, intercept=intercept) as site:
        yield site


def test_a_failed_run_advances_no_watermark(fragile: Site, broken: list[str]) -> None:
    site = fragile
    site.sync("suppression_bounces", "stats")
    watermark = max(row["created"] for row in site.account.bounces)
    bounce(site, "meanwhile@example.com", site.account.now())
    broken += [BOUNCES, "/v3/stats"]
    assert not site.sync("suppression_bounces", "stats").success
    assert latest(site, "suppression_bounces", "status") == ("failed",)
    broken.clear()
    site.account.requests.clear()
    site.sync("suppression_bounces", "stats")
    assert int(asked(site, BOUNCES)[0]["start_time"][0]) == watermark - 3600
    assert ("meanwhile@example.com",) in site.query("SELECT email FROM sendgrid.suppression_bounces")


def test_statistics_are_read_from_the_start_date_then_the_last_days_again(tmp_path: Path) -> None:
    start = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=40)
    with make_site(tmp_path, SENDGRID_START_DATE=start.isoformat()) as site:
        site.sync("stats")
        assert [query["start_date"] for query in asked(site, "/v3/stats")] == [[start.isoformat()]]
        assert live(site, "stats") == 41
        before = dict(site.query("SELECT date, opens FROM sendgrid.stats"))
        site.account.advance(3)
        site.sync("stats")
        (again,) = asked(site, "/v3/stats")
        days = (dt.datetime.now(dt.UTC).date() - dt.date.fromisoformat(again["start_date"][0])).days
        assert 7 <= days <= 14
        after = dict(site.query("SELECT date, opens FROM sendgrid.stats"))
        grown = {day for day in before if after[day] != before[day]}
        assert grown
        assert all(after[day] > before[day] for day in grown)
        assert latest(site, "stats") == ("incremental", True)
        assert site.query("SELECT count(*) FROM sendgrid.stats WHERE deleted_at IS NOT NULL") == [(0,)]
        # An earlier first day is read from there on.
        earlier = start - dt.timedelta(days=30)
        site.variables["SENDGRID_START_DATE"] = earlier.isoformat()
        site.sync("stats")
        assert asked(site, "/v3/stats")[0]["start_date"] == [earlier.isoformat()]
        assert live(site, "stats") == 71
        site.sync("stats")
        assert asked(site, "/v3/stats")[0]["start_date"] == again["start_date"]
        refreshed(site, "stats")
        assert asked(site, "/v3/stats")[0]["start_date"] == [earlier.isoformat()]


def test_a_new_category_is_read_from_the_start_date(tmp_path: Path) -> None:
    start = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=30)
    with make_site(tmp_path, SENDGRID_START_DATE=start.isoformat()) as site:
        site.sync("category_stats")
        site.account.categories.append({"category": "brand new"})
        site.account.requests.clear()
        site.sync("category_stats")
        first = {
            name: query["start_date"][0]
            for query in asked(site, "/v3/categories/stats")
            for name in query["categories"]
        }
        assert Counter(first.values())[start.isoformat()] == 1
        assert first["brand new"] == start.isoformat()
        days = "SELECT count(*) FROM sendgrid.category_stats WHERE name = 'brand new'"
        assert site.query(days) == [(31,)]


def test_members_are_exported_again_only_where_something_changed(site: Site) -> None:
    site.sync("mc_contacts", "mc_contact_lists")
    lists = [list_ for list_ in site.account.mc_lists if list_["contact_count"]]
    held = sum(list_["contact_count"] for list_ in lists)
    assert live(site, "mc_contact_lists") == held
    site.sync("mc_contact_lists")
    site.account.requests.clear()
    # Nothing changed since: no export, and nothing is taken for gone.
    site.sync("mc_contact_lists")
    assert jobs(site) == 0
    assert latest(site, "mc_contact_lists") == ("incremental", True)
    assert live(site, "mc_contact_lists") == held
    # One list's count moved: that one alone.
    left = site.account.members[lists[0]["id"]].pop()
    lists[0]["contact_count"] -= 1
    site.sync("mc_contact_lists")
    assert jobs(site) == 1
    assert site.query(
        "SELECT list_id, contact_id FROM sendgrid.mc_contact_lists WHERE deleted_at IS NOT NULL"
    ) == [(lists[0]["id"], left)]
    # A contact changed, so that two may have changed places: all of them.
    site.account.mc_contacts[0]["first_name"] = "Renamed"
    site.sync("mc_contacts")
    site.account.requests.clear()
    site.sync("mc_contact_lists")
    assert jobs(site) == len(lists)
    # Once a day, whatever the counts say.
    site.sync("mc_contact_lists")
    assert jobs(site) == 0
    a_day_later(site)
    site.sync("mc_contact_lists")
    assert jobs(site) == len(lists)


def test_members_of_a_list_that_is_gone_are_gone(site: Site) -> None:
    site.sync("mc_contact_lists")
    gone = site.account.mc_lists.pop(0)
    site.sync("mc_contact_lists")
    marked = site.query("SELECT DISTINCT list_id FROM sendgrid.mc_contact_lists WHERE deleted_at IS NOT NULL")
    assert marked == [(gone["id"],)]


def test_details_stand_until_the_single_send_changes(site: Site) -> None:
    subjects = "SELECT id, email_config_subject, changed_at FROM sendgrid.mc_single_sends ORDER BY id"
    site.sync("mc_single_sends")
    before = site.query(subjects)
    assert all(subject for _, subject, _ in before)
    site.account.requests.clear()
    site.sync("mc_single_sends")
    assert asked(site, "/v3/marketing/singlesends")
    assert site.query(subjects) == before
    changed = site.account.mc_single_sends[0]
    changed["email_config"] = changed["email_config"] | {"subject": "New subject"}
    changed["updated_at"] = "2099-01-01T00:00:00Z"
    site.account.requests.clear()
    site.sync("mc_single_sends")
    details = [path for _, path in site.account.requests if "/singlesends/" in path]
    assert details == [f"/v3/marketing/singlesends/{changed['id']}"]
    after = {id_: subject for id_, subject, _ in site.query(subjects)}
    assert after.pop(changed["id"]) == "New subject"
    assert after == {id_: subject for id_, subject, _ in before if id_ != changed["id"]}


def test_template_versions_keep_their_text(site: Site) -> None:
    texts = "SELECT id, html_content, changed_at FROM sendgrid.template_versions ORDER BY id"
    site.sync("template_versions")
    before = site.query(texts)
    assert all(html for _, html, _ in before)
    site.account.requests.clear()
    site.sync("template_versions")
    assert not [path for _, path in site.account.requests if path.startswith("/v3/templates/")]
    assert site.query(texts) == before
