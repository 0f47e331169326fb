"""Wrong ways to do it, each applied to a child's process: a check that lets one pass proves nothing.

Belongs here: the mutants, made at seams that stay: the statements, the calls of `Disk`. Does not: the checks.
"""

from __future__ import annotations

import os
import re
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sendgrid_assets.catalog.events import EVENT_COLLECTIONS
from sendgrid_assets.warehouse.copying import copy_aside
from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.landing import Landing

from . import failpoints

_TABLES = "|".join(collection.table for collection in EVENT_COLLECTIONS)
_LEDGER_ENTRY = re.compile(r'\s*INSERT INTO "?_sendgrid_assets"?\."?loaded_files"?')
_FILE_REJECTED = re.compile(
    r'\s*INSERT INTO "?_sendgrid_assets"?\."?rejected_events"? BY NAME SELECT \* FROM \(SELECT \?'
)
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


def no_file_fsync() -> None:
    """No file's bytes are made durable."""
    _fsyncs_only(stat.S_ISDIR)


def no_folder_fsync() -> None:
    """No folder's entries are made durable."""
    _fsyncs_only(lambda mode: not stat.S_ISDIR(mode))


def no_fsync_beside_the_warehouse() -> None:
    """The entry of the warehouse's log, in which the commits stand, is not made durable."""
    _fsyncs(lambda descriptor: not Path(f"/proc/self/fd/{descriptor}", "warehouse.duckdb").exists())


def named_before_fsync() -> None:
    """Files get their names before their bytes are durable."""
    fsync = os.fsync
    waiting: list[int] = []

    def later(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            fsync(descriptor)
        else:
            waiting.append(os.dup(descriptor))

    def then(named: Callable[..., None]) -> Callable[..., None]:
        def call(*args: Any, **kwargs: Any) -> None:
            named(*args, **kwargs)
            while waiting:
                fsync(waiting[-1])
                os.close(waiting.pop())

        return call

    os.fsync = later  # type: ignore[assignment]
    for name in ("link", "rename", "replace"):
        setattr(os, name, then(getattr(os, name)))


def set_aside_before_commit() -> None:
    """A file is in `rejected/` before its row is committed."""
    landings: list[Landing] = []
    prepare = Landing.prepare

    def noted(self: Landing) -> None:
        landings[:] = [self]
        prepare(self)

    def execute(connection: Any, sql: str, *args: Any) -> Any:
        if _FILE_REJECTED.match(sql):
            _, name, reason, *_ = args[0]
            landings[0].set_aside(next(one for one in landings[0].waiting() if one.name == name), reason)
        return connection.execute(sql, *args)

    Landing.prepare = noted  # type: ignore[method-assign]
    failpoints.through(execute)


def published_before_checkpoint() -> None:
    """The file is published without what stands in the log, and again with it."""

    def execute(connection: Any, sql: str, *args: Any) -> Any:
        if sql == "CHECKPOINT":
            main = Path(
                connection.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchone()[0]
            )
            published = main.with_name("published.duckdb")
            copy_aside(main, published).replace(published)
        return connection.execute(sql, *args)

    failpoints.through(execute)


def _fsyncs_only(kind: Callable[[int], bool]) -> None:
    _fsyncs(lambda descriptor: kind(os.fstat(descriptor).st_mode))


def _fsyncs(made: Callable[[int], bool]) -> None:
    fsync = os.fsync

    def some(descriptor: int) -> None:
        if made(descriptor):
            fsync(descriptor)

    os.fsync = some  # type: ignore[assignment]


MUTANTS: dict[str, Callable[[], None]] = {
    mutant.__name__: mutant
    for mutant in (
        no_transaction,
        ledger_outside,
        taken_before_commit,
        no_deduplication,
        answered_before_written,
        no_file_fsync,
        no_folder_fsync,
        no_fsync_beside_the_warehouse,
        named_before_fsync,
        set_aside_before_commit,
        published_before_checkpoint,
    )
}
