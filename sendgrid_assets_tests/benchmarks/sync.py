"""The benchmark `sync`: both products' contacts from SendGrid's answers into a fresh warehouse.

Belongs here: our way, and the limits it is held against. Does not: the answers (`recorded_account`,
`recorded_server`), the peer (`sync_peer`).
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import duckdb
import httpx

from sendgrid_assets.api.client import Client
from sendgrid_assets.api.listing import Listing
from sendgrid_assets.api.paging import WIDTH
from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.warehouse.file import Warehouse, transaction
from sendgrid_assets.warehouse.publish import publish
from sendgrid_assets.warehouse.schema import SourceSchema
from sendgrid_assets.warehouse.sql import text
from sendgrid_assets.warehouse.stage import staged
from sendgrid_assets.warehouse.upsert import upsert

from .benchmark import Benchmark, Outcome, Target, Variant
from .recorded_account import record
from .recorded_server import JOB, serving
from .sync_content import content
from .sync_peer import dlt_pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .benchmark import Facts
    from .run import Run

KEY = "SG.benchmark.not-a-real-key"

_CONTACTS, _RECIPIENTS = 1_000_000, 200_000
_SOURCE = "sendgrid"
_TABLES = ("mc_contacts", "recipients")
_GZIP = b"\x1f\x8b"


@contextmanager
def _prepare(folder: Path, scale: float) -> Iterator[Callable[[float], Facts]]:
    account = record(
        folder,
        contacts=max(100, round(_CONTACTS * scale)),
        recipients=max(20, round(_RECIPIENTS * scale)),
    )
    with serving(account) as address:

        def facts(share: float) -> Facts:
            part = account.share(share)
            return {
                "url": f"{address}/{share:g}",
                "rows": part.contacts + part.recipients,
                "size": part.size,
            }

        yield facts


def _ours(run: Run) -> Outcome:
    warehouse = Warehouse(run.folder / "warehouse.duckdb", (SourceSchema(_SOURCE, _SOURCE),))
    with run.timed():
        with Client(KEY, run.facts["url"]) as client:
            for table in _TABLES:
                _load(run, client, table, warehouse)
        with run.part("checkpoint"):
            publish(warehouse, None)
    with duckdb.connect(warehouse.path, read_only=True) as connection:
        rows, digest = content(connection, *(f"{_SOURCE}.{table}" for table in _TABLES))
    return Outcome(
        rows, digest, {"requests": client.requests, "file MB": warehouse.path.stat().st_size / 1e6}
    )


def _load(run: Run, client: Client, table: str, warehouse: Warehouse) -> None:
    """As the upsert I/O manager does it."""
    with ExitStack() as stack:
        with run.part(f"{table} read"):
            listing = Listing(client, BY_TABLE[table])
            rows = stack.enter_context(staged(listing.blocks(), run.folder / "staging"))
        with run.part(f"{table} upserted"), warehouse.open() as connection, transaction(connection):
            upsert(
                connection,
                listing.collection,
                source=_SOURCE,
                schema=_SOURCE,
                rows=rows,
                started_at=listing.started_at,
                whole=listing.whole,
                expected=listing.expected,
                standing=listing.standing,
                partial=listing.partial,
            )


def _answers(url: str) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Every answer that ours asks for, in its order, as `contacts`, `recipients` or empty, and its bytes."""
    timeout = httpx.Timeout(60.0, connect=10.0)
    headers = {"Authorization": f"Bearer {KEY}", "Accept": "application/json"}
    with (
        httpx.Client(base_url=url, headers=headers, timeout=timeout) as api,
        httpx.Client(timeout=timeout) as plain,
    ):
        job = api.post(JOB, json={"file_type": "json"})
        yield "", iter([job.content])
        ready = api.get(f"{JOB}/{job.json()['id']}")
        yield "", iter([ready.content])
        for link in ready.json()["urls"]:
            with plain.stream("GET", link) as response:
                yield "contacts", response.iter_bytes()
        yield "", iter([api.get("/v3/contactdb/exports").content])
        for page in _pages(api):
            yield "recipients" if page.is_success else "", iter([page.content])
        yield "", iter([api.get("/v3/contactdb/recipients/count").content])


