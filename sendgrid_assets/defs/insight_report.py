"""What Dagster is told of the insights, which are current without being materialized.

Belongs here: the report at a sync's end. Does not: the assets (`insight_assets`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from sendgrid_assets.catalog.insights import INSIGHTS
from sendgrid_assets.warehouse.count import published_counts

from . import names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendgrid_assets.settings import SourceSettings
    from sendgrid_assets.warehouse.publish import Published


def report_insights(
    context: dg.InitResourceContext, published: Published, sources: Sequence[SourceSettings]
) -> None:
    """Notes how many rows each insight has, where the run was a source's sync.

    Drains are many, and each note stays in the run history: they note none.
    """
    for source in sources:
        if context.run and context.instance and context.run.job_name == names.sync_job(source.name):
            views = [insight.view for insight in INSIGHTS]
            for view, rows in published_counts(published.path, source.schema_name, views).items():
                context.instance.report_runless_asset_event(
                    dg.AssetMaterialization(
                        names.table_key(source.name, view), metadata={"dagster/row_count": rows}
                    )
                )
