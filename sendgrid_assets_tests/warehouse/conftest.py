"""A warehouse and a landing directory of one's own, and short words for filling and reading them."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Self

import duckdb
import pytest

from sendgrid_assets.catalog.column import Column
from sendgrid_assets.catalog.events import EVENT_COLLECTIONS
from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.warehouse.casting import MACROS, left_over, typed, values
from sendgrid_assets.warehouse.drain import Drained, drain
from sendgrid_assets.warehouse.file import Warehouse, transaction
from sendgrid_assets.warehouse.publish import publish
from sendgrid_assets.warehouse.schema import SourceSchema
from sendgrid_assets.warehouse.stage import staged
from sendgrid_assets.warehouse.sync_log import SyncRun, record, utc_now
from sendgrid_assets.warehouse.upsert import Upserted, upsert
from sendgrid_assets.webhook.landing import Landing

FACTS = Path(os.environ.get("SENDGRID_FACTS_DIR") or Path(__file__).parents[3] / "shared")
SCHEMAS = (SourceSchema("sendgrid", "sendgrid"),)
TABLES = tuple(collection.table for collection in EVENT_COLLECTIONS)
T0 = 1_719_000_000

Row = dict[str, Any]


def facts(name: str) -> list[Any]:
    """A collected file's entries; the test is skipped where the file is not at hand."""
    path = FACTS / name
    if not path.is_file():
        pytest.skip(f"{path} is absent; SENDGRID_FACTS_DIR says where the collected facts are")
    return json.loads(path.read_text(encoding="utf-8"))


def at(*parts: int) -> dt.datetime:
    """An instant as the warehouse keeps it: UTC, without a zone."""
    return dt.datetime(*parts)  # noqa: DTZ001


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def event(id_: str | None = "e1", kind: str = "open", **fields: Any) -> Row:
    """An event as SendGrid posts it; `None` leaves the id out."""
    made = {"email": "casey@example.com", "event": kind, "timestamp": T0, "sg_event_id": id_} | fields
    return {key: value for key, value in made.items() if key != "sg_event_id" or value is not None}


def ndjson(lines: Iterable[Any]) -> bytes:
    """Lines as bytes; texts and bytes as they are."""
    return b"".join(_line(line) + b"\n" for line in lines)


def _line(line: Any) -> bytes:
    if isinstance(line, bytes):
        return line
    return (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)).encode()


