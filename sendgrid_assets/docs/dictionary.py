"""The data dictionary: every table and column with type, meaning and an example.

Belongs here: the page, from the catalog. Does not: what tables and columns mean (`catalog`), nor the examples' making
(`examples`). `python -m sendgrid_assets.docs.dictionary` writes it; a test tells when that is due.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sendgrid_assets.catalog.bookkeeping import BOOKKEEPING_TABLES, SCHEMA
from sendgrid_assets.catalog.collection import KEEPING_COLUMNS
from sendgrid_assets.catalog.events import (
    ACTIVITY_COLUMNS,
    ACTIVITY_DESCRIPTION,
    EVENT_COLLECTIONS,
    EVENT_DOCS,
)
from sendgrid_assets.catalog.insights import INSIGHTS
from sendgrid_assets.catalog.metric_columns import DEFINED, GLOSSARY, OUR_OWN
from sendgrid_assets.catalog.objects import OBJECT_COLLECTIONS
from sendgrid_assets.catalog.paging import ByExport
from sendgrid_assets.catalog.rollups import ROLLUPS
from sendgrid_assets.warehouse.custom_fields import TABLES, view_name

from .examples import EVERY_EVENT, EVERY_OBJECT, Examples, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sendgrid_assets.catalog.collection import ObjectCollection
    from sendgrid_assets.catalog.column import Column
    from sendgrid_assets.catalog.events import EventCollection
    from sendgrid_assets.catalog.insight import Insight

FILE = Path(__file__).with_name("data_dictionary.md")

_INTRODUCTION = """\
<!-- Written by `python -m sendgrid_assets.docs.dictionary`: edit the catalog, not this page. -->

# Data dictionary

Every table and view of a source, in the source's schema (here `sendgrid`), and what is kept beside them in
`_sendgrid_assets`. The same sentences are the tables' and columns' comments in DuckDB (`duckdb_columns()`). Examples
are of a simulated account; a column without one is empty there. All instants are UTC.
"""
GROUPS = {
    "legacy_marketing": "Legacy Marketing Campaigns",
    "marketing": "Marketing Campaigns",
    "suppressions": "Suppressions",
    "account": "The account",
}
_VIEWS, _EVENTS = "Contacts with their custom fields", "Events"
_INSIGHTS, _BOOKKEEPING = "Insights", "Bookkeeping"


def page(examples: Examples) -> str:
    """The whole page.

    Args:
        examples: by table and column; columns that many tables share under `EVERY_OBJECT` and `EVERY_EVENT`.
    """
    sections = [*_objects(examples), *_events(examples), *_insights(examples), *_bookkeeping(examples)]
    contents = [
        f"- {_link(title)}" + (f": {' '.join(_link(f'`{table}`') for table in tables)}" if tables else "")
        for title, tables, _ in sections
    ]
    return "\n".join((_INTRODUCTION, *contents, "", *(text for _, _, text in sections)))


Section = tuple[str, list[str], str]
"""A heading, the tables under it, and the text from the heading on."""


def _section(title: str, introduction: str, tables: Iterable[tuple[str, str]]) -> Section:
    listed = list(tables)
    parts = [f"## {title}\n\n{introduction}\n", *(f"### `{table}`\n\n{text}\n" for table, text in listed)]
    return title, [table for table, _ in listed], "\n".join(parts)


def _objects(examples: Examples) -> Iterator[Section]:
    shared = (
        "Upserted by each sync: a row is the latest state of one object at SendGrid. Rows are never removed."
        " Every object table ends with these columns:\n\n"
        + _table(KEEPING_COLUMNS, examples.get(EVERY_OBJECT, {}))
    )
    yield _section("Object tables", shared, ())
    for group, title in GROUPS.items():
        members = [collection for collection in OBJECT_COLLECTIONS if collection.group == group]
        tables = ((one.table, _collection(one, examples.get(one.table, {}))) for one in members)
        yield _section(title, f"And the columns of every {_link('Object tables', 'object table')}.", tables)
    views = ((view_name(table), f"{_link(f'`{table}`')} and its custom fields.") for table in TABLES)
    introduction = (
        "Views: the same rows and columns, then one column for each custom field the account has defined, of the"
        " field's type (`DOUBLE`, `TIMESTAMP` or `VARCHAR`). Made anew when the definitions change."
    )
    yield _section(_VIEWS, introduction, views)


def _collection(one: ObjectCollection, values: dict[str, str]) -> str:
    method = "POST" if isinstance(one.paging, ByExport) else "GET"
    facts = [
        f"Key: {_names(one.key)}.",
        f"From [`{method} {one.path}`]({one.docs})" + (f" and `{one.details.path}`." if one.details else "."),
        f"Permission: {_names(one.scopes, ' or ')}.",
        f"Changes are {'kept' if one.history else 'not kept'} in {_kept('changes')}.",
    ]
    if one.lasting:
        facts.append("`deleted_at` is never set.")
    if one.each:
        facts.append(f"Asked for by each row of {_link(f'`{one.each.parent.table}`')}.")
    return f"{one.description}\n\n{' '.join(facts)}\n\n{_table(one.sent_columns, values)}"


def _events(examples: Examples) -> Iterator[Section]:
    own = {column.name for events in EVENT_COLLECTIONS for column in events.own_columns}
    shared = tuple(column for column in ACTIVITY_COLUMNS if column.name not in own)
    introduction = (
        f"Appended as SendGrid's [Event Webhook]({EVENT_DOCS}) posts them, each event once. A row is told by"
        " `sg_event_id` and `event`. Every event table has these columns; those of its own follow the table's name:"
        f"\n\n{_table(shared, examples.get(EVERY_EVENT, {}))}"
    )
    tables = [(one.table, _event(one, examples.get(one.table, {}))) for one in EVENT_COLLECTIONS]
    union = (
        f"{ACTIVITY_DESCRIPTION}\n\nA view, with the columns of all event tables: {_names(_own_in_order())}."
    )
    yield _section(_EVENTS, introduction, [*tables, ("activity", union)])


def _own_in_order() -> list[str]:
    """Columns that only some event tables have, in the view's order."""
    own = {column.name for events in EVENT_COLLECTIONS for column in events.own_columns}
    return [column.name for column in ACTIVITY_COLUMNS if column.name in own]


