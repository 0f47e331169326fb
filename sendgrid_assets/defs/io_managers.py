"""The upsert I/O manager: a listing or a DataFrame goes into its table by key; a table comes out as a DataFrame.

Belongs here: the one place that touches Dagster's private database I/O manager seam. Does not: the SQL
(`warehouse.upsert`). dagster-duckdb's manager connects before its handler runs and deletes before it writes, so a
listing is staged first, and deleting does nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
import pandas as pd
from dagster._core.storage.db_io_manager import DbIOManager, DbTypeHandler, TableSlice
from dagster_duckdb.io_manager import DuckDbClient

from sendgrid_assets.api.errors import SendGridError
from sendgrid_assets.catalog.insights import INSIGHTS
from sendgrid_assets.warehouse import sync_log
from sendgrid_assets.warehouse.errors import KeylessRowError, OlderListingError, WarehouseError
from sendgrid_assets.warehouse.file import transaction
from sendgrid_assets.warehouse.frame import read_frame, upsert_frame
from sendgrid_assets.warehouse.rollup import refresh
from sendgrid_assets.warehouse.stage import staged
from sendgrid_assets.warehouse.upsert import Upserted, upsert

from .checks import evaluated
from .sync import StagedListing, Sync

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from duckdb import DuckDBPyConnection

    from .resources import WarehouseResource


_INSIGHTS = {insight.view for insight in INSIGHTS}


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
            if isinstance(obj, Sync):
                self._upsert(context, obj)
            else:
                super().handle_output(context, obj)
        except WarehouseError as error:
            raise dg.Failure(str(error)) from error
        except (duckdb.DataError, duckdb.InvalidInputException) as error:
            # Its own text may show a value of the frame, which may be somebody's address.
            table = ".".join(context.asset_key.path)
            raise dg.Failure(
                f"What was made for {table} does not fit the table's columns ({type(error).__name__}): compare its "
                "types with theirs."
            ) from None

    def _upsert(self, context: dg.OutputContext, sync: Sync) -> None:
        listing = sync.listing
        try:
            with staged(listing.blocks(), self._resource.scratch) as rows:
                super().handle_output(context, StagedListing(sync, rows))
        except (SendGridError, KeylessRowError, OlderListingError) as error:
            self._record_failure(context, sync, str(error))
            raise dg.Failure(
                str(error), metadata={"endpoint": listing.collection.path, "requests": listing.requests}
            ) from error
        except (duckdb.DataError, duckdb.InvalidInputException) as error:
            # Its own text may show the value, which may be somebody's address.
            said = f"DuckDB could not read the listing ({type(error).__name__}): nothing of it is loaded."
            self._record_failure(context, sync, said)
            raise dg.Failure(said, metadata={"endpoint": listing.collection.path}) from None

    def _record_failure(self, context: dg.OutputContext, sync: Sync, message: str) -> None:
        self._resource.record(sync.failed(context.run_id, context.asset_key.path[0], message))


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
        sync, listing, source = obj.sync, obj.sync.listing, context.asset_key.path[0]
        done = upsert(
            connection,
            listing.collection,
            source=source,
            schema=table_slice.schema,
            rows=obj.rows,
            started_at=listing.started_at,
            whole=listing.whole,
            expected=listing.expected,
            standing=listing.standing,
            partial=listing.partial,
        )
        run = sync.loaded(context.run_id, source, done)
        sync_log.record(connection, run)
        sync.checked = evaluated(connection, source, table_slice.schema, listing.collection)
        return {
            **_counts(done),
            "rows_fetched": run.fetched,
            "mode": run.mode,
            "api_requests": run.requests,
            "waited_seconds": run.waited_seconds,
            "seconds": (run.ended_at - run.started_at).total_seconds(),
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
        self, _context: dg.OutputContext | dg.InputContext, table_slice: TableSlice
    ) -> Iterator[DuckDBPyConnection]:
        with self._resource.warehouse.open() as connection:
            if table_slice.table in _INSIGHTS:
                refresh(connection, self._resource.warehouse.schemas)
            with transaction(connection):
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
