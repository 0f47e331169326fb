"""The schedule, and the sensor's decision."""

from __future__ import annotations

import datetime as dt

import dagster as dg
import pytest

from sendgrid_assets.defs.automation import decide
from sendgrid_assets.defs.build import build_definitions
from sendgrid_assets.settings import SettingsError, load_settings
from sendgrid_assets_tests.site import Site


def _tick(site: Site) -> dg.RunRequest | dg.SkipReason:
    schedule = site.definitions.resolve_schedule_def("sendgrid_sync_schedule")
    now = dt.datetime.now(dt.UTC)
    with dg.build_schedule_context(instance=site.instance, scheduled_execution_time=now) as context:
        data = schedule.evaluate_tick(context)
    return data.run_requests[0] if data.run_requests else dg.SkipReason(data.skip_message)


def test_the_schedule_runs_every_three_hours_and_is_on(site: Site) -> None:
    schedule = site.definitions.resolve_schedule_def("sendgrid_sync_schedule")
    assert schedule.cron_schedule == "0 */3 * * *"
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert isinstance(_tick(site), dg.RunRequest)


def test_the_schedule_skips_with_a_sentence_while_there_is_no_key(site: Site) -> None:
    site.variables.pop("SENDGRID_API_KEY")
    answer = _tick(site)
    assert isinstance(answer, dg.SkipReason)
    assert "SENDGRID_API_KEY is not set" in (answer.skip_message or "")


def test_a_sync_under_way_is_not_overtaken(site: Site) -> None:
    job = site.definitions.resolve_job_def("sendgrid_sync")
    site.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    assert isinstance(_tick(site), dg.SkipReason)


def test_a_cron_line_that_is_none_names_its_variable() -> None:
    with pytest.raises(SettingsError, match="SENDGRID_SYNC_CRON"):
        build_definitions(load_settings({"SENDGRID_SYNC_CRON": "now and then"}))


def test_the_sensor_looks_as_often_as_it_is_told() -> None:
    definitions = build_definitions(load_settings({"SENDGRID_DRAIN_INTERVAL_SECONDS": "7"}))
    sensor = definitions.resolve_sensor_def("sendgrid_landing")
    assert sensor.minimum_interval_seconds == 7
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


@pytest.mark.parametrize(
    ("waiting", "running", "asks"),
    [(0, None, False), (1, None, True), (3, None, True), (3, dg.DagsterRunStatus.STARTED, False)],
)
def test_a_drain_is_asked_for_when_files_wait_and_none_runs(
    waiting: int, running: dg.DagsterRunStatus | None, asks: bool
) -> None:
    run = dg.DagsterRun("sendgrid_drain", run_id="12345678-0000", status=running) if running else None
    answer = decide(waiting, run)
    assert isinstance(answer, dg.RunRequest) is asks
    if isinstance(answer, dg.RunRequest):
        assert answer.run_key is None
        assert not answer.run_config
