"""The published file as a notebook reads it: where it is, and a connection to the newest.

Belongs here: finding and opening it, and the sentences for when there is none. Does not: what is asked of it.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from sendgrid_assets.settings import load_settings

DEMO = Path("demo-data/published.duckdb")
"""Read where the settings' own file is not there."""

_opened: list[duckdb.DuckDBPyConnection] = []


class NothingToReadError(Exception):
    """There is no file, or not the source's data in it; the text says what to do."""


def connect(schema: str) -> duckdb.DuckDBPyConnection:
    """Opens the newest published file, read-only, and closes what this function opened before.

    DuckDB gives a process the file it opened first until all connections to it are closed, so an old one that was
    left open would be read again. The pipeline replaces the file and never waits for readers.

    Args:
        schema: the source's schema; its tables and views can be named without it.

    Raises:
        NothingToReadError: there is no file, or no such schema with insights in it.
        SettingsError: a `SENDGRID_` variable has a value that cannot be used.
    """
    while _opened:
        _opened.pop().close()
    file = _find()
    try:
        connection = duckdb.connect(file, read_only=True)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise NothingToReadError(
            f"{file} cannot be opened: {reason} Set SENDGRID_PUBLISHED to the file."
        ) from error
    _opened.append(connection)
    views = "SELECT schema_name FROM duckdb_views() WHERE view_name = 'email_daily' ORDER BY schema_name"
    schemas = [name for (name,) in connection.execute(views).fetchall()]
    if schema not in schemas:
        known = (
            f"set `schema` to one of: {', '.join(schemas)}" if schemas else "let this release publish it once"
        )
        raise NothingToReadError(f"{file} has no insights in a schema {schema}: {known}.")
    connection.execute("SET schema = $1", [schema])
    return connection


def _find() -> Path:
    own = load_settings().published
    if own is None:
        raise NothingToReadError(
            "SENDGRID_PUBLISHED is off, so nothing is published: set it to a file, or unset it."
        )
    for file in (own, DEMO):
        if file.is_file():
            return file
    raise NothingToReadError(
        f"There is no published file at {own.absolute()}, nor a demo's in {DEMO.parent}: start `sendgrid-assets up`"
        " (or `sendgrid-assets demo`) first, or set SENDGRID_PUBLISHED to the file."
    )
