"""A job of ours run in this process, told line by line to a person at a terminal.

Belongs here: from Dagster's events to such lines. Does not: which job is run (`cli`, `demo`).
"""

import uuid
from collections.abc import Callable

import dagster as dg

_WORDS = {
    "rows_fetched": "fetched",
    "rows_inserted": "new",
    "rows_updated": "changed",
    "rows_deleted": "gone",
    "rows_appended": "appended",
}


def run_job(
    definitions: dg.Definitions, job: str, instance: dg.DagsterInstance, say: Callable[[str], object]
) -> bool:
    """Runs a job to its end.

    Args:
        definitions: where the job is.
        job: its name.
        instance: where the run is recorded.
        say: takes each line.

    Returns:
        whether nothing failed.

    Raises:
        KeyboardInterrupt: Ctrl-C ended the run.
    """
    run_id = str(uuid.uuid4())
    interrupted = False

    def listen(entry: dg.EventLogEntry) -> None:
        nonlocal interrupted
        event = entry.dagster_event
        if event is None or interrupted:
            return
        interrupted = _is_interruption(event)
        line = None if interrupted else _line(event)
        if line:
            say(line)

    instance.add_event_listener(run_id, listen)
    result = definitions.resolve_job_def(job).execute_in_process(
        instance=instance,
        run_id=run_id,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    if interrupted:
        raise KeyboardInterrupt
    return result.success


def _is_interruption(event: dg.DagsterEvent) -> bool:
    error = event.step_failure_data.error if event.event_type_value == "STEP_FAILURE" else None
    return error is not None and error.cls_name == "DagsterExecutionInterruptedError"


def _line(event: dg.DagsterEvent) -> str | None:
    match event.event_type_value:
        case "ASSET_MATERIALIZATION":
            materialization = event.step_materialization_data.materialization
            counts = [
                f"{materialization.metadata[key].value} {word}"
                for key, word in _WORDS.items()
                if key in materialization.metadata
            ]
            return f"  {materialization.asset_key.to_user_string()}: {', '.join(counts) or 'published'}"
        case "ASSET_CHECK_EVALUATION":
            check = event.asset_check_evaluation_data
            if not check.passed:
                return f"  {check.asset_key.to_user_string()}: check {check.check_name}: {check.description}"
        case "STEP_FAILURE":
            error = event.step_failure_data.user_failure_data or event.step_failure_data.error
            reason = getattr(error, "description", None) or getattr(error, "message", "failed")
            return f"  {event.step_key} FAILED: {str(reason).strip()}"
        case "PIPELINE_FAILURE":
            return f"  The run failed: {event.message}"
    return None
