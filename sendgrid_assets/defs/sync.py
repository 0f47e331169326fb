"""One table's sync: what its asset hands to the I/O manager, and what `sync_runs` is told of it.

Belongs here: the record from the listing and what became of its rows. Does not: storing them (`io_managers`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sendgrid_assets.warehouse.sync_log import SyncRun, utc_now

if TYPE_CHECKING:
    import dagster as dg

    from sendgrid_assets.api.listing import Listing
    from sendgrid_assets.warehouse.stage import Staged
    from sendgrid_assets.warehouse.upsert import Upserted


@dataclass
class Sync:
    """What a sync asset hands out.

    Attributes:
        listing: the rows, unread.
        checked: results of the table's checks, found when the rows were stored.
    """

    listing: Listing
    checked: list[dg.AssetCheckResult] = field(default_factory=list)

    def loaded(self, run_id: str, source: str, done: Upserted) -> SyncRun:
        """The record of a listing whose rows are in the table."""
        return SyncRun(
            **self._read(run_id, source),
            status="ok",
            complete=done.complete,
            inserted=done.inserted,
            updated=done.updated,
            unchanged=done.unchanged,
            deleted=done.deleted,
            message=self._shortfall(done),
        )

    def failed(self, run_id: str, source: str, message: str) -> SyncRun:
        """The record of a listing of which no row was kept."""
        return SyncRun(**self._read(run_id, source), status="failed", message=message)

    def _read(self, run_id: str, source: str) -> dict[str, Any]:
        listing = self.listing
        return {
            "run_id": run_id,
            "source": source,
            "table_name": listing.collection.table,
            "started_at": listing.started_at,
            "ended_at": utc_now(),
            "fetched": listing.fetched,
            "requests": listing.requests,
            "waited_seconds": listing.waited_seconds,
            "mode": "incremental" if listing.partial or listing.standing else "full",
            "since": listing.since,
        }

    def _shortfall(self, done: Upserted) -> str | None:
        listing = self.listing
        if done.complete:
            return None
        if listing.expected is not None and done.distinct < listing.expected:
            return f"SendGrid counts {listing.expected} rows and listed {done.distinct}: no deletions are marked."
        return f"{listing.doubt}: no deletions are marked."


@dataclass(frozen=True)
class StagedListing:
    """A sync whose rows are on disk."""

    sync: Sync
    rows: Staged
