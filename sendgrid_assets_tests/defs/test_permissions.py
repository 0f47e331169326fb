"""What a refusal says, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from sendgrid_assets_tests.site import make_site


def _readable(result: dg.ExecuteInProcessResult, table: str) -> dg.AssetCheckEvaluation:
    (check,) = (
        check
        for check in result.get_asset_check_evaluations()
        if check.asset_key == dg.AssetKey(["sendgrid", table]) and check.check_name == "readable"
    )
    return check


def test_a_missing_permission_is_named_and_the_key_is_asked_about_once(tmp_path: Path) -> None:
    with make_site(tmp_path, refused=["/v3/suppression", "/v3/templates"]) as site:
        site.account.scopes[:] = ["marketing.read", "templates.read", "2fa_required"]
        result = site.sync("suppression_bounces", "suppression_blocks", "templates", "mc_lists")
        assert result.success
        assert "lacks" in (_readable(result, "suppression_bounces").description or "")
        assert "suppression.read" in (_readable(result, "suppression_bounces").description or "")
        assert "no such product" in (_readable(result, "templates").description or "")
        assert [path for _, path in site.account.requests].count("/v3/scopes") == 1
        statuses = dict(site.query("SELECT table_name, status FROM _sendgrid_assets.sync_runs"))
        assert statuses == {
            "suppression_bounces": "refused",
            "suppression_blocks": "refused",
            "templates": "refused",
            "mc_lists": "ok",
        }


def test_a_named_collection_that_is_refused_fails_and_says_what_to_tick(tmp_path: Path) -> None:
    with make_site(tmp_path, refused=["/v3/asm"], SENDGRID_COLLECTIONS="suppression_groups,lists") as site:
        site.account.scopes[:] = ["marketing_campaigns.read"]
        result = site.run("sendgrid_sync")
        assert not result.success
        (failure,) = (event for event in result.all_events if event.is_step_failure)
        said = str(failure.step_failure_data.user_failure_data)
        assert "asm.groups.read" in said
        assert "SENDGRID_COLLECTIONS" in said
        assert "Unsubscribe Groups" in said


def test_email_activity_without_its_add_on_is_refused(tmp_path: Path) -> None:
    with make_site(tmp_path, SENDGRID_COLLECTIONS="all") as site:
        site.account.email_activity = False
        result = site.sync("email_activity", "lists")
        assert result.success
        assert not _readable(result, "email_activity").passed
        assert site.query(
            "SELECT status FROM _sendgrid_assets.sync_runs WHERE table_name = 'email_activity'"
        ) == [("refused",)]


def test_scopes_that_cannot_be_read_cost_the_hint_alone(tmp_path: Path) -> None:
    with make_site(tmp_path, refused=["/v3/suppression", "/v3/scopes"]) as site:
        result = site.sync("suppression_bounces", "lists")
        assert result.success
        assert "suppression.read" in (_readable(result, "suppression_bounces").description or "")
