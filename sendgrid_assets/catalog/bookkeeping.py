"""The bookkeeping tables, schema `_sendgrid_assets`: what was synced, loaded, rejected and published.

Belongs here: their columns. Does not: who writes them (`warehouse`).
"""

from __future__ import annotations

from dataclasses import dataclass

from .column import Column, added

SCHEMA = "_sendgrid_assets"


@dataclass(frozen=True, slots=True)
class BookkeepingTable:
    """One bookkeeping table: its name, what a row is, its columns."""

    table: str
    description: str
    columns: tuple[Column, ...]


BOOKKEEPING_TABLES = (
    BookkeepingTable(
        "sync_runs",
        "One row per collection and run that asked for it.",
        (
            added("run_id", "VARCHAR", "Dagster's id of the run."),
            added("source", "VARCHAR", "The source's name."),
            added("table_name", "VARCHAR", "The collection's table."),
            added("started_at", "TIMESTAMP", "When SendGrid was first asked (UTC)."),
            added("ended_at", "TIMESTAMP", "When the outcome was recorded (UTC)."),
            added("status", "VARCHAR", "`ok`, `refused` (not for this key or account) or `failed`."),
            added("complete", "BOOLEAN", "Whether all that was asked for was proven to have come."),
            added("fetched", "BIGINT", "Rows SendGrid sent."),
            added("inserted", "BIGINT", "Rows new to the table."),
            added("updated", "BIGINT", "Rows with a changed value, and rows that returned."),
            added("unchanged", "BIGINT", "Rows seen as they were."),
            added("deleted", "BIGINT", "Rows newly marked with `deleted_at`."),
            added("requests", "BIGINT", "Requests made."),
            added("waited_seconds", "DOUBLE", "Seconds waited for rate limits, retries and exports."),
            added("message", "VARCHAR", "Why, where it is not `ok`, or what is missing."),
            added(
                "mode", "VARCHAR", "`full`, or `incremental`: only what is new was asked for; NULL is full."
            ),
            added(
                "since",
                "TIMESTAMP",
                "The instant from which on rows were asked for (UTC); NULL for all rows.",
            ),
        ),
    ),
    BookkeepingTable(
        "changes",
        "One row per change that a sync found in a row of an object table, kept for 400 days.",
        (
            added("source", "VARCHAR", "The source's name."),
            added("table_name", "VARCHAR", "The table."),
            added("key", "JSON", "Object of the row's key, column to value."),
            added("changed_at", "TIMESTAMP", "When the sync found it (UTC)."),
            added(
                "kind",
                "VARCHAR",
                "`insert`, `update`, `delete` (no longer listed) or `return` (listed again).",
            ),
            added("before", "JSON", "Object of the changed columns with the values they had; else NULL."),
            added("after", "JSON", "Object of the changed columns with the values they have; else NULL."),
        ),
    ),
    BookkeepingTable(
        "loaded_files",
        "One row per landing file that was loaded, by source, name, size and digest.",
        (
            added("source", "VARCHAR", "The source's name."),
            added("file", "VARCHAR", "The file's name."),
            added("size", "BIGINT", "Its size in bytes."),
            added("sha256", "VARCHAR", "SHA-256 of its bytes, hexadecimal."),
            added("events", "BIGINT", "Events read from it."),
            added("rejected", "BIGINT", "Lines of it that are no loadable event."),
            added("loaded_at", "TIMESTAMP", "When it was committed (UTC)."),
        ),
    ),
    BookkeepingTable(
        "rejected_events",
        "One row per landed line or body that is no loadable event, whole and with its reason.",
        (
            added("source", "VARCHAR", "The source's name."),
            added("file", "VARCHAR", "The landing file it first came in."),
            added("line", "BIGINT", "Its line, or its place in the array, from 1; NULL for a whole file."),
            added("reason", "VARCHAR", "Why it is not in an event table."),
            added("raw", "VARCHAR", "What came; of a whole file its size and digest."),
            added("rejected_at", "TIMESTAMP", "When it was recorded (UTC)."),
        ),
    ),
    BookkeepingTable(
        "rollups",
        "One row per source: how far the tables that the insights are made from have come.",
        (
            added("source", "VARCHAR", "The source's name."),
            added("definition", "VARCHAR", "SHA-256 of what decides their content, hexadecimal."),
            added("loaded_through", "TIMESTAMP", "`loaded_at` of the newest event in them (UTC)."),
            added("events", "BIGINT", "Events in them."),
            added("refreshed_at", "TIMESTAMP", "When they last changed (UTC)."),
        ),
    ),
    BookkeepingTable(
        "published",
        "One row per publish, of which the last is kept: how fresh the published file is, and what it is made from.",
        (
            added(
                "published_at", "TIMESTAMP", "When the copy was begun (UTC); all committed before is in it."
            ),
            added("synced_at", "TIMESTAMP", "When the newest sync of any table that went well ended (UTC)."),
            added("loaded_at", "TIMESTAMP", "When the newest landing file was committed (UTC)."),
            added("sources", "JSON", "Object of each source's own `synced_at` and `loaded_at`, by its name."),
            added("warehouse", "VARCHAR", "Path of the file it is a copy of."),
            added("sendgrid_assets_version", "VARCHAR", "The release that published."),
            added("duckdb_version", "VARCHAR", "The DuckDB that wrote the file."),
            added(
                "previous_seconds", "DOUBLE", "Seconds the publish before took; NULL where that is not known."
            ),
        ),
    ),
    BookkeepingTable(
        "schema_version",
        "One row per change of the warehouse's structure; the highest version is in force.",
        (
            added("version", "BIGINT", "Version of the structure."),
            added("fingerprint", "VARCHAR", "SHA-256 of the statements that made it, hexadecimal."),
            added("applied_at", "TIMESTAMP", "When they were applied (UTC)."),
        ),
    ),
)
