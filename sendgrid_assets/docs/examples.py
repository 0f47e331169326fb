"""An example of each column's values, as a simulated account and its webhook traffic give them.

Belongs here: filling a throw-away warehouse, and choosing what to show. Does not: the page that shows it
(`dictionary`). `python -m sendgrid_assets.docs.examples` writes `examples.json`; a test tells when that is due.
"""

from __future__ import annotations

import json
import socket
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import duckdb
import httpx

from sendgrid_assets.catalog.bookkeeping import BOOKKEEPING_TABLES, SCHEMA
from sendgrid_assets.catalog.collection import KEEPING_COLUMNS
from sendgrid_assets.catalog.events import ACTIVITY_COLUMNS, EVENT_COLLECTIONS
from sendgrid_assets.catalog.insights import INSIGHTS
from sendgrid_assets.catalog.objects import OBJECT_COLLECTIONS
from sendgrid_assets.defs.build import build_definitions
from sendgrid_assets.defs.console import run_job
from sendgrid_assets.demo import API_KEY, SOURCE, Demo
from sendgrid_assets.settings import Settings, load_settings
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.running import running
from sendgrid_assets.simulator.server import create_app
from sendgrid_assets.simulator.traffic import Traffic
from sendgrid_assets.warehouse.sql import name
from sendgrid_assets.webhook import receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from duckdb import DuckDBPyConnection

    from sendgrid_assets.catalog.column import Column
    from sendgrid_assets.simulator.account import Row

FILE = Path(__file__).with_name("examples.json")
EVERY_OBJECT, EVERY_EVENT = "every object table", "every event table"
"""Under these names stand the examples of columns that many tables share."""

DAYS = 21
"""Over so many days the events are spread."""

Examples = dict[str, dict[str, str]]

_EVENTS_A_DAY = 120
_DAY_SECONDS = 86_400
_LONGEST = 64
_UNTELLING = ("", "0", "0.0", "[]", "{}", "false")
_UNKNOWN_TYPE: Row = {"event": "policy_changed", "sg_event_id": "cG9saWN5LWNoYW5nZWQtMQ"}
_NO_EVENT: Row = {"email": "nobody@example.com"}


def simulated(folder: Path) -> Settings:
    """Syncs a simulated account into a warehouse of its own, twice, and drains three weeks of its mail's events.

    Args:
        folder: an existing folder for everything it writes.

    Returns:
        the settings it was made with; its published file is what to read.

    Raises:
        RuntimeError: a run failed.
    """
    account = Account()
    with running(create_app(account, api_key=API_KEY)) as api:
        demo = Demo({"SENDGRID_DATA_DIR": str(folder)}, simulator_url=api, receiver_port=1)
        settings = load_settings({**demo.variables, "SENDGRID_COLLECTIONS": "all"})
        definitions = build_definitions(settings)
        with demo.instance() as instance:
            for job in (f"{SOURCE}_sync", f"{SOURCE}_sync", f"{SOURCE}_drain"):
                if job.endswith("_drain"):
                    _post(demo, account, settings)
                if not run_job(definitions, job, instance, partial(click.echo, err=True)):
                    raise RuntimeError(f"{job} failed: see what is said above")
                account.advance(10)
    return settings


def _post(demo: Demo, account: Account, settings: Settings) -> None:
    with running(receiver.create_app(settings)) as url, httpx.Client(timeout=30) as client:
        for age in reversed(range(DAYS)):
            # A day's own traffic, so that no message's life is spread over several days.
            traffic = Traffic(account, key=demo.key, seed=age)
            odd = [_UNKNOWN_TYPE | {"timestamp": account.now()}, _NO_EVENT] if age == 0 else []
            events = [
                event
                if "timestamp" not in event
                else event | {"timestamp": event["timestamp"] - age * _DAY_SECONDS}
                for event in (*traffic.batch(_EVENTS_A_DAY), *odd)
            ]
            traffic.post(f"{url}/webhooks/{SOURCE}", events, client).raise_for_status()