def _event(one: EventCollection, values: dict[str, str]) -> str:
    words = f"`event` is {_names(one.events, ' or ')}." if one.events else "`event` is any other word."
    own = f"\n\n{_table(one.own_columns, values)}" if one.own_columns else " No columns of its own."
    return f"{one.description} {words}{own}"


def _insights(examples: Examples) -> Iterator[Section]:
    if not INSIGHTS:
        return
    pages = ", ".join(f"{_names(metrics)} ([{page}]({GLOSSARY}/{page}))" for page, metrics in DEFINED.items())
    introduction = (
        "Views that answer what people ask of their mail. They hold no data of their own.\n\nDefinitions follow"
        f" SendGrid's glossary: {pages}. Without a word of SendGrid's: {_names(OUR_OWN)}, as each view says."
    )
    tables = ((one.view, _insight(one, examples.get(one.view, {}))) for one in INSIGHTS)
    yield _section(_INSIGHTS, introduction, tables)


def _insight(one: Insight, values: dict[str, str]) -> str:
    made_from = " ".join(_link(f"`{table}`") for table in one.reads)
    facts = f"Key: {_names(one.key)}; any of it may be NULL. Made from: {made_from}"
    return f"{one.description}\n\n{facts}\n\n{_table(one.columns, values)}"


def _bookkeeping(examples: Examples) -> Iterator[Section]:
    tables = (
        (
            f"{SCHEMA}.{one.table}",
            f"{one.description}\n\n{_table(one.columns, examples.get(f'{SCHEMA}.{one.table}', {}))}",
        )
        for one in BOOKKEEPING_TABLES
    )
    introduction = f"What the pipeline knows of itself, in schema `{SCHEMA}`, for all sources."
    yield _section(_BOOKKEEPING, introduction, tables)
    kept = "\n".join(f"- `{SCHEMA}.<source>_{one.table}`: {one.description}" for one in ROLLUPS)
    yield _section(
        "Rollups", f"Kept beside the events, for the insights; they may change in any release:\n\n{kept}", ()
    )


def _table(columns: Iterable[Column], values: dict[str, str]) -> str:
    lines = ["| column | type | meaning | example |", "|---|---|---|---|"]
    lines += [
        f"| `{column.name}` | `{column.type}` | {_cell(column.description)} | {_example(values.get(column.name))} |"
        for column in columns
    ]
    return "\n".join(lines)


def _example(value: str | None) -> str:
    """The value as code; in a table a bar must be escaped even there."""
    if value is None:
        return ""
    return f"`{_cell(' '.join(value.split()))}`" if value.strip() else "empty"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _names(columns: Iterable[str], between: str = ", ") -> str:
    return between.join(f"`{column}`" for column in columns)


def _kept(table: str) -> str:
    return _link(f"`{SCHEMA}.{table}`")


def _link(heading: str, shown: str = "") -> str:
    """A link to a heading of the page, by the name GitHub gives it."""
    kept = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return f"[{shown or heading}](#{kept.replace(' ', '-')})"


if __name__ == "__main__":
    FILE.write_text(page(read()), encoding="utf-8")
