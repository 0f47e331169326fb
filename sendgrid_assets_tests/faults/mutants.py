"""Wrong ways to do it, each applied to a child's process: a check that lets one pass proves nothing.

Belongs here: the mutants, made at seams that stay: the statements, the calls of `Disk`. Does not: the checks.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from typing import Any

from sendgrid_assets.catalog.events import EVENT_COLLECTIONS
from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.landing import Landing

from . import failpoints

_TABLES = "|".join(collection.table for collection in EVENT_COLLECTIONS)
_LEDGER_ENTRY = re.compile(r'\s*INSERT INTO "?_sendgrid_assets"?\."?loaded_files"?')
_READ = re.compile(rf'(?<!INTO )("sendgrid"\."(?:{_TABLES})")')


def no_transaction() -> None:
    """Every statement is committed by itself."""

    def execute(connection: Any, sql: str, *args: Any) -> Any:
        return connection.execute("SELECT 1" if sql in ("BEGIN", "COMMIT", "ROLLBACK") else sql, *args)

    failpoints.through(execute)


def ledger_outside() -> None:
    """The ledger's entries are committed after the rows."""
    open_: list[bool] = []

    def execute(connection: Any, sql: str, *args: Any) -> Any:
        if sql == "BEGIN":
            open_[:] = [True]
        if _LEDGER_ENTRY.match(sql) and open_:
            connection.execute("COMMIT")
            open_.clear()
        if sql == "COMMIT" and not open_:
            return connection.execute("SELECT 1")
        return connection.execute(sql, *args)

    failpoints.through(execute)


def no_deduplication() -> None:
    """What is there already is not seen."""

    def execute(connection: Any, sql: str, *args: Any) -> Any:
        return connection.execute(_READ.sub(r"(SELECT rowid, * FROM \1 LIMIT 0)", sql), *args)

    failpoints.through(execute)


def taken_before_commit() -> None:
    """Files are gone from `new/` before their transaction is committed."""
    listing = Landing.waiting
    plants: list[Landing] = []
    prepare = Landing.prepare

    def noted(self: Landing) -> None:
        plants[:] = [self]
        prepare(self)

    def execute(connection: Any, sql: str, *args: Any) -> Any:
        if _LEDGER_ENTRY.match(sql):
            for file in listing(plants[0]):
                file.path.unlink()
        return connection.execute(sql, *args)

    Landing.prepare = noted  # type: ignore[method-assign]
    failpoints.through(execute)


def answered_before_written() -> None:
    """Bytes are written a moment after they were said to be durable."""
    write = Disk.write

    def later(self: Disk, descriptor: int, data: bytes) -> None:
        own = os.dup(descriptor)

        def done() -> None:
            write(self, own, data)
            os.close(own)

        threading.Timer(0.2, done).start()

    Disk.write = later  # type: ignore[method-assign]


MUTANTS: dict[str, Callable[[], None]] = {
    mutant.__name__: mutant
    for mutant in (
        no_transaction,
        ledger_outside,
        taken_before_commit,
        no_deduplication,
        answered_before_written,
    )
}