class Store:
    """A warehouse, a landing directory, and what is put into them."""

    def __init__(self, folder: Path, template: Path | None = None) -> None:
        self.folder = folder
        self.warehouse = Warehouse(folder / "warehouse.duckdb", SCHEMAS, lock_seconds=30, foreign_seconds=0.5)
        self.landing = Landing(folder / "landing", "sendgrid")
        self.landing.prepare()
        self.published = folder / "published.duckdb"
        self._names = count()
        if template:
            shutil.copy(template, self.warehouse.path)

    def land(self, *lines: Any, name: str | None = None) -> str:
        name = name or f"{next(self._names):04}.ndjson"
        self.landing.publish(name, ndjson(lines))
        return name

    def drain(self, **kwargs: Any) -> Drained:
        return drain(
            self.warehouse,
            self.landing,
            **{"scratch": self.folder / "scratch", "retention_days": 30} | kwargs,
        )

    def load(self, *lines: Any, name: str | None = None) -> Drained:
        """Lands one file of the lines and drains."""
        self.land(*lines, name=name)
        return self.drain()

    def sync(self, table: str, *rows: Row, **kwargs: Any) -> Upserted:
        """Upserts a listing and notes it, as a sync does; what may be given is told by `sync_in`."""
        with self.warehouse.open() as connection:
            return self.sync_in(connection, table, *rows, **kwargs)

    def sync_in(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        *rows: Row,
        whole: bool = True,
        expected: int | None = None,
        started_at: dt.datetime | None = None,
        source: str = "sendgrid",
        standing: Sequence[str] = (),
        partial: bool = False,
        since: dt.datetime | None = None,
    ) -> Upserted:
        began = started_at or utc_now()
        lines = (json.dumps(row).encode() for row in rows)
        with staged(lines, self.folder / "scratch") as stage, transaction(connection):
            done = upsert(
                connection,
                BY_TABLE[table],
                source=source,
                schema=self.warehouse.schema_of(source),
                rows=stage,
                started_at=began,
                whole=whole,
                expected=expected,
                standing=standing,
                partial=partial,
            )
            run = SyncRun(
                run_id="r",
                source=source,
                table_name=table,
                started_at=began,
                ended_at=utc_now(),
                status="ok",
                complete=done.complete,
                mode="incremental" if partial or standing else "full",
                since=since,
            )
            record(connection, run)
        return done

    def change(self, **changes: Any) -> Self:
        """The warehouse with other attributes, from now on."""
        self.warehouse = replace(self.warehouse, **changes)
        return self

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self.warehouse.open() as connection:
            return connection.execute(sql, values).fetchall()

    def rows(self, table: str) -> list[Row]:
        """A table's rows; JSON columns parsed."""
        with self.warehouse.open() as connection:
            found = connection.execute(f"SELECT * FROM {table} ORDER BY ALL")
            columns = [(column[0], str(column[1])) for column in found.description]
            return [
                {
                    name: json.loads(value) if type_ == "JSON" and value is not None else value
                    for (name, type_), value in zip(columns, row, strict=True)
                }
                for row in found.fetchall()
            ]

    def activity(self, columns: str = "sg_event_id, event, duplicate_of") -> list[tuple[Any, ...]]:
        return self.query(f"SELECT {columns} FROM sendgrid.activity ORDER BY ALL")

    def rejects(self, columns: str = "reason, raw") -> list[tuple[Any, ...]]:
        return self.query(f"SELECT {columns} FROM _sendgrid_assets.rejected_events ORDER BY ALL")

    def ledger(self, columns: str = "file, events, rejected") -> list[tuple[Any, ...]]:
        return self.query(f"SELECT {columns} FROM _sendgrid_assets.loaded_files ORDER BY ALL")

    def done(self) -> list[str]:
        return sorted(path.name for path in self.landing.done.rglob("*") if path.is_file())

    def waiting(self) -> list[str]:
        return [file.name for file in self.landing.waiting()]


def commit(store: Store, id_: str) -> None:
    """One more list, the cheapest commit."""
    store.sync("lists", {"id": id_}, whole=False)


def read(path: Path) -> list[str]:
    """The ids in a published file's lists."""
    with duckdb.connect(path, read_only=True) as connection:
        return [id_ for (id_,) in connection.execute("SELECT id FROM sendgrid.lists ORDER BY id").fetchall()]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty warehouse, made once."""
    made = Store(tmp_path_factory.mktemp("template"))
    with made.warehouse.open():
        pass
    publish(made.warehouse, None)
    return made.warehouse.path


@pytest.fixture
def store(tmp_path: Path, template: Path) -> Store:
    return Store(tmp_path, template)


@pytest.fixture(scope="session")
def cast() -> Iterator[Callable[..., Row]]:
    """Reads one object into columns and `extra`, the JSON ones parsed."""
    with duckdb.connect() as connection:
        connection.execute(MACROS)

        def reading(columns: Sequence[Column], raw: str, ignored: Sequence[str] = ()) -> Row:
            numbered = list(enumerate(columns, 1))
            selected = ", ".join(f'{typed(column, number)} AS "{column.name}"' for number, column in numbered)
            row = connection.execute(
                f"SELECT * EXCLUDE (json, v), {left_over(numbered, ignored, only=True)} AS extra,"
                f" {left_over(numbered, ignored)} AS unhurried FROM (SELECT json, v, {selected}"
                f" FROM (SELECT json, {values(columns)} AS v FROM (SELECT ?::JSON AS json)))",
                [raw],
            ).fetchone()
            assert row is not None
            *row, unhurried = row
            assert row[-1] == unhurried
            parsed = {"extra", *(column.name for column in columns if column.type == "JSON")}
            return {
                name: json.loads(value) if name in parsed and value is not None else value
                for name, value in zip([*(column.name for column in columns), "extra"], row, strict=True)
            }

        yield reading
