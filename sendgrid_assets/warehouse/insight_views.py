"""The insights' views: their SQL files, with a source's own names filled in.

Belongs here: reading the files of `insights/` and what their placeholders stand for. Does not: the questions
themselves (`insights/*.sql`), nor what their columns mean (`catalog.insights`).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from sendgrid_assets.catalog.bookkeeping import SCHEMA
from sendgrid_assets.catalog.insights import INSIGHTS
from sendgrid_assets.catalog.rollups import ROLLUPS

from .rollup_tables import table
from .sql import name, text

if TYPE_CHECKING:
    from collections.abc import Iterator


def creation(source: str, schema: str, time_zone: str) -> Iterator[str]:
    """Statements that make all views of a source, in an order in which each finds those it reads.

    Args:
        source: the source's name.
        schema: its schema.
        time_zone: IANA name of the zone in which days begin and end.
    """
    for insight in INSIGHTS:
        query = select(insight.view, source, schema, time_zone)
        yield f"CREATE OR REPLACE VIEW {name(schema, insight.view)} AS {query}"


def select(view: str, source: str, schema: str, time_zone: str) -> str:
    """The query of one view.

    In the files `$schema` is the source's schema, `$messages`, `$message_days`, `$clicks` and `$recipients` are its
    rollups, `$changes` is the table of changes, `$source` the source's name and `$zone` the time zone, both as text.
    """
    return _template(view).substitute(
        schema=name(schema),
        source=text(source),
        zone=text(time_zone),
        changes=name(SCHEMA, "changes"),
        **{rollup.table: table(source, rollup) for rollup in ROLLUPS},
    )


@cache
def _template(view: str) -> Template:
    return Template(files(__package__).joinpath("insights", f"{view}.sql").read_text(encoding="utf-8"))
