"""The Dagster instance that all looks of a sensor share.

Belongs here: how it comes from a look to the next. Does not: what is asked of it (`automation`, `run_history`).

A context makes an instance of its own for each look. Each reads migration scripts with alembic, which registers two
functions for the process's end each time: looks every ten seconds would make the code server grow for ever.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from dagster._core.instance.ref import InstanceRef


class HeldInstance:
    """An instance made at the first look, and kept as long as looks are for the same one."""

    def __init__(self) -> None:
        # Dagster's threads may look at the same time.
        self._lock = threading.Lock()
        self._held: tuple[InstanceRef, dg.DagsterInstance] | None = None

    def of(self, context: dg.SensorEvaluationContext) -> dg.DagsterInstance:
        """The instance that a look is for."""
        ref = context.instance_ref
        if ref is None:
            return context.instance
        with self._lock:
            if self._held is None or self._held[0] != ref:
                # Not disposed of where it is replaced: another thread may be at work with it.
                self._held = ref, dg.DagsterInstance.from_ref(ref)
            return self._held[1]
