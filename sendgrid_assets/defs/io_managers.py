"""The upsert I/O manager: a listing or a DataFrame goes into its table by key; a table comes out as a DataFrame.

Belongs here: the one place that touches Dagster's private database I/O manager seam. Does not: the SQL
(`warehouse.upsert`). dagster-duckdb's manager connects before its handler runs and deletes before it writes, so a
listing is staged first, and deleting does nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
import pandas as pd
from dagster._core.storage.db_io_manager import DbIOManager, DbTypeHandler, TableSlice
from dagster_duckdb.io_manager import DuckDbClient

from sendgrid_assets.api.errors import SendGridError
from sendgrid_assets.api.listing import Listing
from sendgrid_assets.warehouse import sync_log
from sendgrid_assets.warehouse.errors import KeylessRowError, OlderListingError, WarehouseError
from sendgrid_assets.warehouse.file import transaction
from sendgrid_assets.warehouse.frame import read_frame, upsert_frame
from sendgrid_assets.warehouse.stage import Staged, staged
from sendgrid_assets.warehouse.upsert import Upserted, upsert

from . import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from duckdb import DuckDBPyConnection

    from .resources import WarehouseResource


@dataclass(frozen=True)
class StagedListing:
    """A listing whose rows are on disk."""

    listing: Listing
    rows: Staged


class UpsertIOManager(DbIOManager):
    """Writes by upsert, within one transaction, while it has the warehouse's turn."""

    def __init__(self, resource: WarehouseResource) -> None:
        super().__init__(
            type_handlers=[ListingHandler(), FrameHandler()],
            db_client=_WarehouseClient(resource),
            database=str(resource.warehouse.path),
            default_load_type=pd.DataFrame,
            io_manager_name="UpsertIOManager",
        )
        self._resource = resource

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Stages a listing before the warehouse is opened; a failed one is on record and leaves no row."""
        try:
            if isinstance(obj, Listing):
                self._upsert(context, obj)
            else:
                super().handle_output(context, obj)
        except WarehouseError as error:
            raise dg.Failure(str(error)) from error

    def _upsert(self, context: dg.OutputContext, obj: Listing) -> None:
        try:
            with staged(obj, self._resource.scratch) as rows:
                super().handle_output(context, StagedListing(obj, rows))
        except (SendGridError, KeylessRowError, OlderListingError) as error:
            self._record_failure(context, obj, str(error))
            raise dg.Failure(
                str(error), metadata={"endpoint": obj.collection.path, "requests": obj.requests}
            ) from error
        except (duckdb.DataError, duckdb.InvalidInputException) as error:
            # Its own text may show the value, which may be somebody's address.
            said = f"DuckDB could not read the listing ({type(error).__name__}): nothing of it is loaded."
            self._record_failure(context, obj, said)
            raise dg.Failure(said, metadata={"endpoint": obj.collection.path}) from None

    def _record_failure(self, context: dg.OutputContext, listing: Listing, message: str) -> None:
        self._resource.record(
            sync_log.SyncRun(
                run_id=context.run_id,
                source=context.asset_key.path[0],
                table_name=listing.collection.table,
                started_at=listing.started_at,
                ended_at=sync_log.utc_now(),
                status="failed",
                fetched=listing.fetched,
                requests=listing.requests,
                waited_seconds=listing.waited_seconds,
                message=message,
            )
        )


class ListingHandler(DbTypeHandler[StagedListing]):
    """Upserts a listing and notes it in `sync_runs`, in one transaction."""

    @property
    def supported_types(self) -> Sequence[type]:
        """Staged listings."""
        return [StagedListing]

    def handle_output(
        self, context: dg.OutputContext, table_slice: TableSlice, obj: StagedListing, connection: Any
    ) -> dict[str, Any]:
        """Loads the listing; returns what Dagster shows of it."""
        listing, source = obj.listing, context.asset_key.path[0]
        done = upsert(
            connection,
            listing.collection,
            source=source,
            schema=table_slice.schema,
            rows=obj.rows,
            started_at=listing.started_at,
            whole=listing.whole,
            expected=listing.expected,
        )
        ended_at = sync_log.utc_now()
        sync_log.record(
            connection,
            sync_log.SyncRun(
                run_id=context.run_id,
                source=source,
                table_name=listing.collection.table,
                started_at=listing.started_at,
                ended_at=ended_at,
                status="ok",
                complete=done.complete,
                fetched=listing.fetched,
                inserted=done.inserted,
                updated=done.updated,
                unchanged=done.unchanged,
                deleted=done.deleted,
                requests=listing.requests,
                waited_seconds=listing.waited_seconds,
                message=_shortfall(listing, done),
            ),
        )
        return {
            **_counts(done),
            "rows_fetched": listing.fetched,
            "api_requests": listing.requests,
            "waited_seconds": listing.waited_seconds,
            "seconds": (ended_at - listing.started_at).total_seconds(),
            "complete": done.complete,
            "unmodelled_fields": list(done.unmodelled),
        }

    def load_input(self, _context: dg.InputContext, _slice: TableSlice, _connection: Any) -> StagedListing:
        """Never: a listing is read once."""
        raise dg.DagsterInvariantViolationError("A table is loaded as a pandas.DataFrame.")


class FrameHandler(DbTypeHandler[pd.DataFrame]):
    """A user's own DataFrame in, any table out.

    The asset names its key columns in its definition metadata, `primary_key`.
    """

    @property
    def supported_types(self) -> Sequence[type]:
        """DataFrames."""
        return [pd.DataFrame]

    def handle_output(
        self, context: dg.OutputContext, table_slice: TableSlice, obj: pd.DataFrame, connection: Any
    ) -> dict[str, Any]:
        """Upserts the frame by its declared key; returns what Dagster shows of it."""
        key = (context.definition_metadata or {}).get("primary_key")
        if not key:
            raise dg.Failure(
                f"{context.asset_key.to_user_string()} names no key: give the asset metadata "
                '{"primary_key": ["column", ...]}.'
            )
        key = [key] if isinstance(key, str) else list(key)
        done = upsert_frame(connection, table_slice.schema, table_slice.table, obj, key)
        return _counts(done)

    def load_input(self, _context: dg.InputContext, table_slice: TableSlice, connection: Any) -> pd.DataFrame:
        """The whole table."""
        return read_frame(connection, table_slice.schema, table_slice.table)


class _WarehouseClient(DuckDbClient):
    def __init__(self, resource: WarehouseResource) -> None:
        self._resource = resource

    @contextmanager
    def connect(  # type: ignore[override]
        self, _context: dg.OutputContext | dg.InputContext, _table_slice: TableSlice
    ) -> Iterator[DuckDBPyConnection]:
        with self._resource.warehouse.open() as connection, transaction(connection):
            yield connection

    @staticmethod
    def delete_table_slice(*_: Any) -> None:
        """Nothing: rows are never removed."""

    @staticmethod
    def get_table_name(table_slice: TableSlice) -> str:
        """The table as SQL names it."""
        return f"{table_slice.schema}.{table_slice.table}"


def _counts(done: Upserted) -> dict[str, Any]:
    return {
        "dagster/row_count": done.total,
        "rows_inserted": done.inserted,
        "rows_updated": done.updated,
        "rows_unchanged": done.unchanged,
        "rows_deleted": done.deleted,
    }


def _shortfall(listing: Listing, done: Upserted) -> str | None:
    if done.complete:
        return None
    if listing.expected is not None and done.distinct < listing.expected:
        return f"SendGrid counts {listing.expected} rows and listed {done.distinct}: no deletions are marked."
    return f"{listing.doubt}: no deletions are marked."


def tables_io_manager() -> dg.IOManagerDefinition:
    """The I/O manager all tables go through."""

    def make(context: dg.InitResourceContext) -> UpsertIOManager:
        return UpsertIOManager(getattr(context.resources, names.WAREHOUSE))

    return dg.IOManagerDefinition(
        make,
        required_resource_keys={names.WAREHOUSE},
        description="Upserts by key into the warehouse; loads a table as a pandas.DataFrame.",
    )
