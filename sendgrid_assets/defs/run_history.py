"""Old runs that the landing sensor asked for, removed from Dagster's history.

Belongs here: which runs nobody needs any more, and what of them lies where. Does not: when that is looked at
(`automation`).

Dagster keeps every run for ever, and with SQLite each drain leaves a file of its own. A run's materializations go with
it: so plots reach back as far as runs do, and the run with the latest materialization of a table is kept.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from .resources import SENSOR_TAG

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

NEWEST = 100
"""Runs of a job that are kept however old they are."""

AT_ONCE = 25
"""Runs of a job removed in one look, at some 30 ms each: a sensor has a minute for all it does."""


def remove_old_runs(
    instance: dg.DagsterInstance,
    *,
    sensor: str,
    jobs: Sequence[str],
    assets: Collection[dg.AssetKey],
    hours: float,
) -> int:
    """Removes a bounded number of old runs that ended well, with their events and logs.

    Args:
        instance: whose history it is.
        sensor: the sensor that asked for them; a run that anybody else asked for is kept.
        jobs: the jobs whose runs are removed.
        assets: what these jobs materialize; the run with the latest materialization of each is kept.
        hours: the least age of what is removed.

    Returns:
        How many were removed; as long as it is not 0 there may be more.
    """
    removed = 0
    kept: set[str] | None = None
    for job in jobs:
        ours = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS], tags={SENSOR_TAG: sensor})
        before = _cutoff(instance, ours, hours)
        if before is None:
            continue
        if kept is None:
            kept = _with_latest_materializations(instance, assets)
        old = instance.get_run_records(
            dg.RunsFilter(job_name=job, statuses=ours.statuses, tags=ours.tags, created_before=before),
            limit=AT_ONCE + len(kept),
            ascending=True,
        )
        ids = [record.dagster_run.run_id for record in old]
        for run_id in [one for one in ids if one not in kept][:AT_ONCE]:
            _remove(instance, run_id)
            removed += 1
    return removed


def _cutoff(instance: dg.DagsterInstance, runs: dg.RunsFilter, hours: float) -> dt.datetime | None:
    """Before when runs are old; None where there are no more than are kept anyway."""
    newest = instance.get_run_records(runs, limit=NEWEST)
    if len(newest) < NEWEST:
        return None
    return min(newest[-1].create_timestamp, dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours))


def _with_latest_materializations(instance: dg.DagsterInstance, assets: Collection[dg.AssetKey]) -> set[str]:
    latest = instance.get_latest_materialization_events(assets)
    return {entry.run_id for entry in latest.values() if entry}


def _remove(instance: dg.DagsterInstance, run_id: str) -> None:
    # Half a second to import, for what only SQLite needs.
    from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

    instance.compute_log_manager.delete_logs(prefix=[run_id])
    instance.delete_run(run_id)
    storage = instance.event_log_storage
    if isinstance(storage, SqliteEventLogStorage):
        # Dagster empties the run's own file and leaves it there.
        shard = Path(storage.path_for_shard(run_id))
        for file in (shard, Path(f"{shard}-wal"), Path(f"{shard}-shm")):
            with suppress(FileNotFoundError):
                file.unlink()
