"""What of a collection need not be read again, as the warehouse tells it.

Belongs here: the record. Does not: finding it out (`warehouse.known`), making use of it (the readers).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DAILY = dt.timedelta(hours=23)
"""How old the last full listing may be; an hour short of a day, so that a schedule's jitter costs no turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """By default nothing is known, so that all is read.

    Attributes:
        start_date: first day of statistics.
        since: what is new since this instant (UTC) suffices, overlap already taken off; None for everything.
        names: of named statistics, those that have been read from `start_date` on.
        stamps: by id of a row, its instant of change (UTC) when its details were read.
        counts: by id of a parent, how many rows it had; a parent whose count stands need not be asked for.
    """

    start_date: dt.date = dt.date(2009, 1, 1)
    since: dt.datetime | None = None
    names: frozenset[str] = frozenset()
    stamps: Mapping[str, dt.datetime] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


NOTHING = Known()
