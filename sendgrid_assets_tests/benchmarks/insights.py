"""The benchmark `insights`: every insight read whole, over ten million events.

Belongs here: the inputs, and the ways to answer. Does not: making events (`mail_events`).
"""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from sendgrid_assets.catalog.insights import INSIGHTS
from sendgrid_assets.catalog.rollups import MAIL_EVENTS
from sendgrid_assets.warehouse.file import Warehouse
from sendgrid_assets.warehouse.rollup import refresh
from sendgrid_assets.warehouse.schema import SourceSchema
from sendgrid_assets.warehouse.sql import name

from .benchmark import Benchmark, Outcome, Target, Variant
from .mail_events import fill, fill_objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from duckdb import DuckDBPyConnection

    from .benchmark import Facts
    from .run import Run

_SOURCE = "sendgrid"
_MESSAGES = 3_000_000
_COMMIT = 30_000
_NEW = 300
_MAIL = ("timestamp", "message_id", "email", "duplicate_of")
_NEEDED = {
    "messages": (*_MAIL, "singlesend_id", "sg_template_id", "category"),
    "category_performance": (*_MAIL, "category"),
    "template_performance": (*_MAIL, "sg_template_id", "sg_template_name"),
    "single_send_performance": (*_MAIL, "singlesend_id", "singlesend_name"),
    "campaign_performance": (*_MAIL, "marketing_campaign_id", "marketing_campaign_name"),
    "bounce_reasons": ("timestamp", "email", "reason", "type", "bounce_classification", "duplicate_of"),
    "drop_reasons": ("timestamp", "email", "reason", "duplicate_of"),
    "link_clicks": (*_MAIL, "url", "singlesend_id"),
    "unsubscribes_by_group": ("timestamp", "asm_group_id", "duplicate_of"),
}
"""Columns of the events that an insight cannot do without, where they are not those of `_MAIL`."""


def _warehouse(path: Path) -> Warehouse:
    return Warehouse(path, (SourceSchema(_SOURCE, _SOURCE),))


@contextmanager
def _prepare(folder: Path, scale: float) -> Iterator[Callable[[float], Facts]]:
    messages = max(600, round(_MESSAGES * scale))
    path = folder / "events.duckdb"
    warehouse = _warehouse(path)
    events = 0
    with warehouse.open() as connection:
        for first in range(0, messages, _COMMIT):
            last = min(messages, first + _COMMIT)
            events += fill(connection, _SOURCE, messages, first=first, last=last)
        fill_objects(connection, _SOURCE, messages)
        refresh(connection, warehouse.schemas)
        connection.execute("CHECKPOINT")
    yield lambda _share: {"events": events, "messages": messages, "file": str(path)}


def _ours(run: Run) -> Outcome:
    path = run.folder / "warehouse.duckdb"
    shutil.copyfile(run.facts["file"], path)
    warehouse = _warehouse(path)
    with warehouse.open() as connection:
        messages = run.facts["messages"]
        fill(connection, _SOURCE, messages + _NEW, first=messages, last=messages + _NEW)
        began = time.perf_counter()
        new = refresh(connection, warehouse.schemas)
        refreshed = time.perf_counter() - began
    with duckdb.connect(run.facts["file"], read_only=True) as connection:
        with run.timed():
            for insight in INSIGHTS:
                with run.part(insight.view):
                    _read_whole(connection, name(_SOURCE, insight.view))
        slowest = max(run.parts, key=lambda part: run.parts[part])
        figures = {
            "slowest insight s": run.parts[slowest],
            "refresh events": new,
            "refresh s": refreshed,
            "file MB": path.stat().st_size / 1e6,
        }
        found = connection.execute(
            f"SELECT sum(delivered), sum(unique_opens) FROM {name(_SOURCE, 'email_daily')}"
        ).fetchone()
    return Outcome(run.facts["events"], str(found), figures)


def _one_pass(run: Run) -> Outcome:
    with duckdb.connect(run.facts["file"], read_only=True) as connection:
        held = {
            kind: {row[0] for row in connection.execute(f"DESCRIBE {name(_SOURCE, kind)}").fetchall()}
            for kind in MAIL_EVENTS
        }
        with run.timed():
            for insight in INSIGHTS:
                with run.part(insight.view):
                    for kind in insight.reads:
                        wanted = [c for c in _NEEDED.get(insight.view, _MAIL) if c in held.get(kind, ())]
                        if wanted:
                            _read_whole(connection, name(_SOURCE, kind), wanted)
    return Outcome(run.facts["events"])


def _by_hand(run: Run) -> Outcome:
    with (
        duckdb.connect(run.facts["file"], read_only=True) as connection,
        run.timed(),
        run.part("email_daily"),
    ):
        found = connection.execute(
            "SELECT sum(delivered), sum(opened) FROM (SELECT timestamp::DATE AS day,"
            " count(*) FILTER (event = 'delivered') AS delivered,"
            " count(DISTINCT (message_id, email)) FILTER (event = 'open') AS opened"
            f" FROM {name(_SOURCE, 'activity')} WHERE duplicate_of IS NULL GROUP BY day)"
        ).fetchone()
    return Outcome(run.facts["events"], str(found))


def _read_whole(connection: DuckDBPyConnection, table: str, columns: list[str] | None = None) -> None:
    """Reads every value of the columns, and hands out one row."""
    described = connection.execute(f"DESCRIBE {table}").fetchall()
    wanted = [(row[0], row[1]) for row in described if columns is None or row[0] in columns]
    figures = ", ".join(
        f"max({'len(' + name(column) + ')' if type_.endswith('[]') else name(column)})"
        for column, type_ in wanted
    )
    connection.execute(f"SELECT {figures} FROM {table}").fetchall()


INSIGHTS_READ = Benchmark(
    name="insights",
    what=(
        "Ten million events of three million messages; each insight is read whole, every value of every row. Before"
        " that, about a thousand new events are brought into the rollups."
    ),
    prepare=_prepare,
    variants=(
        Variant("ours", "ours", "the views, over the rollups", _ours),
        Variant(
            "one pass", "limit", "one pass over the columns of the events that each insight needs", _one_pass
        ),
        Variant(
            "by hand",
            "reference",
            "`email_daily`'s deliveries and unique opens alone, from `activity`",
            _by_hand,
        ),
    ),
    targets=(Target(None, figure="slowest insight s", most=1.0), Target("one pass", least=1.0)),
)
