"""Runs that the landing sensor asked for long ago leave Dagster's history; all others stay."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sendgrid_assets.defs.run_history import AT_ONCE, NEWEST
from sendgrid_assets_tests.site import Site, make_site

ASKED = {"dagster/sensor_name": "sendgrid_landing"}
SUCCESS = dg.DagsterRunStatus.SUCCESS


def make_old(site: Site, *runs: str, hours: float = 25) -> None:
    made = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)
    storage: Any = site.instance.run_storage
    with storage.connect() as connection:
        for run_id in runs:
            connection.exec_driver_sql(
                "UPDATE runs SET create_timestamp = ? WHERE run_id = ?",
                (made.replace(tzinfo=None).isoformat(" "), run_id),
            )


def noted(
    site: Site,
    count: int = 1,
    *,
    job: str = "sendgrid_drain",
    status: dg.DagsterRunStatus = SUCCESS,
    tags: dict[str, str] = ASKED,
) -> list[str]:
    """Runs that the history holds, without events."""
    runs = [dg.DagsterRun(job, status=status, tags=tags) for _ in range(count)]
    return [site.instance.add_run(run).run_id for run in runs]


def look(site: Site, sensor: str = "sendgrid_landing") -> dg.RunRequest | dg.SkipReason:
    definition = site.definitions.resolve_sensor_def(sensor)
    with dg.build_sensor_context(instance=site.instance) as context:
        answer = definition(context)
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer


def there(site: Site, runs: list[str]) -> list[str]:
    return [run_id for run_id in runs if site.instance.get_run_by_id(run_id)]


def files_of(site: Site, run_id: str) -> list[Path]:
    return [path for path in (site.folder / "dagster").rglob("*") if run_id in path.name]


def drained(site: Site, kind: str) -> str:
    """A drain of events of one kind, as the sensor asks for it."""
    site.post([event for event in site.traffic.batch(300) if event["event"] == kind])
    result = site.run("sendgrid_drain", tags=ASKED)
    assert result.success
    return result.run_id


@pytest.mark.parametrize("job", ["sendgrid_drain", "publish"])
def test_old_runs_go_and_the_newest_hundred_stay(site: Site, job: str) -> None:
    old, newest = noted(site, 3, job=job), noted(site, NEWEST, job=job)
    make_old(site, *old, hours=9000)
    make_old(site, *newest, hours=8000)
    look(site)
    assert there(site, old) == []
    assert there(site, newest) == newest


def test_runs_stay_for_as_long_as_is_said(tmp_path: Path) -> None:
    with make_site(tmp_path, SENDGRID_DRAIN_HISTORY_HOURS="2") as site:
        older, younger, _ = noted(site, 3), noted(site, 3), noted(site, NEWEST)
        make_old(site, *older, hours=2.1)
        make_old(site, *younger, hours=1.9)
        look(site)
        assert (there(site, older), there(site, younger)) == ([], younger)


@pytest.mark.parametrize(
    "what",
    [
        {"status": dg.DagsterRunStatus.FAILURE},
        {"status": dg.DagsterRunStatus.CANCELED},
        {"status": dg.DagsterRunStatus.STARTED},
        {"tags": {}},
        {"tags": {"dagster/sensor_name": "somebody_elses"}},
        {"tags": {"dagster/schedule_name": "sendgrid_landing"}},
        {"job": "sendgrid_sync"},
    ],
    ids=["failed", "cancelled", "under way", "by hand", "another sensor", "a schedule", "another job"],
)
def test_all_others_stay(site: Site, what: dict[str, Any]) -> None:
    others = noted(site, 2, **what)
    old = noted(site, 2)
    noted(site, NEWEST, **what)
    noted(site, NEWEST)
    make_old(site, *others, *old)
    look(site)
    assert there(site, old) == []
    assert there(site, others) == others


def test_a_removed_run_takes_its_files_with_it(site: Site) -> None:
    first = drained(site, "open")
    assert len(files_of(site, first)) > 1
    second = drained(site, "open")
    noted(site, NEWEST)
    make_old(site, first, second)
    look(site)
    assert files_of(site, first) == []
    # It holds the latest rows' materialization.
    assert there(site, [second]) == [second]


def test_a_tables_latest_materialization_stays_however_old_it_is(site: Site) -> None:
    runs = {kind: drained(site, kind) for kind in ("click", "bounce", "open")}
    noted(site, NEWEST)
    make_old(site, *runs.values(), hours=9000)
    look(site)
    for kind, run_id in runs.items():
        key = dg.AssetKey(["sendgrid", kind])
        (record,) = site.instance.fetch_materializations(key, limit=10).records
        assert record.run_id == run_id
        assert there(site, [run_id])


def test_each_look_removes_so_many_and_all_are_removed_in_the_end(site: Site) -> None:
    old = noted(site, AT_ONCE + 5)
    noted(site, NEWEST)
    make_old(site, *old)
    left = []
    for _ in range(3):
        look(site)
        left.append(len(there(site, old)))
    assert left == [5, 0, 0]


def test_runs_that_are_kept_do_not_stand_in_the_way_of_others(site: Site, monkeypatch: Any) -> None:
    monkeypatch.setattr("sendgrid_assets.defs.run_history.AT_ONCE", 1)
    kept = [drained(site, kind) for kind in ("click", "bounce", "open")]
    old = noted(site, 2)
    noted(site, NEWEST)
    make_old(site, *kept, hours=50)
    make_old(site, *old)
    look(site)
    look(site)
    assert there(site, [*kept, *old]) == kept


def test_each_source_removes_its_own(tmp_path: Path) -> None:
    with make_site(tmp_path, SENDGRID_SOURCES="sendgrid,other") as site:
        tags = {"dagster/sensor_name": "other_landing"}
        ours, theirs = noted(site, 2), noted(site, 2, job="other_drain", tags=tags)
        noted(site, NEWEST)
        noted(site, NEWEST, job="other_drain", tags=tags)
        make_old(site, *ours, *theirs)
        look(site)
        assert (there(site, ours), there(site, theirs)) == ([], theirs)
        look(site, "other_landing")
        assert there(site, theirs) == []


def test_history_that_cannot_be_removed_holds_no_drain_back(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    old, newest = noted(site, 1), noted(site, NEWEST)
    make_old(site, *old)
    make_old(site, *newest, hours=1)
    storage: Any = site.instance.event_log_storage
    (Path(storage.path_for_shard(old[0]))).mkdir()
    site.post(site.traffic.batch(5))
    assert isinstance(look(site), dg.RunRequest)
    assert "Old runs could not be removed" in caplog.text
