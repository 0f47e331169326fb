"""Sweeps of `replay`: where all is there it changes nothing, where rows are gone it brings them back, killed or not.

Belongs here: what is replayed, going through the points, and what must hold after each. Does not: the faults.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import count, islice
from typing import Any

from sendgrid_assets.catalog.events import EVENT_COLLECTIONS
from sendgrid_assets.webhook.archive import Archive
from sendgrid_assets.webhook.packing import pack_days

from .invariant import BY_FILE
from .sweeps import Fault, Sweep, struck

OLD = dt.date(2026, 1, 5)
STATES = (
    "SELECT * EXCLUDE (loaded_at) FROM sendgrid.activity ORDER BY ALL",
    "SELECT * EXCLUDE (rejected_at) FROM _sendgrid_assets.rejected_events ORDER BY ALL",
    "SELECT * FROM _sendgrid_assets.loaded_files ORDER BY ALL",
)
INSTANTS = (
    "SELECT sg_event_id, loaded_at FROM sendgrid.activity ORDER BY ALL",
    "SELECT raw, rejected_at FROM _sendgrid_assets.rejected_events ORDER BY ALL",
)


class Replays(Sweep):
    """Sweeps over what one plant keeps: two files in a pack of an old day, and two loose ones of today."""

    def prepare(self) -> None:
        """Lands, drains, packs and publishes what is replayed."""
        self.land()
        self.nursery.must("drain", self.plant)
        (today,) = self.plant.landing.done.iterdir()
        today.rename(today.with_name(OLD.isoformat()))
        pack_days(Archive(self.plant.landing), before=OLD + dt.timedelta(days=1), seconds=60)
        self.land()
        self.nursery.must("drain_and_publish", self.plant)

    def state(self, *, published: bool = False) -> list[list[tuple[Any, ...]]]:
        """All that there is, but for when it was loaded."""
        return [self.plant.query(sql, published=published) for sql in STATES]

    def instants(self) -> list[list[tuple[Any, ...]]]:
        """When each row was loaded."""
        return [self.plant.query(sql) for sql in INSTANTS]

    def empty(self) -> None:
        """Takes all rows away; what the ledger says stays."""
        with self.plant.warehouse.open() as connection:
            for table in (f"sendgrid.{collection.table}" for collection in EVENT_COLLECTIONS):
                connection.execute(f"DELETE FROM {table}")
            connection.execute("DELETE FROM _sendgrid_assets.rejected_events")

    def replays_of_what_is_there(
        self, fault: Fault, *, stride: int = 1, first: int = 1, most: int | None = None
    ) -> None:
        """Replays that have nothing to do, each with its fault; nothing may change at any moment."""
        before = self.state(), self.instants()
        for n in islice(count(first, stride), most):
            if not self._replay(how := fault(n)):
                break
            changed = (self.state(), self.instants()) != before
            self._point(how, ["a killed replay changed what was there"] if changed else [])
            if self.swept.wrong and self.ends_at_first:
                return
        self.nursery.must("replay", self.plant)
        if (self.state(), self.instants()) != before:
            self.swept.wrong.append("a replay changed what was there")

    def replays_into_nothing(
        self, fault: Fault, *, stride: int = 1, first: int = 1, most: int | None = None
    ) -> None:
        """Replays into emptied tables, each with its fault; whole days come back, and the next brings the rest."""
        before, whole = self.state(), Counter(dict(self.plant.query(BY_FILE)))
        for n in islice(count(first, stride), most):
            self.empty()
            met = self._replay(how := fault(n))
            found = Counter(dict(self.plant.query(BY_FILE)))
            wrong = [
                f"{file}: {found[file]} of {whole[file]} rows" for file in found if found[file] != whole[file]
            ]
            if met:
                self.nursery.must("replay", self.plant)
            if not self.state() == self.state(published=True) == before:
                wrong.append("a replay did not bring back what was there")
            self._point(how, wrong)
            if not met:
                self.swept.points -= 1
                return
            if self.swept.wrong and self.ends_at_first:
                return

    def _replay(self, how: dict[str, Any]) -> bool:
        """One with a fault; whether it met it."""
        self.nursery.do("replay", self.plant, **how)
        return struck(self.plant, how)
