"""A sync through the real job: what is in the tables afterwards, and what a bad answer leaves alone."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sendgrid_assets_tests.site import Site, make_site


def _checks(result: dg.ExecuteInProcessResult, table: str) -> dict[str, dg.AssetCheckEvaluation]:
    return {
        check.check_name: check
        for check in result.get_asset_check_evaluations()
        if check.asset_key == dg.AssetKey(["sendgrid", table])
    }


def test_every_collection_holds_what_the_account_holds(site: Site) -> None:
    assert site.run("sendgrid_sync").success
    expected = {
        "lists": site.account.lists,
        "segments": site.account.segments,
        "recipients": site.account.recipients,
        "campaigns": site.account.campaigns,
        "mc_lists": site.account.mc_lists,
        "mc_contacts": site.account.mc_contacts,
        "mc_single_sends": site.account.mc_single_sends,
        "suppression_bounces": site.account.bounces,
    }
    counted = {table: site.query(f"SELECT count(*) FROM sendgrid.{table}")[0][0] for table in expected}
    assert counted == {table: len(rows) for table, rows in expected.items()}


def test_a_count_that_moved_shows_and_only_then_is_the_row_changed(site: Site) -> None:
    site.account.lists[0]["recipient_count"] = 100
    site.sync("lists")
    before = dict(site.query("SELECT id, changed_at FROM sendgrid.lists"))
    site.account.lists[0]["recipient_count"] = 200
    site.sync("lists")
    moved = str(site.account.lists[0]["id"])
    rows = site.query(
        "SELECT id, recipient_count, first_synced_at, synced_at, changed_at FROM sendgrid.lists"
    )
    for id_, count, first_synced_at, synced_at, changed_at in rows:
        assert synced_at > first_synced_at
        assert (changed_at > before[id_]) is (id_ == moved)
        if id_ == moved:
            assert count == 200


def test_a_vanished_row_is_marked_and_a_returned_one_is_not(site: Site) -> None:
    site.sync("lists")
    gone = site.account.lists.pop()
    site.sync("lists")
    marked = "SELECT id FROM sendgrid.lists WHERE deleted_at IS NOT NULL"
    assert site.query(marked) == [(str(gone["id"]),)]
    site.account.lists.append(gone)
    site.sync("lists")
    assert site.query(marked) == []


def test_a_refused_collection_is_told_apart_and_the_rest_goes_on(tmp_path: Path) -> None:
    with make_site(tmp_path, refused=["/v3/contactdb", "/v3/campaigns"]) as site:
        result = site.sync("recipients", "campaigns", "mc_contacts")
        assert result.success
        readable = _checks(result, "recipients")["readable"]
        assert not readable.passed
        assert readable.severity is dg.AssetCheckSeverity.WARN
        assert "marketing_campaigns.read" in (readable.description or "")
        statuses = dict(site.query("SELECT table_name, status FROM _sendgrid_assets.sync_runs"))
        most = "SELECT max(requests) FROM _sendgrid_assets.sync_runs WHERE status = 'refused'"
        assert site.query(most)[0][0] <= 3
        assert statuses["recipients"] == statuses["campaigns"] == "refused"
        assert statuses["mc_contacts"] == "ok"
        assert site.query("SELECT count(*) FROM sendgrid.recipients") == [(0,)]
        key = dg.AssetKey(["sendgrid", "recipients"])
        assert site.instance.get_latest_materialization_event(key) is None


def test_a_refusal_leaves_the_rows_of_an_earlier_sync(tmp_path: Path) -> None:
    closed: list[str] = []

    def intercept(request: Request) -> Response | None:
        if any(request.url.path.startswith(path) for path in closed):
            return JSONResponse({"errors": [{"message": "access forbidden", "field": None}]}, 403)
        return None

    with make_site(tmp_path, intercept=intercept) as site:
        site.sync("lists")
        closed.append("/v3/contactdb/lists")
        site.sync("lists")
        assert site.query("SELECT count(*) FROM sendgrid.lists WHERE deleted_at IS NULL") == [
            (len(site.account.lists),)
        ]


def test_a_refused_collection_that_was_named_fails(tmp_path: Path) -> None:
    with make_site(tmp_path, refused=["/v3/campaigns"], SENDGRID_COLLECTIONS="campaigns,lists") as site:
        result = site.run("sendgrid_sync")
        assert not result.success
        (failure,) = (event for event in result.all_events if event.is_step_failure)
        assert "SENDGRID_COLLECTIONS" in str(failure.step_failure_data.user_failure_data)
        assert site.query("SELECT count(*) FROM sendgrid.lists")[0][0] > 0
        assert {path.split("?")[0] for _, path in site.account.requests} == {
            "/v3/campaigns",
            "/v3/contactdb/lists",
            "/v3/scopes",
        }


@pytest.mark.parametrize(
    "answer",
    [
        Response("<html>maintenance</html>", 200, media_type="text/html"),
        JSONResponse({"errors": [{"message": "internal"}]}),
        Response(b'{"lists": [{"id": 1', 200, media_type="application/json"),
        JSONResponse({"lists": [{"name": "no id"}]}),
        JSONResponse({"errors": [{"message": "bad request"}]}, 400),
        Response(b"", 200, media_type="application/json"),
    ],
    ids=["html", "error body", "cut", "row without key", "status 400", "nothing"],
)
def test_an_answer_that_is_no_listing_fails_that_collection_alone(tmp_path: Path, answer: Response) -> None:
    broken: list[bool] = []

    def intercept(request: Request) -> Response | None:
        return answer if broken and request.url.path == "/v3/contactdb/lists" else None

    with make_site(tmp_path, intercept=intercept) as site:
        site.sync("lists", "mc_lists")
        before = site.query("SELECT * FROM sendgrid.lists ORDER BY id")
        site.account.mc_lists[0]["name"] = "renamed"
        broken.append(True)
        result = site.sync("lists", "mc_lists")
        assert not result.success
        assert site.query("SELECT * FROM sendgrid.lists ORDER BY id") == before
        assert ("renamed",) in site.query("SELECT name FROM sendgrid.mc_lists")
        latest = "SELECT status, message FROM _sendgrid_assets.sync_runs WHERE table_name = 'lists' ORDER BY ended_at"
        status, message = site.query(latest)[-1]
        assert status == "failed"
        assert message


def test_fewer_rows_than_counted_load_warn_and_mark_no_deletions(tmp_path: Path) -> None:
    with make_site(tmp_path, refused=["/v3/contactdb/exports"]) as site:
        site.sync("recipients")
        site.account.upgraded = True
        shown = {row["id"] for row in site.account.recipients[-3:]}
        site.account.recipients[:] = site.account.recipients * 2
        result = site.sync("recipients")
        complete = _checks(result, "recipients")["complete"]
        assert not complete.passed
        assert complete.severity is dg.AssetCheckSeverity.WARN
        assert site.query("SELECT count(*) FROM sendgrid.recipients WHERE deleted_at IS NOT NULL") == [(0,)]
        assert shown


def test_a_listing_in_doubt_marks_no_deletions(tmp_path: Path) -> None:
    uncounted: list[bool] = []

    def intercept(request: Request) -> Response | None:
        counts = request.url.path == "/v3/contactdb/recipients/count"
        return Response("no", 400) if uncounted and counts else None

    with make_site(tmp_path, intercept=intercept) as site:
        site.sync("recipients")
        gone = site.account.recipients.pop()
        uncounted.append(True)
        result = site.sync("recipients")
        marked = "SELECT id FROM sendgrid.recipients WHERE deleted_at IS NOT NULL"
        assert site.query(marked) == []
        assert "count" in (_checks(result, "recipients")["complete"].description or "")
        uncounted.clear()
        site.sync("recipients")
        assert site.query(marked) == [(gone["id"],)]


def test_a_dead_key_fails_the_run_after_one_request(tmp_path: Path) -> None:
    with make_site(tmp_path, SENDGRID_API_KEY="SG.revoked") as site:
        result = site.sync("lists", "mc_lists", "recipients")
        assert not result.success
        failures = [event for event in result.all_events if event.is_step_failure]
        assert all("SENDGRID_API_KEY" in str(event.step_failure_data.user_failure_data) for event in failures)
        assert len(site.account.requests) == 1


def test_a_missing_key_is_said_in_one_sentence(tmp_path: Path) -> None:
    with make_site(tmp_path, SENDGRID_API_KEY="") as site:
        result = site.sync("lists")
        assert not result.success
        failure = next(event for event in result.all_events if event.is_step_failure)
        assert "SENDGRID_API_KEY is not set" in str(failure.step_failure_data.user_failure_data)


def test_unmodelled_fields_are_kept_and_named(site: Site) -> None:
    site.account.lists[0]["colour"] = {"name": "red"}
    result = site.sync("lists")
    assert site.query("SELECT extra FROM sendgrid.lists WHERE extra IS NOT NULL") == [
        ('{"colour":{"name":"red"}}',)
    ]
    (event,) = result.asset_materializations_for_node("sendgrid__lists")
    assert event.metadata["unmodelled_fields"].value == ["colour"]
