"""Segments whose writer died: what they hold is published, and their stray files go.

Belongs here: telling the dead from the living, and the whole lines from a torn one. Does not: writing (`segment`).
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from .durable import FsyncError
from .landing import OWN_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from .landing import Landing

_BLOCK = 1024 * 1024


def recover(landing: Landing) -> int:
    """Publishes the whole lines of segments whose writer died, and removes the stray files.

    Returns:
        How many files were published.

    Raises:
        FsyncError: one of them may not be durable; what follows stays, and nothing is to be tried again.
        OSError: the landing directory cannot be read or written; what could be published is, the rest stays.
    """
    with os.scandir(landing.tmp) as entries:
        orphans = sorted(
            entry.name
            for entry in entries
            if OWN_NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
        )
    recovered, failure = 0, None
    for name in orphans:
        try:
            recovered += _recover(landing, landing.tmp / name)
        except FsyncError:
            raise
        except OSError as error:
            failure = error
    if failure:
        raise failure
    return recovered


def _recover(landing: Landing, path: Path) -> bool:
    descriptor = _taken(path)
    if descriptor is None:
        return False
    try:
        names = os.fstat(descriptor).st_nlink
        published = False
        if names == 1 and path.suffix == ".ndjson" and (kept := _whole_lines(descriptor)):
            os.ftruncate(descriptor, kept)
            landing.disk.fsync(descriptor)
            # What stands in `new/` under this name already is whole.
            with suppress(FileExistsError):
                landing.disk.link(path, landing.new / path.name)
                published = True
        if names > 1 or published:
            # The writer may have died before the other name was durable.
            landing.disk.fsync_dir(landing.new)
        landing.disk.unlink(path)
    finally:
        os.close(descriptor)
    return published


def _taken(path: Path) -> int | None:
    """A locked descriptor of what a dead writer left; None where it is not there to be taken."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):
        # Another start was quicker, or it is another user's.
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.lstat()
    except (BlockingIOError, FileNotFoundError):
        # Its writer lives, or had it published between the opening and the lock.
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _whole_lines(descriptor: int) -> int:
    """Bytes up to the last whole line's end; zeros are what a power cut leaves of bytes never written."""
    whole = at = 0
    while block := os.pread(descriptor, _BLOCK, at):
        written = block.split(b"\0", 1)[0]
        if end := written.rfind(b"\n") + 1:
            whole = at + end
        if len(written) < len(block):
            break
        at += len(block)
    return whole
