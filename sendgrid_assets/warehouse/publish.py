"""The published file: a copy of the warehouse, replaced atomically, for people to query.

Belongs here: what precedes the copy, replacing, and whether a copy is due. Does not: copying (`copying`), when to
publish (`defs`).
"""

from __future__ import annotations

import glob
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from . import provenance, spacing
from .copying import copy_aside
from .errors import PublishError
from .file import Warehouse, bound_memory, sync_folder
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
    """Whether the published file lacks commits that the warehouse holds, or shows what a reader wrote into it."""
    if not warehouse.path.exists():
        return False
    if _logged(warehouse) or not published.exists() or _log_of(published).exists():
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
        _checkpoint(warehouse, published)
        ready = time.monotonic()
        _replace(warehouse, published)
        now = time.monotonic()
        spacing.note(warehouse, now - begun, copying=now - ready)
        return Published(published, published.stat().st_size, now - begun)


def _logged(warehouse: Warehouse) -> bool:
    return warehouse.wal.exists() and warehouse.wal.stat().st_size > 0


def _checkpoint(warehouse: Warehouse, published: Path | None) -> None:
    """Brings all of the log into the file."""
    with warehouse.connected() as connection:
        bound_memory(connection)
        try:
            _prepare(connection, warehouse, published)
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


def _prepare(connection: DuckDBPyConnection, warehouse: Warehouse, published: Path | None) -> None:
    """What is written for the sake of the copy, so that the copy is block for block the warehouse."""
    _refresh(connection, warehouse)
    if published is None:
        return
    if (
        provenance.published_at(connection) is None
        and published.is_file()
        and not provenance.is_of(connection, published)
    ):
        # Before the row is written: a publish after this one was cut short takes the file for ours by that row.
        _keep(published)
    provenance.write(connection, warehouse.path, spacing.last_seconds(warehouse))


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


def _replace(warehouse: Warehouse, published: Path) -> None:
    try:
        aside = copy_aside(warehouse.path, published, mode=0o444, patience=warehouse.foreign_seconds)
        try:
            _remove_log(_log_of(published))
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


def _log_of(published: Path) -> Path:
    return published.with_name(f"{published.name}.wal")


def _remove_log(log: Path) -> None:
    """Removes what a reader left beside the old file: it would be replayed into the new one."""
    if log.exists():
        log.unlink()
        # It must not be there again after a power cut, which may keep the new file's name.
        sync_folder(log.parent)


def _keep(published: Path) -> None:
    """Gives a file that another warehouse was published to a name that no publish replaces."""
    kept = published.with_name(f"{published.name}.kept-{utc_now():%Y%m%dT%H%M%S%fZ}")
    try:
        if any(
            one.samefile(published) for one in published.parent.glob(f"{glob.escape(published.name)}.kept-*")
        ):
            return
        kept.hardlink_to(published)
        sync_folder(published.parent)
    except OSError as error:
        raise PublishError(f"{kept} could not be written: {error.strerror}; the old file stands.") from error
    log.warning(
        "%s was made from another warehouse than the one published now: it is kept as %s. To have its data back, "
        "`sendgrid-assets restore --from` that file; else remove it.",
        published,
        kept,
    )
