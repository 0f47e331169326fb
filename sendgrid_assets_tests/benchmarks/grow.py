"""The benchmark `grow`: a drain of ten thousand events into an empty warehouse, and into a full one.

Belongs here: the two warehouses. Does not: what the events look like (`landed_events`).
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sendgrid_assets.warehouse.drain import drain
from sendgrid_assets.warehouse.file import Warehouse
from sendgrid_assets.warehouse.schema import SourceSchema
from sendgrid_assets.webhook.landing import Landing

from .benchmark import Benchmark, Outcome, Target, Variant
from .landed_events import write
from .mail_events import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .benchmark import Facts
    from .run import Run

_EVENTS = 10_000
# About 3.2 events a message, over a year and a month; the drained ones fall into its eleventh month.
_MESSAGES = 6_300_000


def _warehouse(path: Path) -> Warehouse:
    return Warehouse(path, (SourceSchema("sendgrid", "sendgrid"),))


@contextmanager
def _prepare(folder: Path, scale: float) -> Iterator[Callable[[float], Facts]]:
    landed, full, empty = folder / "landed", folder / "full.duckdb", folder / "empty.duckdb"
    write(landed, _EVENTS, 10)
    with _warehouse(empty).open() as connection:
        connection.execute("CHECKPOINT")
    with _warehouse(full).open() as connection:
        messages = max(1000, round(_MESSAGES * scale))
        fill(connection, "sendgrid", messages)
        connection.execute("CHECKPOINT")

    def facts(share: float) -> Facts:
        del share
        return {"rows": _EVENTS, "landed": str(landed), "full": str(full), "empty": str(empty)}

    yield facts


def _drained(run: Run, into: str) -> Outcome:
    path = run.folder / "warehouse.duckdb"
    shutil.copyfile(run.facts[into], path)
    landing = Landing(run.folder / "landing", "sendgrid")
    landing.prepare()
    for file in Path(run.facts["landed"]).iterdir():
        (landing.new / file.name).write_bytes(file.read_bytes())
    os.sync()
    with run.timed():
        done = drain(_warehouse(path), landing, scratch=run.folder / "scratch", retention_days=30)
    return Outcome(done.rows.total() + done.repeated, figures={"file MB": path.stat().st_size / 1e6})


GROW = Benchmark(
    name="grow",
    what="A drain of 10,000 events into an empty warehouse, and into one of twenty million. Without a checkpoint.",
    prepare=_prepare,
    variants=(
        Variant(
            "ours", "ours", "`warehouse.drain` into twenty million events", partial(_drained, into="full")
        ),
        Variant("empty", "reference", "the same into an empty warehouse", partial(_drained, into="empty")),
    ),
    targets=(Target("empty", figure="seconds", most=1.3),),
)
