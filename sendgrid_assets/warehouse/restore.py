"""Restoring: a copy of the warehouse, such as the published file, put back in its place.

Belongs here: what may be replaced, by what, and in which steps. Does not: what came after the copy was made, which the
next drain (`reconcile`) and sync bring back.
"""

from __future__ import annotations

import fcntl
import re
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb

from sendgrid_assets.catalog.bookkeeping import SCHEMA

from . import provenance
from .copying import copy_aside
from .errors import RestoreError, WarehouseBusyError
from .file import sync_folder
from .schema import VERSION
from .sql import name
from .sync_log import utc_now

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

    from .file import Warehouse


_STRUCTURE = f"SELECT coalesce(max(version), 0) FROM {name(SCHEMA, 'schema_version')}"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Attributes:
        path: the warehouse.
        published_at: the instant (UTC) whose state it has; None where the copy does not tell.
        moved: what stood there, the file and its log, under the names that they were given.
    """

    path: Path
    published_at: dt.datetime | None
    moved: tuple[Path, ...]


def restore(warehouse: Warehouse, source: Path, *, with_log: bool, over: bool = False) -> Restored:
    """Puts a copy in the warehouse's place; nothing is removed.

    It can be killed at any moment: then either the old file or the new one stands, or no run starts until restoring is
    done again.

    Args:
        warehouse: what to put back.
        source: the copy; it is left as it is.
        with_log: whether a write-ahead log beside the copy belongs to it. It does not beside the published file, which
            is whole without.
        over: whether to replace a warehouse that can be read, too.

    Raises:
        RestoreError: the copy cannot be used, or a readable warehouse stands in its place.
        WarehouseBusyError: a run or another process holds the warehouse or the copy.
    """
    if not source.is_file():
        raise RestoreError(f"{source} is no file: give a copy of the warehouse with --from.")
    with ExitStack() as stack:
        try:
            stack.enter_context(replace(warehouse, lock_seconds=0.0).turn())
        except WarehouseBusyError:
            raise WarehouseBusyError(
                f"A run is writing to {warehouse.path}: stop Dagster, or let the run end, and restore then."
            ) from None
        try:
            if warehouse.path.exists():
                _require_replaceable(warehouse, source, over=over)
                stack.enter_context(_held(warehouse.path))
            aside = copy_aside(source, warehouse.path)
            try:
                published_at = _check(aside, source, warehouse.path, with_log=with_log)
                moved = _put(aside, warehouse)
            finally:
                for left in (aside, _log_of(aside)):
                    with suppress(OSError):
                        left.unlink()
        except OSError as error:
            raise RestoreError(f"{warehouse.path} could not be written: {error.strerror}.") from error
        return Restored(warehouse.path, published_at, moved)


def _log_of(file: Path) -> Path:
    return file.with_name(file.name + ".wal")


def _require_replaceable(warehouse: Warehouse, source: Path, *, over: bool) -> None:
    if source.samefile(warehouse.path):
        raise RestoreError(f"{source} is the warehouse itself: give a copy of it with --from.")
    if _is_readable(warehouse) and not over:
        raise RestoreError(
            f"{warehouse.path} can be read, so there may be no need to restore it: --force moves it aside, and puts "
            "the copy in its place."
        )


def _is_readable(warehouse: Warehouse) -> bool:
    try:
        duckdb.connect(warehouse.path, read_only=True).close()
    except duckdb.Error as error:
        if re.search(r"\(PID \d+\)", str(error)):
            raise _busy(warehouse.path) from error
        return False
    return True


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Keeps every DuckDB from opening the file, by the lock that it would take."""
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise _busy(path) from None
        yield


def _busy(path: Path) -> WarehouseBusyError:
    return WarehouseBusyError(
        f"A process has {path} open (`fuser -v {path}` names it): end it, and restore then."
    )


def _check(aside: Path, source: Path, target: Path, *, with_log: bool) -> dt.datetime | None:
    """Takes in the log, and looks whether the copy is a warehouse that this release can use."""
    log = _log_of(source)
    try:
        if with_log and log.exists() and log.stat().st_size:
            copy_aside(log, _log_of(target)).rename(_log_of(aside))
            with duckdb.connect(aside) as connection:
                connection.execute("CHECKPOINT")
            if _log_of(aside).exists():
                raise RestoreError(f"{log} could not be taken into the copy: is the disk full?")
        with duckdb.connect(aside, read_only=True) as connection:
            (structure,) = connection.execute(_STRUCTURE).fetchall()[0]
            published_at = provenance.published_at(connection)
    except duckdb.CatalogException:
        raise RestoreError(f"{source} is a database, but no copy of a warehouse of ours.") from None
    except duckdb.Error as error:
        raise RestoreError(f"{source} cannot be read: {str(error).splitlines()[0]}") from error
    if structure > VERSION:
        raise RestoreError(
            f"{source} has structure {structure} and this release knows {VERSION}: install the newer one."
        )
    return published_at


def _put(aside: Path, warehouse: Warehouse) -> tuple[Path, ...]:
    """Moves what is there aside, as the pair that it is, and the copy in its place.

    Between the two there is a log and no warehouse, from which no run makes a new one.
    """
    path, log, folder = warehouse.path, warehouse.wal, warehouse.path.parent
    given = path.with_name(f"{path.name}.replaced-{utc_now():%Y%m%dT%H%M%S%fZ}")
    moved: list[Path] = []
    if log.exists() and log.stat().st_size:
        _log_of(given).hardlink_to(log)
        moved.append(_log_of(given))
    else:
        log.touch()
    sync_folder(folder)
    if path.exists():
        aside.chmod(path.stat().st_mode & 0o777)
        path.rename(given)
        moved.insert(0, given)
        sync_folder(folder)
    # DuckDB takes an empty log for none, and a full one for the new file's own.
    empty = _log_of(aside)
    empty.touch()
    empty.replace(log)
    sync_folder(folder)
    aside.rename(path)
    sync_folder(folder)
    log.unlink()
    sync_folder(folder)
    return tuple(moved)
