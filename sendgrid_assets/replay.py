"""The `replay` command: which sources and days, and what is told.

Belongs here: what is between the settings and `warehouse.replay`. Does not: the replaying.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .warehouse.file import Warehouse
from .warehouse.publish import publish
from .warehouse.replay import replay
from .warehouse.schema import schemas_of
from .webhook.landing import Landing

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from .settings import Settings


class ReplayError(Exception):
    """Not all could be replayed as it was asked for; the text is a sentence that says what to do."""


def run(
    settings: Settings,
    tell: Callable[[str], object],
    *,
    source: str | None = None,
    first: dt.date | None = None,
    last: dt.date | None = None,
) -> None:
    """Loads files of `done/` again, publishes, and tells what that brought.

    Args:
        settings: where everything is.
        tell: told one sentence at a time.
        source: whose files; None for all sources.
        first: the first day, UTC, on which they were loaded; None for the oldest there is.
        last: the last day; None for the newest.

    Raises:
        ReplayError: there is no such source or range, or some files could not be read.
        LandingError: a landing directory cannot be used.
        WarehouseError: the warehouse cannot be opened or published.
    """
    known = [one.name for one in settings.sources]
    if source is not None and source not in known:
        raise ReplayError(f"{source!r} is no source: name one of {', '.join(known)}.")
    if first and last and first > last:
        raise ReplayError(f"--from {first} is after --to {last}: swap them.")
    warehouse = Warehouse(settings.warehouse.absolute(), schemas_of(settings))
    unreadable = 0
    for name in known if source is None else [source]:
        done = replay(
            warehouse,
            Landing(settings.landing_dir.absolute(), name),
            scratch=(settings.data_dir / "staging").absolute(),
            first=first,
            last=last,
        )
        unreadable += done.unreadable
        tell(
            f"{name}: {done.files:,} files, {done.events:,} events, {done.rows:,} rows new, "
            f"{done.rejected:,} rejected anew."
        )
    published = publish(warehouse, settings.published.absolute() if settings.published else None)
    if published:
        tell(f"{published.path} has them.")
    if unreadable:
        raise ReplayError(f"{unreadable:,} files could not be read, as told above; they stand as they were.")
