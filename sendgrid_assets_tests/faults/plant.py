"""One folder with a landing directory, a warehouse and a published file, and the settings that name them.

Belongs here: where things stand, and putting files into `new/` as another program would. Does not: what is done there
(`tasks`), what must hold there (`invariant`).
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import duckdb

from sendgrid_assets.warehouse.file import Warehouse
from sendgrid_assets.warehouse.schema import SourceSchema
from sendgrid_assets.webhook.landing import Landing

SOURCE = "sendgrid"
SCHEMAS = (SourceSchema(SOURCE, SOURCE),)


class Plant:
    """A folder that everything of one trial stands in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warehouse = Warehouse(folder / "warehouse.duckdb", SCHEMAS, lock_seconds=60, foreign_seconds=5)
        self.published = folder / "published.duckdb"
        self.landing = Landing(folder / "landing", SOURCE)
        self.scratch = folder / "scratch"
        self.log = folder / "children.log"

    def prepare(self, like: Plant | None = None) -> Plant:
        """Makes the landing directory; with a warehouse and a published file like another's."""
        self.landing.prepare()
        if like:
            shutil.copy2(like.warehouse.path, self.warehouse.path)
            shutil.copy2(like.published, self.published)
        return self

    def put(self, name: str, data: bytes) -> None:
        """A complete file in `new/`: from here on it is acknowledged."""
        self.landing.publish(name, data)

    def waiting(self) -> list[str]:
        return [file.name for file in self.landing.waiting()]

    def done(self) -> list[Path]:
        """Loaded files as they are kept, of whatever form."""
        return [path for path in self.landing.done.rglob("*") if path.is_file()]

    def query(self, sql: str, *, published: bool = False) -> list[tuple[Any, ...]]:
        """What a new process reads in the warehouse, or in the published file."""
        file = self.published if published else self.warehouse.path
        until = time.monotonic() + 10
        while True:
            try:
                with duckdb.connect(file, read_only=True) as connection:
                    return connection.execute(sql).fetchall()
            except duckdb.IOException as error:
                # A killed drain's own child may hold the lock for a moment more.
                if "lock" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def environ(self, public_key: str) -> dict[str, str]:
        """The settings of a receiver that lands here."""
        return {"SENDGRID_DATA_DIR": str(self.folder), "SENDGRID_WEBHOOK_PUBLIC_KEY": public_key}


def ndjson(events: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)
