"""Drains that the sensor asked for leave publishing to it while that is recent; nothing stays unpublished."""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.tags import PARENT_RUN_ID_TAG

from sendgrid_assets.defs.automation import PUBLISH_AGAIN_SECONDS, SOON_SECONDS
from sendgrid_assets.defs.resources import RUN_SECONDS
from sendgrid_assets_tests.site import Site, make_site

ASKED = {"dagster/sensor_name": "sendgrid_landing"}
AGAIN = {"dagster/parent_run_id": "12345678-0000-0000-0000-000000000000"}


def published_since(site: Site, seconds: float, *, took: float) -> None:
    """Makes the last publish one that ended so long ago and took so long."""
    note = {"at": time.time() - seconds, "seconds": took}
    (site.folder / "data" / "warehouse.duckdb.published").write_text(json.dumps(note))


def events(site: Site) -> int:
    count: int = site.query("SELECT count(*) FROM sendgrid.activity")[0][0]
    return count


def tick(site: Site) -> dg.RunRequest | dg.SkipReason:
    sensor = site.definitions.resolve_sensor_def("sendgrid_landing")
    with dg.build_sensor_context(instance=site.instance) as context:
        answer = sensor(context)
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer


def drained(site: Site, tags: dict[str, str]) -> bool:
    """Whether a drain of events that have just come published them."""
    before = events(site)
    site.post(site.traffic.batch(20))
    assert site.run("sendgrid_drain", tags=tags).success
    return events(site) > before


@pytest.fixture
def recent(site: Site) -> Site:
    """A site whose last publish is recent, and will be so for an hour."""
    assert site.run("sendgrid_drain").success
    published_since(site, 0, took=180)
    return site


def test_a_drain_that_the_sensor_asked_for_waits_and_the_sensor_publishes_in_the_end(recent: Site) -> None:
    assert not drained(recent, ASKED)
    answer = tick(recent)
    assert isinstance(answer, dg.SkipReason)
    assert "the next publish is due in 3" in (answer.skip_message or "")
    published_since(recent, 3601, took=180)
    answer = tick(recent)
    assert isinstance(answer, dg.RunRequest)
    assert answer.job_name == "publish"
    assert recent.run("publish", tags=ASKED).success
    assert events(recent) > 0
    assert isinstance(tick(recent), dg.SkipReason)


def test_a_drain_that_waits_says_so(recent: Site) -> None:
    recent.post(recent.traffic.batch(5))
    result = recent.run("sendgrid_drain", tags=ASKED)
    said = [entry.user_message for entry in recent.instance.all_logs(result.run_id)]
    assert any("the next publish is due in 3" in message for message in said)


def test_runs_bear_the_tags_that_dagster_gives_them(site: Site) -> None:
    sensor: Any = site.definitions.resolve_sensor_def("sendgrid_landing")
    assert dg.DagsterRun.tags_for_sensor(sensor) == ASKED
    assert PARENT_RUN_ID_TAG in AGAIN


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"dagster/sensor_name": "somebody_elses"},
        {"dagster/schedule_name": "sendgrid_landing"},
        ASKED | AGAIN,
    ],
    ids=["by hand", "another sensor", "a schedule", "again by hand"],
)
def test_any_other_drain_publishes(recent: Site, tags: dict[str, str]) -> None:
    assert drained(recent, tags)


def test_a_drain_that_the_sensor_asked_for_publishes_once_the_last_is_not_recent(recent: Site) -> None:
    published_since(recent, 3601, took=180)
    assert drained(recent, ASKED)


@pytest.mark.parametrize(("wait", "publishes"), [(RUN_SECONDS - 2, True), (RUN_SECONDS + 30, False)])
def test_a_wait_that_is_shorter_than_a_run_of_its_own_is_not_made(
    recent: Site, wait: float, publishes: bool
) -> None:
    published_since(recent, 3600 - wait, took=180)
    assert drained(recent, ASKED) is publishes


