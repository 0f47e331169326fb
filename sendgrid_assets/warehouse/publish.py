"""The published file: a copy of the warehouse, replaced atomically, for people to query.

Belongs here: what precedes the copy, replacing, and whether a copy is due. Does not: copying (`copying`), when to
publish (`defs`).
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from . import provenance, spacing
from .copying import copy_aside
from .errors import PublishError
from .file import Warehouse, sync_folder
from .rollup import refresh
from .sync_log import utc_now

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish did.

    Attributes:
        path: the published file.
        size: its size in bytes.
        seconds: how long it took.
    """

    path: Path
    size: int
    seconds: float


def is_due(warehouse: Warehouse, published: Path) -> bool:
    """Whether the warehouse holds commits that the published file lacks."""
    if not warehouse.path.exists():
        return False
    if _logged(warehouse) or not published.exists():
        return True
    return warehouse.path.stat().st_mtime_ns != published.stat().st_mtime_ns


def publish(warehouse: Warehouse, published: Path | None) -> Published | None:
    """Checkpoints the warehouse and replaces the published file, if one is due.

    Readers of the old file keep it; whoever opens it from now on sees the new one. A file that is there but was not
    made from this warehouse is no copy of it: it is kept under another name.

    Args:
        warehouse: what to copy.
        published: the file to replace; None only checkpoints.

    Raises:
        PublishError: there is no room, or the checkpoint failed; the old file stands.
        WarehouseBusyError: somebody else holds the warehouse.
    """
    begun = time.monotonic()
    with warehouse.turn():
        spacing.clear_stray(warehouse)
        if published is None:
            if warehouse.path.exists() and _logged(warehouse):
                _checkpoint(warehouse, None)
            return None
        if warehouse.path.exists() and not is_due(warehouse, published):
            return None
        is_ours = _checkpoint(warehouse, published)
        _replace(warehouse, published, is_ours=is_ours)
        done = Published(published, published.stat().st_size, time.monotonic() - begun)
        spacing.note(warehouse, done.seconds)
        return done


def _logged(warehouse: Warehouse) -> bool:
    return warehouse.wal.exists() and warehouse.wal.stat().st_size > 0


def _checkpoint(warehouse: Warehouse, published: Path | None) -> bool:
    """Brings all of the log into the file; whether what is published now was made from this warehouse."""
    with warehouse.connected() as connection:
        try:
            is_ours = _prepare(connection, warehouse, published)
            connection.execute("CHECKPOINT")
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise PublishError(
                f"{warehouse.path} could not be checkpointed: {reason} Make room if the disk is full; the published "
                "file stands as it was."
            ) from error
    # A copy of the main file alone would silently lack what stands in the log.
    if _logged(warehouse):
        raise PublishError(f"{warehouse.path} could not be checkpointed: is the disk full?")
    return is_ours


def _prepare(connection: DuckDBPyConnection, warehouse: Warehouse, published: Path | None) -> bool:
    """What is written for the sake of the copy, so that the copy is block for block the warehouse."""
    _refresh(connection, warehouse)
    if published is None:
        return True
    known = provenance.write(connection, warehouse.path, spacing.last_seconds(warehouse))
    return known or not published.exists() or provenance.is_of(connection, published)


def _refresh(connection: DuckDBPyConnection, warehouse: Warehouse) -> None:
    """Brings the insights up to what is committed; the tables are published even where that fails."""
    try:
        refresh(connection, warehouse.schemas)
    except duckdb.FatalException:
        raise
    except duckdb.Error as error:
        # Its own text may show a value, which may be somebody's address.
        log.error(  # noqa: TRY400
            "The insights are published as they were (%s): the next publish tries again.",
            type(error).__name__,
        )


def _replace(warehouse: Warehouse, published: Path, *, is_ours: bool) -> None:
    try:
        aside = copy_aside(warehouse.path, published, mode=0o444, patience=warehouse.foreign_seconds)
        try:
            if not is_ours:
                _keep(published)
            # A log that a reader left beside the old file would be replayed into the new one.
            published.with_name(published.name + ".wal").unlink(missing_ok=True)
            # Its times are the warehouse's: that they are equal tells that nothing was committed since.
            aside.replace(published)
        finally:
            with suppress(OSError):
                aside.unlink()
        sync_folder(published.parent)
    except OSError as error:
        raise PublishError(
            f"{published} could not be written: {error.strerror}; the old file stands."
        ) from error


def _keep(published: Path) -> None:
    """Gives a file that another warehouse was published to a name that no publish replaces."""
    kept = published.with_name(f"{published.name}.kept-{utc_now():%Y%m%dT%H%M%S%fZ}")
    kept.hardlink_to(published)
    log.warning(
        "%s was made from another warehouse than the one published now: it is kept as %s. To have its data back, "
        "`sendgrid-assets restore --from` that file; else remove it.",
        published,
        kept,
    )
