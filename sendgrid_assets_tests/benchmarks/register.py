"""Every benchmark there is.

Belongs here: the list. Does not: anything else.
"""

from __future__ import annotations

from .drain import DRAIN, DRAIN_SMALL
from .freshness import FRESHNESS
from .grow import GROW
from .insights import INSIGHTS_READ
from .publish import PUBLISH
from .receive import RECEIVE_1, RECEIVE_100, RECEIVE_1000
from .sync import SYNC
from .upsert import UPSERT

BENCHMARKS = {
    benchmark.name: benchmark
    for benchmark in (
        SYNC,
        UPSERT,
        INSIGHTS_READ,
        PUBLISH,
        RECEIVE_1,
        RECEIVE_100,
        RECEIVE_1000,
        FRESHNESS,
        DRAIN,
        DRAIN_SMALL,
        GROW,
    )
}
