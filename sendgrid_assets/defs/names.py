"""Names that Dagster shows and users' scripts rely on.

Belongs here: asset keys, job, schedule, sensor and resource names, by source. Does not: definitions.
"""

from __future__ import annotations

import dagster as dg

PUBLISHED = dg.AssetKey(["warehouse", "published"])
WAREHOUSE = "sendgrid_warehouse"
TABLES = "sendgrid_tables"
PUBLISH_JOB = "publish"


def table_key(source: str, table: str) -> dg.AssetKey:
    """The asset of a table."""
    return dg.AssetKey([source, table])


def api_key(source: str) -> dg.AssetKey:
    """The external asset that stands for the source's SendGrid account."""
    return dg.AssetKey([source, "sendgrid_api"])


def landing_key(source: str) -> dg.AssetKey:
    """The external asset that stands for the source's landing directory."""
    return dg.AssetKey([source, "landing"])


def account(source: str) -> str:
    """The resource that asks SendGrid."""
    return f"{source}_account"


def sync_job(source: str) -> str:
    """The job that syncs the source's object collections."""
    return f"{source}_sync"


def drain_job(source: str) -> str:
    """The job that loads the source's events."""
    return f"{source}_drain"


def landing_sensor(source: str) -> str:
    """The sensor that asks for the source's drains."""
    return f"{source}_landing"
