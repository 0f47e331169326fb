"""dbt's `sources.yml` of everything a source has in the warehouse, from the catalog.

Belongs here: what dbt is told of tables, their keys and how fresh they should be. Does not: the tables (`catalog`).
Written for dbt 1.10 and later: freshness stands in `config`, what a test takes in `arguments`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import yaml
from croniter import CroniterError, croniter  # type: ignore[import-untyped]

from .catalog.bookkeeping import BOOKKEEPING_TABLES, SCHEMA
from .catalog.events import ACTIVITY_COLUMNS, ACTIVITY_DESCRIPTION, EVENT_COLLECTIONS
from .catalog.insights import INSIGHTS
from .catalog.objects import BY_TABLE, OBJECT_COLLECTIONS
from .settings import no_cron_line
from .warehouse.custom_fields import TABLES, view_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .catalog.column import Column
    from .settings import Settings, SourceSettings

EVENT_KEY = ("sg_event_id", "event")
"""What tells events apart: one id may come with several event types."""

_HEADER = (
    "# Printed by `sendgrid-assets dbt-sources`: print it again after an upgrade or a change of settings.\n"
)
_LATE_INTERVALS = 2
_LATE_EVENTS = dt.timedelta(days=1)
_FEWEST_TICKS, _SHORTEST_LOOK = 32, dt.timedelta(days=8)

Entry = dict[str, Any]


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as such."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, "|" if "\n" in text else None
    ),
)


def dbt_sources(settings: Settings, database: str | None = None) -> str:
    """The sources as YAML, one for each of ours and one for the bookkeeping.

    Args:
        settings: which sources there are, and what each syncs.
        database: what dbt's profile calls the published file; None where it is the profile's own database.

    Raises:
        SettingsError: `SENDGRID_SYNC_CRON` is no cron line.
    """
    late = _LATE_INTERVALS * longest_interval(settings.sync_cron)
    sources = [
        *(_source(one.name, one.schema_name, _tables(one, late)) for one in settings.sources),
        _source(SCHEMA, SCHEMA, (_table(t.table, t.description, t.columns) for t in BOOKKEEPING_TABLES)),
    ]
    if database:
        sources = [{"name": one.pop("name"), "database": database, **one} for one in sources]
    document = {"version": 2, "sources": sources}
    return _HEADER + yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def longest_interval(cron: str) -> dt.timedelta:
    """The longest time between two ticks of a cron line, of those that come within a few weeks or a few ticks.

    Raises:
        SettingsError: it is no cron line.
    """
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    try:
        ticks = croniter(cron, start)
        last, longest, seen = ticks.get_next(dt.datetime), dt.timedelta(0), 0
        while seen < _FEWEST_TICKS or last - start < _SHORTEST_LOOK:
            tick = ticks.get_next(dt.datetime)
            last, longest, seen = tick, max(longest, tick - last), seen + 1
    except CroniterError:
        raise no_cron_line(cron) from None
    return longest


def _source(name: str, schema: str, tables: Iterator[Entry]) -> Entry:
    return {"name": name, "schema": schema, "tables": list(tables)}


def _tables(source: SourceSettings, late: dt.timedelta) -> Iterator[Entry]:
    synced = source.selected if source.api_key else ()
    for collection in OBJECT_COLLECTIONS:
        config = _synced(source.name, collection.table, late) if collection.table in synced else None
        yield _table(
            collection.table, collection.description, collection.columns, key=collection.key, config=config
        )
    for contacts in TABLES:
        description = f"Table `{contacts}`, and after its columns one for each custom field of the account."
        of = BY_TABLE[contacts]
        yield _table(view_name(contacts), description, of.columns, key=of.key)
    for events in EVENT_COLLECTIONS:
        # Of a table of one event type the id alone is the key.
        key = EVENT_KEY[:1] if len(events.events) == 1 else EVENT_KEY
        yield _table(events.table, events.description, events.columns, key=key)
    posted = source.webhook_public_key or source.webhook_unsigned
    loaded = {"loaded_at_field": "loaded_at", **_warn_after(_LATE_EVENTS)} if posted else None
    yield _table("activity", ACTIVITY_DESCRIPTION, ACTIVITY_COLUMNS, key=EVENT_KEY, config=loaded)
    for insight in INSIGHTS:
        yield _table(insight.view, insight.description, insight.columns, key=insight.key, nullable=True)


def _table(
    name: str,
    description: str,
    columns: tuple[Column, ...],
    *,
    key: tuple[str, ...] = (),
    nullable: bool = False,
    config: Entry | None = None,
) -> Entry:
    """One table.

    Args:
        name: its name.
        description: what a row is.
        columns: its columns.
        key: columns that identify a row.
        nullable: whether a column of the key may be NULL, where rows may look alike.
        config: dbt's configuration of it.
    """
    entry: Entry = {"name": name, "description": description}
    if config:
        entry["config"] = config
    if len(key) > 1:
        # dbt's `unique` puts what it is given into its SQL: a row of the columns does as well as a column.
        quoted = [f'"{column}"' for column in key]
        unique: Entry = {"arguments": {"column_name": f"({', '.join(quoted)})"}}
        if nullable:
            unique["config"] = {"where": " AND ".join(f"{column} IS NOT NULL" for column in quoted)}
        entry["data_tests"] = [{"unique": unique}]
    entry["columns"] = [_column(column, key, nullable) for column in columns]
    return entry


def _column(column: Column, key: tuple[str, ...], nullable: bool) -> Entry:
    entry: Entry = {"name": column.name, "description": column.description, "data_type": column.type}
    tests = []
    if (column.name,) == key:
        tests.append("unique")
    if column.name in key and not nullable:
        tests.append("not_null")
    return {**entry, "data_tests": tests} if tests else entry


def _synced(source: str, table: str, late: dt.timedelta) -> Entry:
    """How fresh a synced table is: when a sync last ended well, since it need not touch any row.

    A table that was refused ever since is as fresh as its last refusal; one that once was readable grows old.
    """
    ended = ", ".join(f"max(ended_at) FILTER (status = '{status}')" for status in ("ok", "refused"))
    query = (
        f"SELECT coalesce({ended})\n"
        f"FROM {{{{ source('{SCHEMA}', 'sync_runs') }}}}\n"
        f"WHERE source = '{source}' AND table_name = '{table}'\n"
    )
    return {"loaded_at_query": query, **_warn_after(late)}


def _warn_after(late: dt.timedelta) -> Entry:
    minutes = int(late / dt.timedelta(minutes=1))
    count, period = (minutes, "minute") if minutes % 60 else (minutes // 60, "hour")
    return {"freshness": {"warn_after": {"count": count, "period": period}}}
