"""Every benchmark there is.

Belongs here: the list. Does not: anything else.
"""

from __future__ import annotations

from .insights import INSIGHTS_READ
from .publish import PUBLISH
from .sync import SYNC
from .upsert import UPSERT

BENCHMARKS = {benchmark.name: benchmark for benchmark in (SYNC, UPSERT, INSIGHTS_READ, PUBLISH)}
