"""Jobs, the sync schedule, and the sensor that rings for a drain.

Belongs here: when something runs. Does not: what it does. Decisions are pure functions under thin shells.
"""

import datetime as dt
import logging
import math
import time
from collections.abc import Sequence
from typing import Any

import dagster as dg

from sendgrid_assets.settings import Settings, SourceSettings, no_cron_line
from sendgrid_assets.webhook.landing import Landing

from . import names
from .held_instance import HeldInstance
from .resources import make_warehouse
from .run_history import remove_old_runs

log = logging.getLogger(__name__)

AssetJob = Any
"""What `define_asset_job` makes; its class is not public."""

UNFINISHED = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
"""Wider than Dagster's own list of runs in progress: a queued drain will see today's files too."""

LOOK_SECONDS = 10
"""How often the sensor looks where drains are to be further apart: an event that comes after a pause waits no longer,
and a drain that took more than its interval is followed at once. Dagster is told a second less: its daemon wakes every
five, and one that woke a moment early for a look at ten would look at fifteen."""

PUBLISH_AGAIN_SECONDS = 600.0
"""How long after a publish that failed or never ended the next is tried."""

SOON_SECONDS = 60.0
"""How long a sync or drain is left to publish at its own end."""

SYNC_SECONDS, DRAIN_SECONDS = 6 * 3600, 2 * 3600
"""A run killed with its process stays STARTED until this has passed; a sync holds the next one back so long."""

DEAD_SECONDS = 90.0
"""A drain begun longer ago that has not the landing directory's turn is at its end, or was killed."""


def sync_job(source: SourceSettings, assets: Sequence[dg.AssetKey]) -> AssetJob:
    """Syncs the source's selected object collections."""
    return dg.define_asset_job(
        names.sync_job(source.name),
        selection=dg.AssetSelection.assets(*assets),
        executor_def=dg.in_process_executor,
        tags={"sendgrid/source": source.name, "dagster/max_runtime": str(SYNC_SECONDS)},
        description=f"Pulls the object collections of {source.name} and upserts them, then publishes.",
    )


def drain_job(source: SourceSettings, assets: Sequence[dg.AssetKey]) -> AssetJob:
    """Loads the source's events."""
    return dg.define_asset_job(
        names.drain_job(source.name),
        # It tells the checks' results itself.
        selection=dg.AssetSelection.assets(*assets).without_checks(),
        executor_def=dg.in_process_executor,
        tags={"sendgrid/source": source.name, "dagster/max_runtime": str(DRAIN_SECONDS)},
        description=f"Loads the webhook events of {source.name} that wait in the landing directory, then publishes.",
    )


def publish_job() -> AssetJob:
    """Publishes what was committed."""
    return dg.define_asset_job(
        names.PUBLISH_JOB,
        selection=dg.AssetSelection.assets(names.PUBLISHED),
        executor_def=dg.in_process_executor,
        description="Replaces the published file, if anything was committed since the last time.",
    )


