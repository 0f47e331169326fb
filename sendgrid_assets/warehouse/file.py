"""The warehouse file: one writer at a time, opened late and closed early.

Belongs here: the lock, opening and closing DuckDB, and a transaction. Does not: what is written.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import filelock

from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.moving import make_folder

from .casting import MACROS
from .errors import WarehouseBusyError, WarehouseUnreadableError
from .schema import SourceSchema, apply
from .sql import text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from duckdb import DuckDBPyConnection

LOCK_SECONDS = 1800.0
"""How long a writer queues for its turn: the longest sync or drain should be over by then."""

FOREIGN_SECONDS = 20.0
"""How long a foreign process that holds the file is waited for."""

_MEMORY = "700MB"
_FLOOR = (1, 5)


@dataclass(frozen=True, slots=True)
class Warehouse:
    """The DuckDB file that only the pipeline opens.

    Attributes:
        path: the file; made, with its folder, when first opened.
        schemas: the sources it holds.
        lock_seconds: how long to queue behind another writer.
        foreign_seconds: how long to wait for a foreign process to let go.
    """

    path: Path
    schemas: tuple[SourceSchema, ...]
    lock_seconds: float = LOCK_SECONDS
    foreign_seconds: float = FOREIGN_SECONDS

    @property
    def wal(self) -> Path:
        """DuckDB's write-ahead log."""
        return self.path.with_name(self.path.name + ".wal")

    def schema_of(self, source: str) -> str:
        """The schema of a source.

        Raises:
            KeyError: the warehouse holds no such source.
        """
        return {schema.source: schema.schema for schema in self.schemas}[source]

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for this writer's turn and keeps it: a kernel lock, which dies with its process.

        Raises:
            WarehouseBusyError: the turn did not come in time.
            WarehouseUnreadableError: its folder cannot be used.
        """
        lock = filelock.FileLock(f"{self.path}.lock", timeout=self.lock_seconds)
        try:
            make_folder(Disk(), self.path.parent)
            lock.acquire()
        except filelock.Timeout:
            raise WarehouseBusyError(
                f"Another run has been writing to {self.path} for {self.lock_seconds:.0f} s: "
                "let it end, or end it, and start this one again."
            ) from None
        except OSError as error:
            raise WarehouseUnreadableError(
                f"{self.path.parent} cannot be used ({error.strerror}): let this user write there, or set "
                "SENDGRID_WAREHOUSE or SENDGRID_DATA_DIR to another place."
            ) from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def open(self) -> Iterator[DuckDBPyConnection]:
        """The file, in its turn and with today's structure; closed at the end, without a checkpoint.

        Raises:
            WarehouseBusyError: somebody else holds it.
            WarehouseUnreadableError: it is no DuckDB database, or was made by something else.
            NewerWarehouseError: a newer release wrote it.
        """
        with self.turn(), self.connected() as connection:
            yield connection

    @contextmanager
    def connected(self) -> Iterator[DuckDBPyConnection]:
        """As `open`, for one who has the turn."""
        _require_floor()
        if not self.path.exists():
            self._create()
        connection = self._connect()
        try:
            # Checkpoints cost as much as the inserts: one is made when publishing.
            connection.execute("PRAGMA disable_checkpoint_on_shutdown")
            connection.execute("SET checkpoint_threshold = '4GB'")
            # What 1.5 takes over from an earlier checkpoint, DuckDB 1.1 cannot find: so all of it is written anew.
            connection.execute("SET experimental_metadata_reuse = false")
            connection.execute(MACROS)
            apply(connection, self.schemas)
            yield connection
        finally:
            connection.close()

    def _create(self) -> None:
        if self.wal.exists():
            # DuckDB would replay it, unchecked, into the new file.
            raise WarehouseUnreadableError(
                f"{self.wal} is left of a warehouse that is gone: put that back with `sendgrid-assets restore`, "
                "or move this aside too."
            )
        # A kill in the first writes of a new file leaves one that never opens: so aside, then renamed.
        aside = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
        aside.unlink(missing_ok=True)
        duckdb.connect(aside).close()
        aside.rename(self.path)
        sync_folder(self.path.parent)

    def _connect(self) -> DuckDBPyConnection:
        patience = time.monotonic() + self.foreign_seconds
        while True:
            try:
                return duckdb.connect(self.path)
            except duckdb.IOException as error:
                holder = re.search(r"held in (.+?) \(PID (\d+)\)", str(error))
                if holder is None:
                    raise WarehouseUnreadableError(
                        f"{self.path} cannot be opened: {str(error).splitlines()[0]} "
                        f"Put the published file in its place with `sendgrid-assets restore`, or move "
                        f"it and {self.wal.name} aside to start anew."
                    ) from error
                if time.monotonic() > patience:
                    raise WarehouseBusyError(
                        f"Process {holder[2]} ({holder[1]}) holds {self.path}: close it there, and query the "
                        "published file instead; what is waiting is taken up by the next run."
                    ) from error
                time.sleep(0.2)


@contextmanager
def transaction(connection: DuckDBPyConnection) -> Iterator[None]:
    """All or nothing: a COMMIT after an error would succeed with nothing saved, so an error rolls back."""
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: DuckDBPyConnection) -> None:
    try:
        connection.execute("ROLLBACK")
    except duckdb.Error:
        # After a failed COMMIT there is no transaction left, or no usable database: the first error tells.
        return


def bound_memory(connection: DuckDBPyConnection) -> None:
    """Lets DuckDB go on in temporary files beside the warehouse rather than take more than 700 MB.

    For work of which there may be any amount at once. The process takes some 300 MB beside it.
    """
    less = connection.execute(
        f"SELECT parse_formatted_bytes({text(_MEMORY)}) < parse_formatted_bytes(current_setting('memory_limit'))"
    ).fetchone()
    if less and less[0]:
        connection.execute(f"SET memory_limit = {text(_MEMORY)}")


def sync_folder(folder: Path) -> None:
    """Makes a folder's entries durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_floor() -> None:
    installed = tuple(int(part) for part in duckdb.__version__.split(".")[:2])
    if installed < _FLOOR:
        raise WarehouseUnreadableError(
            f"DuckDB {duckdb.__version__} loses committed rows on a full disk: install 1.5 or later."
        )