def _pages(api: httpx.Client) -> Iterator[httpx.Response]:
    """The recipients, as many pages under way at once as ours has; those asked for beyond the end too."""

    def ask(number: int) -> httpx.Response:
        return api.get("/v3/contactdb/recipients", params={"page": number, "page_size": 1000})

    with ThreadPoolExecutor(WIDTH) as pool:
        ahead = deque(pool.submit(ask, number) for number in range(1, WIDTH + 1))
        following = WIDTH + 1
        while ahead:
            page = ahead.popleft().result()
            if page.is_success:
                ahead.append(pool.submit(ask, following))
                following += 1
            yield page


def _download(run: Run) -> Outcome:
    size = requests = 0
    with run.timed():
        for what, pieces in _answers(run.facts["url"]):
            got = sum(len(piece) for piece in pieces)
            requests += 1
            size += got if what else 0
    if size != run.facts["size"]:
        raise ValueError(f"{size} bytes came instead of {run.facts['size']}")
    megabytes = size / 1e6
    return Outcome(
        run.facts["rows"],
        None,
        {"requests": requests, "MB": megabytes, "MB/s": megabytes / run.seconds},
    )


def _untyped(run: Run) -> Outcome:
    path = run.folder / "untyped.duckdb"
    with run.timed():
        with run.part("downloaded"):
            packed, plain, pages = _files(run)
        with run.part("loaded"), duckdb.connect(path) as connection:
            reads = [
                f"SELECT json FROM read_ndjson_objects({[str(file) for file in files]}, compression = {text(kind)})"
                for files, kind in ((packed, "gzip"), (plain, "uncompressed"))
                if files
            ]
            connection.execute(f"CREATE TABLE contacts AS {' UNION ALL '.join(reads)}")
            connection.execute(
                "CREATE TABLE recipients AS SELECT unnest(json_extract(json, '$.recipients[*]')) AS json"
                f" FROM read_ndjson_objects({text(pages)})"
            )
            connection.execute("CHECKPOINT")
    with duckdb.connect(path, read_only=True) as connection:
        rows = connection.execute(
            "SELECT (SELECT count(*) FROM contacts) + (SELECT count(*) FROM recipients)"
        ).fetchone()
    assert rows is not None
    return Outcome(rows[0])


def _files(run: Run) -> tuple[list[Path], list[Path], Path]:
    """The answers in files: packed exports, plain ones, and all pages in one, a line each."""
    packed: list[Path] = []
    plain: list[Path] = []
    pages = run.folder / "pages.ndjson"
    with pages.open("wb") as lines:
        for what, pieces in _answers(run.facts["url"]):
            if what == "contacts":
                file = run.folder / f"contacts_{len(packed) + len(plain)}"
                with file.open("wb") as out:
                    for piece in pieces:
                        out.write(piece)
                with file.open("rb") as written:
                    (packed if written.read(2) == _GZIP else plain).append(file)
            elif what == "recipients":
                lines.writelines([*pieces, b"\n"])
    return packed, plain, pages


SYNC = Benchmark(
    name="sync",
    what=(
        "A million contacts by export (ten files, nine of them gzip) and 200,000 legacy recipients by pages of a"
        " thousand, from a server on loopback that sends ready-made bytes, into a fresh warehouse; commit and"
        " checkpoint included."
    ),
    prepare=_prepare,
    variants=(
        Variant("ours", "ours", "`Listing`, `staged`, `upsert`, `publish`", _ours),
        Variant("download", "limit", "the same requests, as many at once, bytes thrown away", _download),
        Variant(
            "untyped",
            "reference",
            "the same, then unpacked and read by DuckDB into one JSON column",
            _untyped,
        ),
        Variant(
            "dlt",
            "peer",
            "dlt's REST client and REST API source, through Parquet, merged by key",
            dlt_pipeline,
            share=0.1,
            needs="dlt",
        ),
    ),
    targets=(
        Target("download", least=0.5),
        Target("dlt", least=10),
        Target(None, figure="peak MB", most=300),
    ),
)
