"""The project's definitions, with a sensor whose look takes for as long as a file is there.

Belongs here: the pause. Does not: what it is to show (`test_daemon`).
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from sendgrid_assets.definitions import defs as defs
from sendgrid_assets.webhook.landing import Landing, LandingFile

_waiting = Landing.waiting
_pause = Path(os.environ["SLOW_LOOK"])


def _slowly(landing: Landing) -> list[LandingFile]:
    while _pause.exists():
        time.sleep(0.05)
    return _waiting(landing)


Landing.waiting = _slowly  # type: ignore[method-assign]
