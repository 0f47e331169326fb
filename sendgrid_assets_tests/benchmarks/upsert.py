"""The benchmark `upsert`: contacts from a staged file into a table that has them, one in a hundred changed.

Belongs here: the inputs and the ways to load them. Does not: fetching (`sync`).
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.warehouse.casting import typed, values
from sendgrid_assets.warehouse.file import Warehouse, transaction
from sendgrid_assets.warehouse.schema import SourceSchema
from sendgrid_assets.warehouse.sql import name, names, text
from sendgrid_assets.warehouse.stage import Staged
from sendgrid_assets.warehouse.sync_log import utc_now
from sendgrid_assets.warehouse.upsert import upsert

from .benchmark import Benchmark, Outcome, Target, Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from duckdb import DuckDBPyConnection

    from .benchmark import Facts
    from .run import Run

_ROWS = 5_000_000
# What `staged` says of an export, which comes in texts of that size.
_LARGEST = 4 * 1024 * 1024
_CHANGED = "n % 100 = 7"
_COLLECTION = BY_TABLE["mc_contacts"]
_COLUMNS = tuple(column.name for column in _COLLECTION.sent_columns)
_SOURCE = "sendgrid"
_TABLE = name(_SOURCE, _COLLECTION.table)
_KEYED = name("keyed")


def _warehouse(path: Path) -> Warehouse:
    return Warehouse(path, (SourceSchema(_SOURCE, _SOURCE),))


def _contacts(rows: int, *, changed: bool) -> str:
    """A query for contacts as the export writes them."""
    first = f"CASE WHEN {_CHANGED} THEN 'Changed' ELSE first END" if changed else "first"
    day = f"CASE WHEN {_CHANGED} THEN 401 ELSE n % 400 END" if changed else "n % 400"
    return f"""
        SELECT concat_ws('-', h[1:8], h[9:12], h[13:16], h[17:20], h[21:]) AS contact_id,
            lower(first) || '.' || n || '@example.com' AS email, {first} AS first_name, last AS last_name,
            strftime(TIMESTAMP '2024-01-01' + to_seconds(n * 17 % 30000000), '%Y-%m-%dT%H:%M:%SZ') AS created_at,
            strftime(TIMESTAMP '2025-01-01' + to_days({day}::INTEGER), '%Y-%m-%dT%H:%M:%SZ') AS updated_at,
            {{'plan': ['free', 'gold', 'silver'][n % 3 + 1], 'loyalty_points': n % 1250}} AS custom_fields
        FROM (SELECT n, md5(n::VARCHAR) AS h, ['Ada', 'Björn', 'Chloé', 'Elif', 'Noor'][n % 5 + 1] AS first,
            ['Ahornberg', 'Castelli', 'Dunmore', 'Kestrel'][n // 5 % 4 + 1] AS last FROM range({rows}) t(n))"""


@contextmanager
def _prepare(folder: Path, scale: float) -> Iterator[Callable[[float], Facts]]:
    rows = max(100, round(_ROWS * scale))
    before, after = folder / "before.ndjson", folder / "after.ndjson"
    with duckdb.connect() as connection:
        for file, changed in ((before, False), (after, True)):
            query = _contacts(rows, changed=changed)
            connection.execute(f"COPY ({query}) TO {text(file)} (FORMAT json)")
    ours, keyed = folder / "ours.duckdb", folder / "keyed.duckdb"
    _fill_ours(ours, before, rows)
    before.unlink()
    _fill_keyed(keyed, ours)

    def facts(share: float) -> Facts:
        staged = max(1, round(rows * share))
        stage = after if share == 1 else _first(after, staged, folder / f"after-{share:g}.ndjson")
        return {"rows": staged, "stage": str(stage), "ours": str(ours), "keyed": str(keyed)}

    yield facts


def _first(source: Path, lines: int, target: Path) -> Path:
    if not target.exists():
        with source.open("rb") as whole, target.open("wb") as part:
            part.writelines(islice(whole, lines))
    return target


def _fill_ours(path: Path, stage: Path, rows: int) -> None:
    with _warehouse(path).open() as connection:
        with transaction(connection):
            _upsert(connection, Staged(stage, rows, _LARGEST))
        connection.execute("CHECKPOINT")


def _fill_keyed(path: Path, ours: Path) -> None:
    columns = ", ".join(f"{name(column.name)} {column.type}" for column in _COLLECTION.sent_columns)
    with _warehouse(path).open() as connection:
        connection.execute(f"CREATE TABLE {_KEYED} ({columns}, PRIMARY KEY ({names(_COLLECTION.key)}))")
        connection.execute(f"ATTACH {text(ours)} AS ours (READ_ONLY)")
        connection.execute(f"INSERT INTO {_KEYED} SELECT {names(_COLUMNS)} FROM ours.{_TABLE}")
        connection.execute("CHECKPOINT")


def _upsert(connection: DuckDBPyConnection, rows: Staged) -> None:
    upsert(
        connection,
        _COLLECTION,
        source=_SOURCE,
        schema=_SOURCE,
        rows=rows,
        started_at=utc_now(),
        whole=True,
        expected=rows.rows,
    )


def _typed(stage: Path) -> str:
    """The staged rows with ours' reader and casts, and nothing else."""
    columns = ", ".join(
        f"{typed(column, number)} AS {name(column.name)}"
        for number, column in enumerate(_COLLECTION.sent_columns, 1)
    )
    read = f"read_ndjson_objects({text(stage)}, maximum_object_size = {_LARGEST})"
    return f"SELECT {columns} FROM (SELECT json, {values(_COLLECTION.sent_columns)} AS v FROM {read})"


def _loaded(run: Run, prepared: str, table: str, load: Callable[[DuckDBPyConnection], object]) -> Outcome:
    """Loads into a copy of a prepared warehouse."""
    path = run.folder / "warehouse.duckdb"
    shutil.copyfile(run.facts[prepared], path)
    # What is still being written would be waited for by the commit.
    os.sync()
    warehouse = _warehouse(path)
    with run.timed(), ExitStack() as stack:
        with run.part("open"):
            connection = stack.enter_context(warehouse.open())
        with run.part("load"), transaction(connection):
            load(connection)
        with run.part("checkpoint"):
            connection.execute("CHECKPOINT")
    with duckdb.connect(path, read_only=True) as connection:
        hashes = " + ".join(f"hash({name(column)}::VARCHAR)::HUGEINT" for column in _COLUMNS)
        held = connection.execute(f"SELECT count(*), sum({hashes}) FROM {table}").fetchone()
    assert held is not None
    return Outcome(run.facts["rows"], f"{held[0]} {held[1]}", {"file MB": path.stat().st_size / 1e6})


def _ours(run: Run) -> Outcome:
    stage = Staged(Path(run.facts["stage"]), run.facts["rows"], _LARGEST)
    return _loaded(run, "ours", _TABLE, lambda connection: _upsert(connection, stage))


def _limit(run: Run) -> Outcome:
    key = " AND ".join(f"t.{name(column)} = s.{name(column)}" for column in _COLLECTION.key)
    rest = [column for column in _COLUMNS if column not in _COLLECTION.key]
    differs = " OR ".join(f"t.{name(column)} IS DISTINCT FROM s.{name(column)}" for column in rest)
    taken = ", ".join(f"{name(column)} = s.{name(column)}" for column in rest)
    merge = (
        f"MERGE INTO {_TABLE} AS t USING ({_typed(Path(run.facts['stage']))}) AS s ON {key}"
        f" WHEN MATCHED AND ({differs}) THEN UPDATE SET {taken}"
        f" WHEN NOT MATCHED THEN INSERT ({names(_COLUMNS)})"
        f" VALUES ({', '.join(f's.{name(column)}' for column in _COLUMNS)})"
    )
    return _loaded(run, "ours", _TABLE, lambda connection: connection.execute(merge))


def _keyed(run: Run) -> Outcome:
    insert = f"INSERT OR REPLACE INTO {_KEYED} BY NAME {_typed(Path(run.facts['stage']))}"
    return _loaded(run, "keyed", _KEYED, lambda connection: connection.execute(insert))


UPSERT = Benchmark(
    name="upsert",
    what=(
        "Five million contacts, staged as NDJSON, into a table that has them all, one in a hundred with other values;"
        " commit and checkpoint included."
    ),
    prepare=_prepare,
    variants=(
        Variant("ours", "ours", "`warehouse.upsert`", _ours),
        Variant(
            "bare MERGE", "limit", "one MERGE of the same file with the same casts, and nothing else", _limit
        ),
        Variant(
            "keyed table",
            "peer",
            "INSERT OR REPLACE into the same table with a primary key",
            _keyed,
            share=0.05,
        ),
    ),
    targets=(
        Target("bare MERGE", least=0.8),
        Target("keyed table", least=3),
    ),
)