def test_a_drain_publishes_where_there_is_no_published_file(recent: Site) -> None:
    assert recent.settings.published
    recent.settings.published.unlink()
    recent.post(recent.traffic.batch(5))
    assert recent.run("sendgrid_drain", tags=ASKED).success
    assert events(recent) == 5


def test_a_clock_set_back_stops_nothing(recent: Site) -> None:
    published_since(recent, -86400, took=180)
    assert drained(recent, ASKED)


@pytest.mark.parametrize("tags", [{}, ASKED, {"dagster/schedule_name": "sendgrid_sync_schedule"}])
def test_a_sync_publishes_however_recent_the_last_publish_is(recent: Site, tags: dict[str, str]) -> None:
    keys = [dg.AssetKey(["sendgrid", "lists"])]
    assert recent.run("sendgrid_sync", asset_selection=keys, tags=tags).success
    assert recent.query("SELECT count(*) FROM sendgrid.lists")[0][0] == len(recent.account.lists)


def test_where_nothing_is_published_nothing_waits(tmp_path: Path) -> None:
    with make_site(tmp_path, SENDGRID_PUBLISHED="off") as site:
        site.post(site.traffic.batch(5))
        assert site.run("sendgrid_drain", tags=ASKED).success
        assert not site.settings.warehouse.with_name("warehouse.duckdb.wal").exists()
        assert isinstance(tick(site), dg.SkipReason)


def test_files_that_wait_for_a_drain_that_hangs_hold_no_publish_back(recent: Site) -> None:
    assert not drained(recent, ASKED)
    recent.post(recent.traffic.batch(5))
    begun(recent, "sendgrid_drain", seconds_ago=SOON_SECONDS + 1)
    answer = tick(recent)
    assert isinstance(answer, dg.SkipReason)
    published_since(recent, 3601, took=180)
    answer = tick(recent)
    assert isinstance(answer, dg.RunRequest)
    assert answer.job_name == "publish"


def begun(site: Site, job: str, *, seconds_ago: float) -> dg.DagsterRun:
    """A run that was begun so long ago and has not ended."""
    run = site.instance.create_run_for_job(
        site.definitions.resolve_job_def(job), status=dg.DagsterRunStatus.STARTED
    )
    made = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds_ago)
    storage: Any = site.instance.run_storage
    with storage.connect() as connection:
        connection.exec_driver_sql(
            "UPDATE runs SET create_timestamp = ? WHERE run_id = ?",
            (made.replace(tzinfo=None).isoformat(" "), run.run_id),
        )
    return run


@pytest.mark.parametrize(
    ("job", "seconds_ago", "asks"),
    [
        ("sendgrid_sync", 5, False),
        ("sendgrid_drain", 5, False),
        ("publish", SOON_SECONDS + 5, False),
        # They take long, or were killed.
        ("sendgrid_sync", SOON_SECONDS + 1, True),
        ("sendgrid_drain", SOON_SECONDS + 1, True),
        ("publish", PUBLISH_AGAIN_SECONDS + 1, True),
        ("sendgrid_sync", -3600, True),
    ],
)
def test_a_run_that_will_publish_is_waited_for_but_not_for_long(
    recent: Site, job: str, seconds_ago: float, asks: bool
) -> None:
    assert not drained(recent, ASKED)
    published_since(recent, 3601, took=180)
    begun(recent, job, seconds_ago=seconds_ago)
    assert isinstance(tick(recent), dg.RunRequest) is asks


def test_a_run_of_somebody_elses_is_not_waited_for(recent: Site) -> None:
    assert not drained(recent, ASKED)
    published_since(recent, 3601, took=180)

    @dg.job
    def theirs() -> None:
        pass

    recent.instance.create_run_for_job(theirs, status=dg.DagsterRunStatus.STARTED)
    assert isinstance(tick(recent), dg.RunRequest)
