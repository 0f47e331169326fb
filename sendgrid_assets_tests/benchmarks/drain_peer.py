"""dlt as the peer of the benchmark `drain`: events merged by id and type into one table.

Belongs here: a pipeline as dlt's documentation builds it. Does not: our way and the limit (`drain`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from .benchmark import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .run import Run

_EVENTS_A_PAGE = 10_000


def dlt_pipeline(run: Run) -> Outcome:
    """Extracts, normalises and loads the landing files into DuckDB."""
    home = run.folder / "dlt"
    os.environ |= {
        "DLT_DATA_DIR": str(home),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
    }
    path = run.folder / "dlt.duckdb"
    with run.timed():
        with run.part("imported"):
            import dlt
        resource = dlt.resource(
            _pages(Path(run.facts["landed"])),
            name="events",
            primary_key=["sg_event_id", "event"],
            write_disposition={"disposition": "merge", "strategy": "upsert"},
            # Lists and objects in columns of their own: a table for each takes dlt still longer.
            max_table_nesting=0,
            file_format="parquet",
        )
        pipeline = dlt.pipeline(
            "sendgrid",
            pipelines_dir=str(home),
            destination=dlt.destinations.duckdb(str(path)),
            dataset_name="sendgrid",
        )
        with run.part("extracted"):
            pipeline.extract(resource)
        with run.part("normalised"):
            pipeline.normalize()
        with run.part("loaded"):
            pipeline.load()
    with duckdb.connect(path, read_only=True) as connection:
        held = connection.execute("SELECT count(*) FROM sendgrid.events").fetchone()
    assert held is not None
    assert held[0] > 0
    return Outcome(run.facts["rows"], figures={"file MB": path.stat().st_size / 1e6})


def _pages(folder: Path) -> Iterator[list[dict[str, Any]]]:
    from dlt.common import json

    page = []
    for file in sorted(folder.iterdir()):
        for line in file.read_bytes().splitlines():
            page.append(json.loadb(line))
            if len(page) == _EVENTS_A_PAGE:
                yield page
                page = []
    if page:
        yield page
