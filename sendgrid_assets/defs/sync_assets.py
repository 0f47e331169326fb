"""The object collections as assets: one factory, one asset per catalog entry.

Belongs here: from a catalog entry to an asset that hands its listing to the I/O manager. Does not: anything that
differs between collections, which is the catalog's; the checks' rules (`checks`).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from sendgrid_assets.api.errors import RefusedError, SendGridError
from sendgrid_assets.api.known import Known
from sendgrid_assets.catalog.collection import ObjectCollection
from sendgrid_assets.catalog.objects import OBJECT_COLLECTIONS
from sendgrid_assets.settings import SourceSettings
from sendgrid_assets.warehouse import sync_log

from . import checks, names
from .resources import WarehouseResource
from .sync import Sync
from .table_metadata import described, table_metadata

if TYPE_CHECKING:
    from .account import Account


class SyncConfig(dg.Config):
    """What may be set for one run of one table, in the Launchpad."""

    full_refresh: bool = Field(
        default=False,
        description="Ask for everything again, as if the table had never been synced; its rows stay and are upserted.",
    )


def sync_asset(source: SourceSettings, collection: ObjectCollection) -> dg.AssetsDefinition:
    """The asset of one collection of one source."""
    key = names.table_key(source.name, collection.table)
    account, warehouse = names.account(source.name), names.WAREHOUSE

    @dg.asset(
        key=key,
        group_name=collection.group,
        description=described(collection.description, source.schema_name, collection.table),
        metadata=table_metadata(
            source.schema_name,
            collection.table,
            collection.columns,
            docs=collection.docs,
            key=collection.key,
        ),
        kinds={"twilio", "duckdb"},
        tags={"dagster/storage_kind": "duckdb"},
        deps=[names.api_key(source.name)],
        io_manager_key=names.TABLES,
        required_resource_keys={account, warehouse},
        op_tags={"dagster/priority": _priority(collection)},
        # A refused collection hands out nothing, and fails nothing.
        output_required=False,
        check_specs=checks.check_specs(key, collection),
    )
    def collection_asset(
        context: dg.AssetExecutionContext, config: SyncConfig
    ) -> Iterator[dg.Output[Sync] | dg.AssetCheckResult]:
        asking: Account = getattr(context.resources, account)
        resource: WarehouseResource = getattr(context.resources, warehouse)
        client = asking.client
        asked, began = client.requests, sync_log.utc_now()
        known = Known(start_date=source.start_date)
        if collection.remembers and not config.full_refresh:
            known = resource.known(source, collection, began)

        def note(status: sync_log.Status, error: SendGridError) -> None:
            resource.record(
                sync_log.SyncRun(
                    run_id=context.run.run_id,
                    source=source.name,
                    table_name=collection.table,
                    started_at=began,
                    ended_at=sync_log.utc_now(),
                    status=status,
                    requests=client.requests - asked,
                    message=str(error),
                )
            )

        try:
            listing = asking.listing(collection, known)
        except RefusedError as error:
            note("refused", error)
            if collection.table in source.named:
                raise dg.Failure(
                    f"{error} It is named in {source.prefix}COLLECTIONS: grant it, or take it out there.",
                    allow_retries=False,
                ) from error
            context.log.warning(str(error))
            yield checks.readable(str(error))
            with resource.warehouse.open() as connection:
                yield from checks.evaluated(connection, source.name, source.schema_name, collection)
            return
        except SendGridError as error:
            note("failed", error)
            raise dg.Failure(str(error), metadata={"endpoint": collection.path}) from error
        yield checks.readable(None)
        sync = Sync(listing)
        yield dg.Output(sync)
        # The I/O manager has stored it by now, and looked.
        yield from sync.checked

    return collection_asset


def _priority(collection: ObjectCollection) -> str:
    """Tables whose changes decide what another asks for come first, or it would see them a sync later."""
    watched = {other.each.watched for other in OBJECT_COLLECTIONS if other.each}
    return "1" if collection.table in watched else "0"


def api_spec(source: SourceSettings) -> dg.AssetSpec:
    """The SendGrid account, at the left edge of the lineage."""
    return dg.AssetSpec(
        names.api_key(source.name),
        description=f"SendGrid's API at {source.api_url}, asked with the key in {source.prefix}API_KEY.",
        group_name="sendgrid",
        kinds={"twilio"},
    )
