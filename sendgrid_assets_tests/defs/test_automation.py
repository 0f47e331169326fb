"""The schedule, and the sensor's decision."""

from __future__ import annotations

import datetime as dt
import gc
import math

import dagster as dg
import pytest

from sendgrid_assets.defs.automation import decide_drain, decide_publish
from sendgrid_assets.defs.build import build_definitions
from sendgrid_assets.settings import SettingsError, load_settings
from sendgrid_assets_tests.site import Site, asked_for


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


@pytest.mark.parametrize(
    ("status", "hours_ago", "asks"),
    [
        (dg.DagsterRunStatus.STARTED, 5, False),
        (dg.DagsterRunStatus.STARTED, 7, True),
        (dg.DagsterRunStatus.STARTING, 7, True),
    ],
)
def test_a_sync_that_was_killed_does_not_end_the_schedule(
    site: Site, status: dg.DagsterRunStatus, hours_ago: float, asks: bool
) -> None:
    job = site.definitions.resolve_job_def("sendgrid_sync")
    site.instance.create_run_for_job(job, status=status)
    asked_for(site, seconds_ago=hours_ago * 3600)
    assert isinstance(_tick(site), dg.RunRequest) is asks


def test_a_cron_line_that_is_none_names_its_variable() -> None:
    for line in ("now and then", "SG.abcdefghijklmnop.key"):
        with pytest.raises(SettingsError, match="SENDGRID_SYNC_CRON") as raised:
            build_definitions(load_settings({"SENDGRID_SYNC_CRON": line}))
        assert "abcdefghijklmnop" not in str(raised.value)


@pytest.mark.parametrize(("interval", "looks"), [("1", 1), ("7", 6), ("10", 9), ("30", 9), ("3600", 9)])
def test_the_sensor_looks_as_often_as_it_is_told_and_every_ten_seconds(interval: str, looks: int) -> None:
    definitions = build_definitions(load_settings({"SENDGRID_DRAIN_INTERVAL_SECONDS": interval}))
    sensor = definitions.resolve_sensor_def("sendgrid_landing")
    assert sensor.minimum_interval_seconds == looks
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


def _asked(site: Site) -> str | None:
    """The job that the landing sensor asks for, if it does."""
    sensor = site.definitions.resolve_sensor_def("sendgrid_landing")
    with dg.build_sensor_context(instance=site.instance) as context:
        answer = sensor(context)
    return answer.job_name if isinstance(answer, dg.RunRequest) else None


def _run(job: str, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    return dg.DagsterRun(job, run_id="12345678-0000", status=status)


@pytest.mark.parametrize(
    ("status", "wait_seconds", "says"),
    [
        (None, 0.0, None),
        (None, -math.inf, None),
        (None, 12.0, "3 files wait; the next drain is due in 12 s."),
        (dg.DagsterRunStatus.STARTED, 12.0, "3 files wait; drain 12345678 is STARTED and will take them."),
        (dg.DagsterRunStatus.CANCELING, 0.0, "3 files wait; drain 12345678 is CANCELING and will take them."),
    ],
)
def test_a_drain_is_asked_for_unless_one_has_not_ended_or_has_but_begun(
    status: dg.DagsterRunStatus | None, wait_seconds: float, says: str | None
) -> None:
    run = _run("sendgrid_drain", status) if status else None
    answer = decide_drain(3, "sendgrid_drain", run, wait_seconds)
    assert isinstance(answer, dg.RunRequest) is (says is None)
    if isinstance(answer, dg.SkipReason):
        assert answer.skip_message == says
    if isinstance(answer, dg.RunRequest):
        assert (answer.job_name, answer.run_key, answer.run_config) == ("sendgrid_drain", None, {})


@pytest.mark.parametrize(
    ("running", "failed_seconds_ago", "wait_seconds", "asks"),
    [
        (False, None, 0.0, True),
        (True, None, 0.0, False),
        (False, 5.0, 0.0, False),
        (False, 3600.0, 0.0, True),
        # A run that ended in a future from which the clock was set back.
        (False, -3600.0, 0.0, True),
        (False, None, 7.0, False),
    ],
)
def test_a_publish_is_asked_for_when_nothing_else_will(
    running: bool, failed_seconds_ago: float | None, wait_seconds: float, asks: bool
) -> None:
    run = _run("sendgrid_sync", dg.DagsterRunStatus.STARTED) if running else None
    answer = decide_publish(run, failed_seconds_ago, wait_seconds)
    assert isinstance(answer, dg.RunRequest) is asks
    if isinstance(answer, dg.SkipReason):
        assert answer.skip_message


def test_what_was_committed_and_not_published_is_published_in_the_end(site: Site) -> None:
    site.sync("lists")
    published = site.settings.published
    assert published is not None
    published.unlink()
    assert _asked(site) == "publish"
    assert site.run("publish").success
    assert _asked(site) is None


def test_a_publish_that_fails_is_said_in_the_runs_log(site: Site) -> None:
    (site.folder / "in-the-way").touch()
    site.variables["SENDGRID_PUBLISHED"] = str(site.folder / "in-the-way" / "published.duckdb")
    result = site.sync("lists")
    said = [entry.user_message for entry in site.instance.all_logs(result.run_id)]
    assert any("Nothing was published" in message for message in said)


def test_looks_leave_nothing_behind_in_the_code_server(site: Site) -> None:
    sensor = site.definitions.resolve_sensor_def("sendgrid_landing")

    def objects_after(looks: int) -> int:
        for _ in range(looks):
            # As Dagster's code server looks: with what an instance is made from.
            with dg.build_sensor_context(instance_ref=site.instance.get_ref()) as context:
                sensor(context)
        gc.collect()
        return len(gc.get_objects())

    before = objects_after(10)
    assert objects_after(20) - before < 20
