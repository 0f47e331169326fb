"""The assembly: from settings to what Dagster loads, with replaceable parts.

Belongs here: putting the parts together, once, for `definitions`, for tests and for other people's projects. Does
not: any part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.settings import Settings, SourceSettings, load_settings

from . import automation, names
from .event_assets import event_assets, landing_spec
from .event_checks import event_checks
from .insight_assets import insight_assets
from .published_asset import published_asset
from .resources import account_resource, warehouse_resource
from .sync_assets import api_spec, sync_asset
from .tables import tables_io_manager

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def build_definitions(
    settings: Settings | None = None,
    *,
    resources: Mapping[str, Any] | None = None,
    executor: dg.ExecutorDefinition | None = None,
) -> dg.Definitions:
    """Everything for all sources; nothing of it clashes with another project's names.

    Args:
        settings: what to build for; what the environment says by default.
        resources: replacements, by resource key: `sendgrid_warehouse`, `sendgrid_tables`, `<source>_account`.
        executor: for runs that are started by hand; jobs bring their own. None leaves it to the project that
            these definitions are merged into.

    Raises:
        SettingsError: a setting cannot be used.
    """
    settings = settings or load_settings()
    publish = [automation.publish_job()] if settings.published else []
    parts = [_source_definitions(settings, source, publish) for source in settings.sources]
    tables = [
        key
        for part in parts
        for asset in part.assets or []
        if isinstance(asset, dg.AssetsDefinition)
        for key in asset.keys
    ]
    shared = dg.Definitions(
        assets=[published_asset(settings, tables)] if settings.published else [],
        jobs=publish,
        resources={
            names.WAREHOUSE: warehouse_resource(settings),
            names.TABLES: tables_io_manager(),
            **{names.account(source.name): account_resource(source) for source in settings.sources},
            **(resources or {}),
        },
        executor=executor,
    )
    return dg.Definitions.merge(shared, *parts)


def _source_definitions(
    settings: Settings, source: SourceSettings, publish: Sequence[automation.AssetJob]
) -> dg.Definitions:
    collections = [BY_TABLE[table] for table in source.selected]
    synced = [sync_asset(source, collection) for collection in collections]
    events = event_assets(settings, source)
    sync = automation.sync_job(source, _keys(synced))
    drain = automation.drain_job(source, _keys([events]))
    return dg.Definitions(
        assets=[api_spec(source), landing_spec(settings, source), *synced, events, insight_assets(source)],
        asset_checks=[event_checks(source)],
        jobs=[sync, drain],
        schedules=[automation.sync_schedule(settings, source, sync)],
        sensors=[automation.landing_sensor(settings, source, [drain, *publish], _keys([events]))],
    )


def _keys(assets: Sequence[dg.AssetsDefinition]) -> list[dg.AssetKey]:
    return [key for asset in assets for key in asset.keys]
