"""dlt as the peer of the benchmark `sync`: its REST API source for pages, its REST client for the export job.

Belongs here: a pipeline as dlt's documentation builds it, with the settings that were fastest when tried. Does not:
our way and the limits (`sync`).
"""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, Any

import duckdb

from .benchmark import Outcome
from .recorded_server import JOB
from .sync_content import content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .run import Run

_ROWS_A_PAGE = 10_000


def dlt_pipeline(run: Run) -> Outcome:
    """Extracts, normalises and loads both tables into DuckDB."""
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
        pipeline = dlt.pipeline(
            "sendgrid",
            pipelines_dir=str(home),
            destination=dlt.destinations.duckdb(str(path)),
            dataset_name="sendgrid",
        )
        with run.part("extracted"):
            pipeline.extract(_source(run.facts["url"]))
        with run.part("normalised"):
            pipeline.normalize()
        with run.part("loaded"):
            pipeline.load()
    with duckdb.connect(path, read_only=True) as connection:
        rows, digest = content(connection, "sendgrid.mc_contacts", "sendgrid.recipients")
    return Outcome(rows, digest, {"file MB": path.stat().st_size / 1e6})


def _source(url: str) -> Any:
    import dlt
    from dlt.sources.helpers.rest_client import RESTClient
    from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator
    from dlt.sources.rest_api import rest_api_resources

    settings = {
        "write_disposition": {"disposition": "merge", "strategy": "upsert"},
        # Lists and objects in columns of their own, as ours: a table for each takes dlt still longer.
        "max_table_nesting": 0,
        "file_format": "parquet",
    }

    @dlt.resource(name="mc_contacts", primary_key="contact_id", **settings)
    def contacts() -> Iterator[list[dict[str, Any]]]:
        client = RESTClient(url)
        job = client.post(JOB, json={"file_type": "json"}).json()["id"]
        for link in client.get(f"{JOB}/{job}").json()["urls"]:
            yield from _pages(client.session, link)

    @dlt.source(name="sendgrid")
    def sendgrid() -> Iterator[Any]:
        yield contacts
        yield from rest_api_resources(
            {
                "client": {"base_url": url},
                "resources": [
                    {
                        "name": "recipients",
                        "primary_key": "id",
                        **settings,
                        "endpoint": {
                            "path": "v3/contactdb/recipients",
                            "params": {"page_size": 1000},
                            "data_selector": "recipients",
                            "paginator": PageNumberPaginator(base_page=1, page_param="page", total_path=None),
                            "response_actions": [{"status_code": 404, "action": "ignore"}],
                        },
                    }
                ],
            }
        )

    return sendgrid()


def _pages(session: Any, link: str) -> Iterator[list[dict[str, Any]]]:
    from dlt.common import json

    with session.get(link, stream=True) as response:
        lines = _lines(response.iter_content(1 << 20))
        page = []
        for line in lines:
            page.append(json.loadb(line))
            if len(page) == _ROWS_A_PAGE:
                yield page
                page = []
        if page:
            yield page


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Lines of a file that is gzip or not."""
    unpack, rest, first = None, b"", True
    for piece in pieces:
        if first and piece.startswith(b"\x1f\x8b"):
            unpack = zlib.decompressobj(wbits=31)
        first = False
        *whole, rest = (rest + (unpack.decompress(piece) if unpack else piece)).split(b"\n")
        yield from whole
    if rest:
        yield rest
