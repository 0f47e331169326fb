"""Events from a signed POST to the tables, through the real receiver, sensor and job."""

from __future__ import annotations

import time

import dagster as dg
import pytest

from sendgrid_assets.defs.automation import DEAD_SECONDS
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets_tests.site import Site, asked_for


def _materialized(result: dg.ExecuteInProcessResult) -> set[str]:
    return {
        event.asset_key.path[-1]
        for event in result.all_events
        if event.event_type_value == "ASSET_MATERIALIZATION" and event.asset_key is not None
    }


def _tick(site: Site) -> dg.RunRequest | dg.SkipReason:
    sensor = site.definitions.resolve_sensor_def("sendgrid_landing")
    with dg.build_sensor_context(instance=site.instance) as context:
        answer = sensor(context)
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer


def test_posted_events_are_rows_after_a_drain_and_only_once(site: Site) -> None:
    batch = site.traffic.batch(200)
    site.post(batch, batch)
    assert isinstance(_tick(site), dg.RunRequest)
    assert site.run("sendgrid_drain").success
    distinct = {(event["sg_event_id"], event["event"]) for event in batch}
    rows = site.query("SELECT sg_event_id, event FROM sendgrid.activity")
    assert len(rows) == len(distinct)
    assert set(rows) == distinct
    assert isinstance(_tick(site), dg.SkipReason)


def test_only_tables_that_got_rows_report(site: Site) -> None:
    opens = [event for event in site.traffic.batch(300) if event["event"] == "open"]
    site.post(opens)
    result = site.run("sendgrid_drain")
    assert _materialized(result) == {"open", "activity"}
    (activity,) = (
        event
        for event in result.all_events
        if event.asset_key == dg.AssetKey(["sendgrid", "activity"])
        and event.event_type_value == "ASSET_MATERIALIZATION"
    )
    assert activity.materialization.metadata["rows_appended"].value == len(opens)


def test_an_empty_landing_directory_reports_nothing(site: Site) -> None:
    result = site.run("sendgrid_drain")
    assert result.success
    assert _materialized(result) == set()


def test_materializing_one_event_table_drains_them_all(site: Site) -> None:
    site.post(site.traffic.batch(300))
    result = site.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=site.instance, asset_selection=[dg.AssetKey(["sendgrid", "click"])]
    )
    assert {"click", "open", "delivered", "activity"} <= _materialized(result)
    assert site.query("SELECT count(*) FROM sendgrid.open")[0][0] > 0


@pytest.mark.parametrize("events", [0, 3])
def test_what_depends_on_tables_without_new_rows_is_materialized_with_them(site: Site, events: int) -> None:
    opens = [event for event in site.traffic.batch(300) if event["event"] == "open"][:events]
    if opens:
        site.post(opens)
    keys = [
        ["sendgrid", "open"],
        ["sendgrid", "click"],
        ["sendgrid", "activity"],
        ["sendgrid", "email_daily"],
        ["warehouse", "published"],
    ]
    result = site.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=site.instance, asset_selection=[dg.AssetKey(key) for key in keys]
    )
    assert _materialized(result) == {key[-1] for key in keys}


def test_drains_are_an_interval_apart(site: Site) -> None:
    assert site.run("sendgrid_drain").success
    site.post(site.traffic.batch(5))
    assert site.settings.published
    site.settings.published.unlink()
    for seconds_ago in (0, 20):
        asked_for(site, seconds_ago=seconds_ago)
        answer = _tick(site)
        # Nor is a publish asked for: the drain that is due publishes.
        assert isinstance(answer, dg.SkipReason)
        assert "1 file waits; the next drain is due in" in (answer.skip_message or "")
    # The look after this one would be late.
    for seconds_ago in (26, -3600):
        asked_for(site, seconds_ago=seconds_ago)
        answer = _tick(site)
        assert isinstance(answer, dg.RunRequest)
        assert answer.job_name == "sendgrid_drain"


def test_a_drain_under_way_holds_the_next_one_back(site: Site) -> None:
    site.post(site.traffic.batch(5))
    job = site.definitions.resolve_job_def("sendgrid_drain")
    site.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTING)
    answer = _tick(site)
    assert isinstance(answer, dg.SkipReason)
    assert "STARTING" in (answer.skip_message or "")


def test_a_drain_that_never_started_holds_nothing_back_for_long(site: Site) -> None:
    site.post(site.traffic.batch(5))
    job = site.definitions.resolve_job_def("sendgrid_drain")
    site.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTING)
    asked_for(site, seconds_ago=2 * DEAD_SECONDS - 5)
    assert isinstance(_tick(site), dg.SkipReason)
    asked_for(site, seconds_ago=2 * DEAD_SECONDS + 5)
    assert isinstance(_tick(site), dg.RunRequest)


def test_the_event_half_needs_no_api_key(site: Site) -> None:
    site.variables.pop("SENDGRID_API_KEY")
    site.post(site.traffic.batch(10))
    assert site.run("sendgrid_drain").success
    assert site.query("SELECT count(*) FROM sendgrid.activity")[0][0] > 0


def test_what_is_no_event_is_kept_with_its_reason(site: Site) -> None:
    site.post([{"event": "open", "email": "someone@example.com"}, *site.traffic.batch(1)])
    site.run("sendgrid_drain")
    assert site.query("SELECT source, line, reason FROM _sendgrid_assets.rejected_events") == [
        ("sendgrid", 1, "no_timestamp")
    ]
    assert site.query("SELECT count(*) FROM sendgrid.activity") == [(1,)]


def test_a_drain_that_was_killed_holds_nothing_back_for_long(site: Site) -> None:
    site.post(site.traffic.batch(5))
    job = site.definitions.resolve_job_def("sendgrid_drain")
    run = site.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTING)
    began = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, "sendgrid_drain")
    site.instance.report_dagster_event(began, run.run_id, timestamp=time.time() - DEAD_SECONDS - 1)
    asked_for(site, seconds_ago=DEAD_SECONDS + 2)
    landing = Landing(site.settings.landing_dir.absolute(), "sendgrid")
    with landing.turn(1):
        assert isinstance(_tick(site), dg.SkipReason)
    assert isinstance(_tick(site), dg.RunRequest)
