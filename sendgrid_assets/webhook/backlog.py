"""What waits in `new/` to be loaded: counted now and then, never in a request's way.

Belongs here: how old a count may be. Does not: how much is too much (`source`).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .landing import Landing

_SECONDS = 1.0
# A listing of many files may take as long as it likes, but not all of a processor.
_SHARE = 20


class Backlog:
    """One source's waiting files.

    Attributes:
        files: how many there were at the last count.
        bytes: their size then.
    """

    def __init__(self, landing: Landing) -> None:
        self._landing = landing
        self._counting = threading.Lock()
        self._next = 0.0
        self.files = self.bytes = 0

    def count(self) -> None:
        """Counts them now.

        Raises:
            OSError: `new/` cannot be read; the last count stands.
        """
        started = time.monotonic()
        try:
            sizes = [file.size for file in self._landing.waiting()]
            self.files, self.bytes = len(sizes), sum(sizes)
        finally:
            now = time.monotonic()
            self._next = now + max(_SECONDS, _SHARE * (now - started))

    def lately(self) -> int:
        """Bytes at the last count; where that is old a new one begins, for those who ask later."""
        if time.monotonic() >= self._next and self._counting.acquire(blocking=False):
            threading.Thread(target=self._count_aside, name="backlog", daemon=True).start()
        return self.bytes

    def _count_aside(self) -> None:
        try:
            self.count()
        except OSError:
            # Whether `new/` can be used at all is looked at elsewhere.
            return
        finally:
            self._counting.release()
