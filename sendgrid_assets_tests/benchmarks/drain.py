"""The benchmarks `drain` and `drain-small`: events from landing files into the event tables, each once.

Belongs here: the inputs and the ways to load them. Does not: what the events look like (`landed_events`), dlt
(`drain_peer`).
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from sendgrid_assets.catalog.events import ACTIVITY_COLUMNS
from sendgrid_assets.warehouse.drain import drain
from sendgrid_assets.warehouse.file import Warehouse
from sendgrid_assets.warehouse.schema import SourceSchema
from sendgrid_assets.warehouse.sql import text
from sendgrid_assets.webhook.landing import Landing

from .benchmark import Benchmark, Outcome, Target, Variant
from .drain_peer import dlt_pipeline
from .landed_events import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from .benchmark import Facts
    from .run import Run

_EVENTS = 1_000_000
_OWN_FIELDS = {
    "campaign": "JSON",
    "locale": "VARCHAR",
    "order_id": "VARCHAR",
    "tenant": "VARCHAR",
    "unique_args": "JSON",
    "user_id": "BIGINT",
    "vip": "BOOLEAN",
}
_READ_AS = {"TIMESTAMP": "BIGINT", "VARCHAR[]": "JSON"}


def _prepared(files: int) -> Callable[[Path, float], AbstractContextManager[Callable[[float], Facts]]]:
    @contextmanager
    def prepare(folder: Path, scale: float) -> Iterator[Callable[[float], Facts]]:
        def facts(share: float) -> Facts:
            events = max(200, round(_EVENTS * scale * share))
            landed = folder / f"{share:g}"
            if not landed.exists():
                write(landed, events, max(1, round(files * scale * share)))
            return {"rows": events, "landed": str(landed)}

        yield facts

    return prepare


def _ours(run: Run) -> Outcome:
    warehouse = Warehouse(run.folder / "warehouse.duckdb", (SourceSchema("sendgrid", "sendgrid"),))
    landing = Landing(run.folder / "landing", "sendgrid")
    landing.prepare()
    with warehouse.open():
        pass
    for file in Path(run.facts["landed"]).iterdir():
        (landing.new / file.name).write_bytes(file.read_bytes())
    os.sync()
    with run.timed():
        with run.part("drain"):
            done = drain(warehouse, landing, scratch=run.folder / "scratch", retention_days=30)
        with run.part("checkpoint"), warehouse.open() as connection:
            connection.execute("CHECKPOINT")
    with duckdb.connect(warehouse.path, read_only=True) as connection:
        content = _content(connection, "sendgrid.activity", "epoch(timestamp)::BIGINT")
    return Outcome(
        done.rows.total() + done.repeated, content, {"file MB": warehouse.path.stat().st_size / 1e6}
    )


def _content(connection: duckdb.DuckDBPyConnection, table: str, seconds: str) -> str:
    """Which events with an id of their own there are; copies of one count once."""
    found = connection.execute(
        f"SELECT count(*), sum(h::HUGEINT) FROM (SELECT DISTINCT hash(sg_event_id, event, email, {seconds}) AS h"
        f" FROM {table} WHERE sg_event_id IS NOT NULL AND NOT starts_with(sg_event_id, 'derived-'))"
    ).fetchone()
    return str(found)


def _limit(run: Run) -> Outcome:
    sent = [column for column in ACTIVITY_COLUMNS if column.path]
    fields = {column.path[0]: _READ_AS.get(column.type, column.type) for column in sent}
    fields |= {column.path[0]: "JSON" for column in sent if len(column.path) > 1}
    columns = ", ".join(f"{text(field)}: {text(kind)}" for field, kind in (fields | _OWN_FIELDS).items())
    path = run.folder / "limit.duckdb"
    os.sync()
    with run.timed(), duckdb.connect(path) as connection:
        connection.execute(
            "CREATE TABLE events AS SELECT * FROM"
            f" read_json({text(str(Path(run.facts['landed']) / '*.ndjson'))}, columns = {{{columns}}},"
            " format = 'newline_delimited')"
        )
        connection.execute("CHECKPOINT")
    with duckdb.connect(path, read_only=True) as connection:
        rows = connection.execute("SELECT count(*) FROM events").fetchone()
        content = _content(connection, "events", '"timestamp"::BIGINT')
    assert rows is not None
    return Outcome(rows[0], content, {"file MB": path.stat().st_size / 1e6})


_READ_JSON = Variant(
    "read_json",
    "limit",
    "DuckDB's CREATE TABLE AS from `read_json` of the same files with a column for each field, and a checkpoint",
    _limit,
)

DRAIN = Benchmark(
    name="drain",
    what=(
        "A million events with custom arguments in a hundred landing files, committed to their tables, each once;"
        " checkpoint included. Events are counted as read."
    ),
    prepare=_prepared(100),
    variants=(
        Variant("ours", "ours", "`warehouse.drain`", _ours),
        _READ_JSON,
        Variant("dlt", "peer", "dlt merging them by id and type", dlt_pipeline, share=0.1, needs="dlt"),
    ),
    targets=(
        Target("read_json", least=0.5),
        Target("dlt", least=10),
        Target(None, "peak MB", most=1000),
    ),
)

DRAIN_SMALL = Benchmark(
    name="drain-small",
    what="The same events in 20,000 files.",
    prepare=_prepared(20_000),
    variants=(Variant("ours", "ours", "`warehouse.drain`", _ours), _READ_JSON),
    targets=(Target("read_json", least=0.5), Target(None, "peak MB", most=1000)),
)
