"""A database file, copied whole beside where it is to stand.

Belongs here: the lock on what is copied, the copy, its durability. Does not: what is replaced by it (`publish`,
`restore`).
"""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.moving import make_folder

from .errors import WarehouseBusyError

if TYPE_CHECKING:
    from pathlib import Path

_FICLONE = 0x40049409
"""Linux's ioctl that shares a file's blocks instead of copying them (ioctl_ficlone(2))."""

_PIECE = 16 * 1024 * 1024
"""Bytes asked of the kernel at once: large enough to cost nothing, small enough to be written soon."""

_CANNOT = (errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""What file systems say that leave copying to the program."""


def copy_aside(source: Path, target: Path, *, mode: int | None = None, patience: float = 0.0) -> Path:
    """Copies a database file to a name beside the target: whole, durable, and with the source's times.

    What an earlier copy left there when it was killed is removed first.

    Args:
        source: what to copy; its write-ahead log is left alone.
        target: what the copy is to replace; its folder is made if it is missing.
        mode: the copy's permissions; None for those of any new file.
        patience: seconds to wait for a process that writes to the source.

    Returns:
        The copy, to be renamed to the target or removed.

    Raises:
        WarehouseBusyError: a process writes to the source.
        OSError: there is no room, or a file cannot be read or written; no part of a copy is left.
    """
    make_folder(Disk(), target.parent)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    for stray in target.parent.glob(f".{glob.escape(target.name)}.*.part*"):
        stray.unlink(missing_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with source.open("rb") as original, aside.open("xb") as copy:
            # Keeps a foreign DuckDB from writing meanwhile; ours have the turn.
            _share(original, source, patience)
            _copy(original, copy, target)
            stat = os.fstat(original.fileno())
            os.fsync(copy.fileno())
        if mode is not None:
            aside.chmod(mode)
        os.utime(aside, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise
    return aside


def _share(original: BinaryIO, source: Path, patience: float) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.lockf(original, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            if time.monotonic() > until:
                raise WarehouseBusyError(
                    f"A process has {source} open for writing: close it there (`fuser -v` names it)."
                ) from None
            time.sleep(0.2)
        else:
            return


def _copy(original: BinaryIO, copy: BinaryIO, target: Path) -> None:
    with suppress(OSError):
        fcntl.ioctl(copy.fileno(), _FICLONE, original.fileno())
        return
    # Shared blocks need no room, so it is looked at only now.
    size = os.fstat(original.fileno()).st_size
    if shutil.disk_usage(target.parent).free < size:
        raise OSError(errno.ENOSPC, f"no room for {size} bytes beside it, make room")
    if not _copied_by_kernel(original.fileno(), copy.fileno()):
        # Goes on where the kernel stopped.
        shutil.copyfileobj(original, copy, 1 << 22)
        copy.flush()


def _copied_by_kernel(original: int, copy: int) -> bool:
    """Whether the kernel copied all of it, in a third of the time that reading and writing take."""
    if not hasattr(os, "copy_file_range"):
        return False
    done = 0
    try:
        while piece := os.copy_file_range(original, copy, _PIECE):
            # Has it written while the next is copied, so that the fsync finds next to nothing to do.
            os.posix_fadvise(copy, done, piece, os.POSIX_FADV_DONTNEED)
            done += piece
    except OSError as error:
        if error.errno in _CANNOT:
            return False
        raise
    return os.fstat(copy).st_size == os.fstat(original).st_size
