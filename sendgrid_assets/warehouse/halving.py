"""Halving: a chunk that an error keeps from being loaded is loaded in parts, so that a file costs only itself.

Belongs here: which errors may be a file's, and when a file is to blame. Does not: files that end the process
(`quarantine`), what becomes of those to blame (`drain`).
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from .errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sendgrid_assets.webhook.landing import LandingFile

MAY_BE_A_FILES = (
    duckdb.DataError,
    duckdb.InvalidInputException,
    # Of one file whose lines are too long together; of all files, if there is too little for any.
    duckdb.OutOfMemoryException,
    ArithmeticError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""Errors that what stands in a file can raise; others are the disk's, the warehouse's, or another process's."""

MOST_FAILING = 16
"""Files that fail before any is loaded, after which the files are not to blame."""


def load_halved(
    chunk: Sequence[LandingFile], load: Callable[[Sequence[LandingFile]], None]
) -> list[tuple[LandingFile, str]]:
    """Loads all files of a chunk but those that raise errors alone.

    Args:
        chunk: files in the order they count.
        load: loads files, all or none of them.

    Returns:
        The files to blame, each with the reason: an error's kind alone, since its text may hold an address.

    Raises:
        LoadError: no file can be loaded, so the error is of something that all need.
    """
    rest = [list(chunk)]
    failed: list[tuple[LandingFile, str]] = []
    loaded, where = False, ""
    while rest:
        part = rest.pop()
        try:
            load(part)
        except MAY_BE_A_FILES as error:
            if _is_no_room(error):
                raise
            if len(part) > 1:
                middle = (len(part) + 1) // 2
                rest += [part[middle:], part[:middle]]
                continue
            failed.append((part[0], f"cannot be loaded ({type(error).__name__})"))
            where = _place(error)
            if not loaded and len(failed) == MOST_FAILING:
                break
        else:
            loaded = True
    if failed and not loaded:
        raise LoadError(
            f"No file can be loaded: {failed[0][0].name} {failed[0][1]}, at {where}. All wait where they are: was a"
            " column of an event table altered by hand? Change it back, and they are loaded."
        )
    return failed


def _is_no_room(error: Exception) -> bool:
    """Whether it is the disk that has no room for what does not fit into memory."""
    return isinstance(error, duckdb.OutOfMemoryException) and (
        "failed to offload" in str(error) or "max_temp_directory_size" in str(error)
    )


def _place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"
