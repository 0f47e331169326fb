"""The benchmark `publish`: one more commit, and the published file replaced by one that has it.

Belongs here: the inputs and the ways to replace it. Does not: what readers make of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from sendgrid_assets.warehouse.file import Warehouse, sync_folder
from sendgrid_assets.warehouse.publish import publish
from sendgrid_assets.warehouse.schema import SourceSchema
from sendgrid_assets.warehouse.sql import text

from .benchmark import Benchmark, Outcome, Target, Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .benchmark import Facts
    from .run import Run

# A gigabyte of them, at 57 bytes each.
_ROWS = 18_000_000
_TABLE = '"sendgrid"."mc_contacts"'
_CONTACTS = """
    SELECT md5(n::VARCHAR) AS id, md5((n * 3)::VARCHAR) || '@example.com' AS email,
        md5((n * 7)::VARCHAR) AS external_id, ['Ada', 'Björn', 'Chloé', 'Elif', 'Noor'][n % 5 + 1] AS first_name,
        TIMESTAMP '2024-01-01' + to_seconds(n * 17 % 30000000) AS created_at
    FROM range({rows}) t(n)"""


def _warehouse(folder: Path) -> Warehouse:
    return Warehouse(folder / "warehouse.duckdb", (SourceSchema("sendgrid", "sendgrid"),))


@contextmanager
def _prepare(folder: Path, scale: float) -> Iterator[Callable[[float], Facts]]:
    rows = max(1000, round(_ROWS * scale))
    made: dict[float, Facts] = {}

    def facts(share: float) -> Facts:
        if share not in made:
            made[share] = _filled(folder / f"{share:g}", max(100, round(rows * share)))
        return made[share]

    yield facts


def _filled(folder: Path, rows: int) -> Facts:
    """A warehouse that is published, and in whose log stands one commit more."""
    folder.mkdir()
    warehouse = _warehouse(folder)
    with warehouse.open() as connection:
        connection.execute(f"INSERT INTO {_TABLE} BY NAME {_CONTACTS.format(rows=rows)}")
    published = folder / "published.duckdb"
    publish(warehouse, published)
    with warehouse.open() as connection:
        connection.execute(
            "INSERT INTO sendgrid.lists (id, name) SELECT n, 'list ' || n FROM range(1000) t(n)"
        )
    return {"rows": rows, "folder": str(folder), "size": published.stat().st_size}


def _replaced(
    run: Run, replace: Callable[[Warehouse, Path], object], *, checkpointed: bool = True
) -> Outcome:
    """Replaces a published file, in a copy of what was prepared.

    Args:
        run: whose.
        replace: does it.
        checkpointed: whether the commit is brought into the file before the time runs.
    """
    shutil.copytree(run.facts["folder"], run.folder, dirs_exist_ok=True)
    warehouse, published = _warehouse(run.folder), run.folder / "published.duckdb"
    if checkpointed:
        publish(warehouse, None)
    # What is still being written would be waited for by the others' fsync.
    os.sync()
    with run.timed():
        replace(warehouse, published)
    with duckdb.connect(published, read_only=True) as connection:
        held = connection.execute(
            f"SELECT count(*), sum(hash(id, email, created_at)::HUGEINT), (FROM sendgrid.lists SELECT count(*))"
            f" FROM {_TABLE}"
        ).fetchone()
    size = published.stat().st_size
    return Outcome(run.facts["rows"], str(held), {"file MB": size / 1e6, "MB/s": size / 1e6 / run.seconds})


def _ours(run: Run) -> Outcome:
    return _replaced(run, publish, checkpointed=False)


def _durably(aside: Path, published: Path) -> None:
    descriptor = os.open(aside, os.O_RDWR)
    os.fsync(descriptor)
    os.close(descriptor)
    aside.replace(published)
    sync_folder(published.parent)


def _limit(run: Run) -> Outcome:
    def replace(warehouse: Warehouse, published: Path) -> None:
        aside = published.with_name("aside")
        subprocess.run(["cp", warehouse.path, aside], check=True)
        _durably(aside, published)

    return _replaced(run, replace)


def _peer(run: Run) -> Outcome:
    def replace(warehouse: Warehouse, published: Path) -> None:
        aside = published.with_name("aside")
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH {text(warehouse.path)} AS ours (READ_ONLY)")
            connection.execute(f"ATTACH {text(aside)} AS copy")
            connection.execute("COPY FROM DATABASE ours TO copy")
        _durably(aside, published)

    return _replaced(run, replace)


PUBLISH = Benchmark(
    name="publish",
    what=(
        "A warehouse of a gigabyte gets one commit more, and the published file is durably replaced by its copy."
    ),
    prepare=_prepare,
    variants=(
        Variant("ours", "ours", "`warehouse.publish`: checkpoint, bookkeeping and copy", _ours),
        Variant("cp", "limit", "`cp`, fsync and rename, with the checkpoint made beforehand", _limit),
        Variant("COPY FROM DATABASE", "peer", "DuckDB's copy into a new file, likewise", _peer),
    ),
    targets=(
        Target("cp", least=0.9),
        Target("COPY FROM DATABASE", least=3),
        Target(None, "peak MB", most=400),
    ),
)
