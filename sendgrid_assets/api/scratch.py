"""A folder for what is downloaded, as long as it is being read.

Belongs here: making and removing it. Does not: what is in it.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import weakref
from pathlib import Path

_TRIES, _PAUSE_SECONDS = 20, 0.05


class Scratch:
    """A temporary folder, removed at the latest when nothing refers to it any more.

    Attributes:
        path: where it is.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="sendgrid-export-"))
        self._end = weakref.finalize(self, _remove, self.path)

    def remove(self) -> None:
        """Removes it with all that is in it."""
        self._end()


def _remove(path: Path) -> None:
    for _ in range(_TRIES):
        shutil.rmtree(path, ignore_errors=True)
        if not path.exists():
            return
        # A thread whose work nobody waits for may just have made one more file.
        time.sleep(_PAUSE_SECONDS)
