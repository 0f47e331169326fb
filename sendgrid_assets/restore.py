"""The `restore` command: which copy, where to, and what to do next.

Belongs here: what is between the settings and `warehouse.restore`, and what is told. Does not: the restoring.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from .warehouse.errors import RestoreError
from .warehouse.file import Warehouse
from .warehouse.restore import restore
from .warehouse.sync_log import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .settings import Settings


def run(settings: Settings, tell: Callable[[str], object], *, source: Path | None, over: bool) -> None:
    """Restores the warehouse, and tells what became of what.

    Args:
        settings: where everything is.
        tell: told one sentence at a time.
        source: the copy; None for the published file.
        over: whether to replace a warehouse that can be read.

    Raises:
        RestoreError: the copy cannot be used, or a readable warehouse stands in its place.
        WarehouseBusyError: a run or another process holds the warehouse or the copy.
    """
    copy = source or settings.published
    if copy is None:
        raise RestoreError("SENDGRID_PUBLISHED is off: name a copy of the warehouse with --from.")
    is_published = settings.published is not None and copy.absolute() == settings.published.absolute()
    done = restore(Warehouse(settings.warehouse.absolute(), ()), copy, with_log=not is_published, over=over)
    state = f", as it was published {done.published_at:%Y-%m-%d %H:%M:%S} UTC" if done.published_at else ""
    tell(f"{done.path} is a copy of {copy}{state}.")
    for path in done.moved:
        tell(f"What stood there is {path}: remove it when it is no longer needed.")
    tell(
        "Start Dagster again. The next drain of each source loads what landed since then from done/ in its landing "
        f"directory, where files are kept for {settings.done_retention_days} days; the next sync fetches the rest."
    )
    kept = dt.timedelta(days=settings.done_retention_days)
    if done.published_at and utc_now() - done.published_at > kept:
        tell("Events that landed before those days and after that copy was made are not in either.")