def examples(published: Path) -> Examples:
    """An example for every column that has a value anywhere in the file.

    Args:
        published: a published file, of a source named as the demo's.
    """
    # Where it was made is nobody's business.
    hidden = {str(published.parent): "data", socket.gethostname(): "host"}
    with duckdb.connect(published, read_only=True) as connection:
        rows = {told: _row(connection, tables, columns) for told, columns, tables in _wanted()}
    return {
        told: {
            column.name: _shown(column, found[column.name], hidden)
            for column in columns
            if column.name in found
        }
        for told, columns, _ in _wanted()
        if (found := rows[told])
    }


def _wanted() -> Iterable[tuple[str, tuple[Column, ...], list[str]]]:
    """Under which name, which columns, and the tables that have them."""
    objects = [name(SOURCE, collection.table) for collection in OBJECT_COLLECTIONS]
    yield EVERY_OBJECT, KEEPING_COLUMNS, objects
    for collection in OBJECT_COLLECTIONS:
        yield collection.table, collection.sent_columns, [name(SOURCE, collection.table)]
    own = {column.name for events in EVENT_COLLECTIONS for column in events.own_columns}
    shared = tuple(column for column in ACTIVITY_COLUMNS if column.name not in own)
    yield EVERY_EVENT, shared, [name(SOURCE, "activity")]
    for events in EVENT_COLLECTIONS:
        if events.own_columns:
            yield events.table, events.own_columns, [name(SOURCE, events.table)]
    for insight in INSIGHTS:
        yield insight.view, insight.columns, [name(SOURCE, insight.view)]
    for kept in BOOKKEEPING_TABLES:
        yield f"{SCHEMA}.{kept.table}", kept.columns, [name(SCHEMA, kept.table)]


def _row(connection: DuckDBPyConnection, tables: list[str], columns: tuple[Column, ...]) -> dict[str, str]:
    """The values of the row that tells most, and for what it does not those of the row that tells most of the rest.

    Of rows that tell as much, the first table's shortest.
    """
    texts = ", ".join(_text(column) for column in columns)
    names = [column.name for column in columns]
    found: dict[str, str] = {}
    rows = [
        {column: value for column, value in zip(names, row, strict=True) if value is not None}
        for table in tables
        for row in connection.execute(f"SELECT {texts} FROM {table}").fetchall()
    ]
    for tells in (_tells, bool):
        while best := max((_rest(row, found, tells) for row in rows), key=_weight, default={}):
            found |= best
    empty = {column: value for row in rows for column, value in row.items()}
    return {column: value for column in names if (value := found.get(column, empty.get(column))) is not None}


def _rest(row: Mapping[str, str], found: Mapping[str, str], tells: Callable[[str], bool]) -> dict[str, str]:
    return {column: value for column, value in row.items() if column not in found and tells(value)}


def _weight(row: Mapping[str, str]) -> tuple[int, int]:
    return len(row), -sum(map(len, row.values()))


def _tells(value: str) -> bool:
    return value not in _UNTELLING and ":null" not in value


def _text(column: Column) -> str:
    value = name(column.name)
    # Whole seconds and four digits are as good an example, and shorter.
    shorter = {"TIMESTAMP": f"date_trunc('second', {value})", "DOUBLE": f"round({value}, 4)"}
    return f"CAST({shorter.get(column.type, value)} AS VARCHAR)"


def _shown(column: Column, value: str, hidden: Mapping[str, str]) -> str:
    """The value with what is hidden replaced, and of a long text its beginning."""
    for secret, stands_in in hidden.items():
        value = value.replace(secret, stands_in)
    if column.type != "VARCHAR" or len(value) <= _LONGEST:
        return value
    return f"{value[:_LONGEST].rstrip()}…"


def read() -> Examples:
    """The examples as they are kept."""
    kept: Examples = json.loads(FILE.read_text(encoding="utf-8"))
    return kept


def write(found: Mapping[str, Mapping[str, str]]) -> None:
    """Keeps the examples."""
    FILE.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        published = simulated(Path(folder)).published
        assert published  # noqa: S101 - the demo's own settings
        write(examples(published))
