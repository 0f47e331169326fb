"""The published file: a copy of the warehouse, replaced atomically, for people to query.

Belongs here: checkpoint, copy, replace, and whether a copy is due. Does not: when to publish (`defs`).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from .errors import PublishError
from .file import Warehouse, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

_FICLONE = 0x40049409
"""Linux's ioctl that shares a file's blocks instead of copying them (ioctl_ficlone(2))."""


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

    Readers of the old file keep it; whoever opens it from now on sees the new one.

    Args:
        warehouse: what to copy.
        published: the file to replace; None only checkpoints.

    Raises:
        PublishError: there is no room, or the checkpoint failed; the old file stands.
        WarehouseBusyError: somebody else holds the warehouse.
    """
    begun = time.monotonic()
    with warehouse.turn():
        if published is None:
            if warehouse.path.exists() and _logged(warehouse):
                _checkpoint(warehouse)
            return None
        if warehouse.path.exists() and not is_due(warehouse, published):
            return None
        _checkpoint(warehouse)
        _replace(warehouse.path, published)
        return Published(published, published.stat().st_size, time.monotonic() - begun)


def _logged(warehouse: Warehouse) -> bool:
    return warehouse.wal.exists() and warehouse.wal.stat().st_size > 0


def _checkpoint(warehouse: Warehouse) -> None:
    with warehouse.connected() as connection:
        connection.execute("CHECKPOINT")
    # A copy of the main file alone would silently lack what stands in the log.
    if _logged(warehouse):
        raise PublishError(f"{warehouse.path} could not be checkpointed: is the disk full?")


def _replace(source: Path, published: Path) -> None:
    aside = published.with_name(f".{published.name}.{os.getpid()}.part")
    try:
        published.parent.mkdir(parents=True, exist_ok=True)
        for stray in published.parent.glob(f".{published.name}.*.part"):
            stray.unlink(missing_ok=True)
        size = source.stat().st_size
        if shutil.disk_usage(published.parent).free < size:
            raise PublishError(
                f"No room for {size} bytes beside {published}: make room; the old file stands."
            )
        with source.open("rb") as original, aside.open("xb") as copy:
            # Keeps a foreign DuckDB from writing meanwhile; ours have the turn.
            fcntl.lockf(original, fcntl.LOCK_SH)
            _copy(original, copy)
            os.fsync(copy.fileno())
            stat = os.fstat(original.fileno())
        aside.chmod(0o444)
        # Equal times are what tells that nothing was committed since.
        os.utime(aside, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        # A log that a reader left beside the old file would be replayed into the new one.
        published.with_name(published.name + ".wal").unlink(missing_ok=True)
        aside.replace(published)
        sync_folder(published.parent)
    except OSError as error:
        with suppress(OSError):
            aside.unlink()
        raise PublishError(
            f"{published} could not be written: {error.strerror}; the old file stands."
        ) from error


def _copy(original: BinaryIO, copy: BinaryIO) -> None:
    with suppress(OSError):
        fcntl.ioctl(copy.fileno(), _FICLONE, original.fileno())
        return
    shutil.copyfileobj(original, copy, 1 << 22)
