"""The least that Dagster can do about a file: a sensor that sees it, and a run that removes it.

Belongs here: that sensor and that run, as Dagster loads them. Does not: timing them (`freshness`).
"""

import os
from pathlib import Path

import dagster as dg

FOLDER, INTERVAL = "BENCHMARK_FOLDER", "BENCHMARK_INTERVAL"


@dg.asset
def removed() -> None:
    for file in Path(os.environ[FOLDER]).iterdir():
        file.unlink()


job = dg.define_asset_job("remove", selection=[removed], executor_def=dg.in_process_executor)


@dg.sensor(
    job=job,
    minimum_interval_seconds=int(os.environ.get(INTERVAL, "30")),
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def seen(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    unfinished = dg.RunsFilter(job_name="remove", statuses=[*_UNFINISHED])
    if context.instance.get_runs(unfinished, limit=1) or not any(Path(os.environ[FOLDER]).iterdir()):
        return dg.SkipReason("Nothing to do.")
    return dg.RunRequest()


_UNFINISHED = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
)

definitions = dg.Definitions(assets=[removed], jobs=[job], sensors=[seen])
