"""Every benchmark there is.

Belongs here: the list. Does not: anything else.
"""

from __future__ import annotations

from .sync import SYNC
from .upsert import UPSERT

BENCHMARKS = {benchmark.name: benchmark for benchmark in (SYNC, UPSERT)}