def sync_schedule(settings: Settings, source: SourceSettings, job: AssetJob) -> dg.ScheduleDefinition:
    """Syncs every three hours, while there is a key and no sync is under way.

    Raises:
        SettingsError: `SENDGRID_SYNC_CRON` is no cron line.
    """

    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if source.api_key is None:
            return dg.SkipReason(f"{source.prefix}API_KEY is not set: there is nothing to sync with.")
        running = _syncing(context.instance, names.sync_job(source.name))
        if running:
            return dg.SkipReason(f"Sync {running.run_id[:8]} is {running.status.value}: it is not overtaken.")
        return dg.RunRequest()

    try:
        return dg.ScheduleDefinition(
            name=f"{names.sync_job(source.name)}_schedule",
            job=job,
            cron_schedule=settings.sync_cron,
            execution_fn=evaluate,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description=f"Syncs {source.name} ({settings.sync_cron}, UTC).",
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise no_cron_line(settings.sync_cron) from error


def landing_sensor(
    settings: Settings, source: SourceSettings, jobs: Sequence[AssetJob], assets: Sequence[dg.AssetKey]
) -> dg.SensorDefinition:
    """Asks for one drain when files wait and none is under way; the drain itself finds what there is.

    Where a drain left publishing for later, or a run was killed before it published, or could not, it asks for a
    publish alone. Runs that it asked for long ago it removes from Dagster's history.

    Args:
        settings: how far apart drains are, and for how long runs are kept.
        source: whose files it looks for.
        jobs: what it may ask for.
        assets: what a drain materializes.
    """
    resource, held = make_warehouse(settings), HeldInstance()
    drain, sensor = names.drain_job(source.name), names.landing_sensor(source.name)
    interval = settings.drain_interval_seconds
    every = max(1, min(interval, LOOK_SECONDS) - 1)
    publishing = [
        job for each in settings.sources for job in (names.sync_job(each.name), names.drain_job(each.name))
    ]

    @dg.sensor(
        name=sensor,
        jobs=jobs,
        minimum_interval_seconds=every,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Rings for {drain} when files wait in the landing directory, and for {names.PUBLISH_JOB} when "
        "what was committed is not published.",
    )
    def landing(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        instance = held.of(context)
        try:
            remove_old_runs(
                instance,
                sensor=sensor,
                jobs=[drain, names.PUBLISH_JOB],
                assets=[*assets, names.PUBLISHED],
                hours=settings.drain_history_hours,
            )
        except Exception:
            # History that stays for longer holds no event back.
            log.warning("Old runs could not be removed: the next look tries again.", exc_info=True)
        folder = Landing(settings.landing_dir.absolute(), source.name)
        waiting = len(folder.waiting()) if folder.new.is_dir() else 0
        if not waiting:
            answer: dg.RunRequest | dg.SkipReason = dg.SkipReason("No file waits in the landing directory.")
        else:
            running = _draining(instance, drain, folder)
            # No look is quite on time: one that is a little early counts, or the next would be late.
            wait = interval - every / 2 - _seconds_since_last(instance, drain)
            answer = decide_drain(waiting, drain, running, wait)
            if wait > 0 and not running:
                # It publishes too.
                return answer
        if isinstance(answer, dg.RunRequest) or not resource.is_due():
            return answer
        publisher = _about_to_publish(instance, publishing)
        return decide_publish(publisher, _last_failed_publish(instance), resource.wait_seconds())

    return landing


def decide_drain(
    waiting: int, drain: str, running: dg.DagsterRun | None, wait_seconds: float
) -> dg.RunRequest | dg.SkipReason:
    """Whether to ask for a drain.

    Args:
        waiting: complete files in the landing directory, at least one.
        drain: the drain job's name.
        running: a drain that has not ended.
        wait_seconds: for how long the last drain is too recent for another.
    """
    files = f"{waiting} file waits" if waiting == 1 else f"{waiting} files wait"
    if running:
        return dg.SkipReason(
            f"{files}; drain {running.run_id[:8]} is {running.status.value} and will take them."
        )
    if wait_seconds > 0:
        return dg.SkipReason(f"{files}; the next drain is due in {wait_seconds:.0f} s.")
    return dg.RunRequest(job_name=drain)


def decide_publish(
    running: dg.DagsterRun | None, failed_seconds_ago: float | None, wait_seconds: float
) -> dg.RunRequest | dg.SkipReason:
    """Whether to ask for a publish, where commits are not published.

    Args:
        running: a run that has not ended and is about to publish.
        failed_seconds_ago: when the last publish failed, if it did.
        wait_seconds: for how long the last publish is too recent for another.
    """
    if running:
        return dg.SkipReason(
            f"Run {running.run_id[:8]} is {running.status.value} and publishes when it ends."
        )
    if failed_seconds_ago is not None and 0 <= failed_seconds_ago < PUBLISH_AGAIN_SECONDS:
        return dg.SkipReason("The last publish failed; the next is tried ten minutes after it.")
    if wait_seconds > 0:
        return dg.SkipReason(f"Published only a moment ago: the next publish is due in {wait_seconds:.0f} s.")
    return dg.RunRequest(job_name=names.PUBLISH_JOB)


def _about_to_publish(instance: dg.DagsterInstance, jobs: Sequence[str]) -> dg.DagsterRun | None:
    """A publish under way, or a sync or drain begun so lately that it may well end soon.

    One that was killed is never noted as ended, and a long one would leave events unpublished: so both only for a
    time.
    """
    now = dt.datetime.now(dt.UTC)
    lately = dg.RunsFilter(
        statuses=UNFINISHED, created_after=now - dt.timedelta(seconds=PUBLISH_AGAIN_SECONDS)
    )
    for record in instance.get_run_records(lately):
        age = (now - record.create_timestamp).total_seconds()
        job = record.dagster_run.job_name
        limit = PUBLISH_AGAIN_SECONDS if job == names.PUBLISH_JOB else SOON_SECONDS if job in jobs else 0.0
        if 0 <= age < limit:
            return record.dagster_run
    return None


def _syncing(instance: dg.DagsterInstance, job: str) -> dg.DagsterRun | None:
    """A sync that waits for its turn or runs: one that was killed is noted as ended only by run monitoring."""
    for record in instance.get_run_records(dg.RunsFilter(job_name=job, statuses=UNFINISHED)):
        run = record.dagster_run
        if run.status is dg.DagsterRunStatus.QUEUED or abs(_age(record)) < SYNC_SECONDS:
            return run
    return None


def _draining(instance: dg.DagsterInstance, drain: str, landing: Landing) -> dg.DagsterRun | None:
    """A drain that has not ended, and will take what waits: one that was killed may never be noted as ended."""
    records = instance.get_run_records(dg.RunsFilter(job_name=drain, statuses=UNFINISHED), limit=1)
    if not records:
        return None
    run = records[0].dagster_run
    # A run that has not started yet may take its time.
    patience = DEAD_SECONDS if run.status is dg.DagsterRunStatus.STARTED else 2 * DEAD_SECONDS
    may_live = run.status is dg.DagsterRunStatus.QUEUED or 0 <= _age(records[0]) < patience
    return run if may_live or landing.is_drained() else None


def _age(record: dg.RunRecord) -> float:
    """Seconds since a run was started, or else asked for; below nothing where the clock was set back since."""
    return time.time() - (record.start_time or record.create_timestamp.timestamp())


def _seconds_since_last(instance: dg.DagsterInstance, drain: str) -> float:
    """How long ago the last drain was asked for."""
    records = instance.get_run_records(dg.RunsFilter(job_name=drain), limit=1)
    age = time.time() - records[0].create_timestamp.timestamp() if records else math.inf
    # The clock was set back where it is below nothing.
    return age if age >= 0 else math.inf


def _last_failed_publish(instance: dg.DagsterInstance) -> float | None:
    records = instance.get_run_records(dg.RunsFilter(job_name=names.PUBLISH_JOB), limit=1)
    if records and records[0].dagster_run.status is dg.DagsterRunStatus.FAILURE:
        return time.time() - (records[0].end_time or 0)
    return None
