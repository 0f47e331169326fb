"""How a file gets from one folder to another: never over another file, never without a name.

Belongs here: making folders that last, and the two halves of a move. Does not: which files move, and where to.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .durable import Disk


def make_folder(disk: Disk, folder: Path) -> None:
    """Makes a folder and what leads to it, durably.

    Raises:
        NotADirectoryError: a file is in the way.
    """
    if folder.is_dir():
        return
    make_folder(disk, folder.parent)
    with suppress(FileExistsError):
        folder.mkdir()
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    disk.fsync_dir(folder.parent)


def place(disk: Disk, source: Path, target: Path) -> None:
    """The first half: gives a file its new name, beside its old one where the system allows that.

    Raises:
        FileExistsError: another file has the name.
        FileNotFoundError: the file is gone.
    """
    try:
        disk.link(source, target)
    except FileExistsError:
        # The same file under both names is a move that was cut short.
        if not os.path.samestat(source.lstat(), target.lstat()):
            raise
    except PermissionError:
        # Linux refuses links to other users' files (fs.protected_hardlinks), but not to rename them.
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        disk.rename(source, target)


def place_numbered(disk: Disk, source: Path, target: Path) -> Path:
    """As `place`, under the first free numbered name where the target's own is taken; returns that path."""
    number, free = 0, target
    while True:
        try:
            place(disk, source, free)
        except FileExistsError:
            number += 1
            free = target.with_name(f"{target.name}.{number}")
        else:
            return free


def leave(disk: Disk, sources: Iterable[Path], source_folder: Path, target_folder: Path) -> None:
    """The second half, for many files: their new names made durable, then their old ones taken away."""
    disk.fsync_dir(target_folder)
    for source in sources:
        with suppress(FileNotFoundError):
            disk.unlink(source)
    disk.fsync_dir(source_folder)
