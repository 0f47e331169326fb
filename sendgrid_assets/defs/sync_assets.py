"""The object collections as assets: one factory, one asset per catalog entry.

Belongs here: from a catalog entry to an asset that hands its listing to the I/O manager. Does not: anything that
differs between collections, which is the catalog's.
"""

from collections.abc import Iterator

import dagster as dg

from sendgrid_assets.api.errors import RefusedError, SendGridError
from sendgrid_assets.api.listing import Listing
from sendgrid_assets.catalog.collection import ObjectCollection
from sendgrid_assets.settings import SourceSettings
from sendgrid_assets.warehouse import sync_log

from . import names
from .resources import WarehouseResource
from .table_metadata import described, table_metadata

READABLE = "readable"
"""Check on every sync asset: whether SendGrid lets this key and account read the collection."""


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
        # A refused collection hands out nothing, and fails nothing.
        output_required=False,
        check_specs=[
            dg.AssetCheckSpec(
                READABLE,
                asset=key,
                description="Whether SendGrid lets this key and account read the collection.",
            )
        ],
    )
    def collection_asset(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.Output[Listing] | dg.AssetCheckResult]:
        client = getattr(context.resources, account).client
        resource: WarehouseResource = getattr(context.resources, warehouse)
        asked, began = client.requests, sync_log.utc_now()

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
            listing = Listing(client, collection)
        except RefusedError as error:
            note("refused", error)
            if collection.table in source.named:
                raise dg.Failure(
                    f"{error} It is named in {source.prefix}COLLECTIONS: grant it, or take it out there.",
                    allow_retries=False,
                ) from error
            context.log.warning(str(error))
            yield dg.AssetCheckResult(
                passed=False, check_name=READABLE, severity=dg.AssetCheckSeverity.WARN, description=str(error)
            )
            return
        except SendGridError as error:
            note("failed", error)
            raise dg.Failure(str(error), metadata={"endpoint": collection.path}) from error
        yield dg.AssetCheckResult(passed=True, check_name=READABLE)
        yield dg.Output(listing)

    return collection_asset


def api_spec(source: SourceSettings) -> dg.AssetSpec:
    """The SendGrid account, at the left edge of the lineage."""
    return dg.AssetSpec(
        names.api_key(source.name),
        description=f"SendGrid's API at {source.api_url}, asked with the key in {source.prefix}API_KEY.",
        group_name="sendgrid",
        kinds={"twilio"},
    )
