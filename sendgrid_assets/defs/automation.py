"""Jobs, the sync schedule, and the sensor that rings for a drain.

Belongs here: when something runs. Does not: what it does. Decisions are pure functions under thin shells.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from sendgrid_assets.settings import Settings, SettingsError, SourceSettings
from sendgrid_assets.webhook.landing import Landing

from . import names

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

SYNC_SECONDS, DRAIN_SECONDS = 6 * 3600, 2 * 3600
"""A run killed with its process stays STARTED until this has passed, and holds the next one back so long."""


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
        selection=dg.AssetSelection.assets(*assets),
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
        running = _unfinished(context.instance, names.sync_job(source.name))
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
        raise SettingsError(
            f"SENDGRID_SYNC_CRON: {settings.sync_cron!r} is no cron line: write five fields, such as 0 */3 * * *."
        ) from error


def landing_sensor(settings: Settings, source: SourceSettings, job: AssetJob) -> dg.SensorDefinition:
    """Asks for one drain when files wait and none is under way; the drain itself finds what there is."""

    @dg.sensor(
        name=f"{source.name}_landing",
        job=job,
        minimum_interval_seconds=settings.drain_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Rings for {names.drain_job(source.name)} when files wait in the landing directory.",
    )
    def landing(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        folder = Landing(settings.landing_dir.absolute(), source.name)
        waiting = len(folder.waiting()) if folder.new.is_dir() else 0
        running = _unfinished(context.instance, names.drain_job(source.name)) if waiting else None
        return decide(waiting, running)

    return landing


def decide(waiting: int, running: dg.DagsterRun | None) -> dg.RunRequest | dg.SkipReason:
    """Whether to ask for a drain.

    Args:
        waiting: complete files in the landing directory.
        running: a drain that has not ended.
    """
    files = f"{waiting} file waits" if waiting == 1 else f"{waiting} files wait"
    if not waiting:
        return dg.SkipReason("No file waits in the landing directory.")
    if running:
        return dg.SkipReason(
            f"{files}; drain {running.run_id[:8]} is {running.status.value} and will take them."
        )
    return dg.RunRequest()


def _unfinished(instance: dg.DagsterInstance, job: str) -> dg.DagsterRun | None:
    runs = instance.get_runs(dg.RunsFilter(job_name=job, statuses=UNFINISHED), limit=1)
    return runs[0] if runs else None
