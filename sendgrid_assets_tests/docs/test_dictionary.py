"""The data dictionary: today's, whole, and with examples that are what they are said to be."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import duckdb

from sendgrid_assets.catalog.bookkeeping import BOOKKEEPING_TABLES, SCHEMA
from sendgrid_assets.catalog.collection import KEEPING_COLUMNS
from sendgrid_assets.catalog.column import Column, added
from sendgrid_assets.catalog.events import ACTIVITY_COLUMNS, EVENT_COLLECTIONS
from sendgrid_assets.catalog.insights import INSIGHTS
from sendgrid_assets.catalog.objects import OBJECT_COLLECTIONS
from sendgrid_assets.docs import dictionary, examples

KEPT = examples.read()
PAGE = dictionary.FILE.read_text(encoding="utf-8")
EVENTS = {events.table for events in EVENT_COLLECTIONS}
OBJECTS = {collection.table for collection in OBJECT_COLLECTIONS}


def _types() -> dict[str, dict[str, str]]:
    """Each table's columns and types, by the names that examples stand under."""

    def types(columns: tuple[Column, ...]) -> dict[str, str]:
        return {column.name: column.type for column in columns}

    return (
        {examples.EVERY_OBJECT: types(KEEPING_COLUMNS), examples.EVERY_EVENT: types(ACTIVITY_COLUMNS)}
        | {one.table: types(one.sent_columns) for one in OBJECT_COLLECTIONS}
        | {one.table: types(one.own_columns) for one in EVENT_COLLECTIONS}
        | {one.view: types(one.columns) for one in INSIGHTS}
        | {f"{SCHEMA}.{one.table}": types(one.columns) for one in BOOKKEEPING_TABLES}
    )


def _told() -> dict[str, dict[str, str]]:
    """Each heading's columns and types, as the page has them."""
    told: dict[str, dict[str, str]] = {}
    for section in re.split(r"^##+ ", PAGE, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        told[heading.strip("`")] = dict(re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", text, re.MULTILINE))
    return told


def test_it_is_todays() -> None:
    assert dictionary.page(KEPT) == PAGE, "run python -m sendgrid_assets.docs.dictionary"


def test_it_has_every_column_of_a_real_warehouse(reader: duckdb.DuckDBPyConnection) -> None:
    told = _told()
    found = reader.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE NOT internal AND NOT starts_with(table_name, 'sendgrid_')"
    ).fetchall()
    assert len(found) > 1000
    for schema, table, column, type_ in found:
        heading = table if schema == "sendgrid" else f"{schema}.{table}"
        columns = dict(told[heading])
        if table in OBJECTS:
            columns |= told["Object tables"]
        elif table in EVENTS:
            columns |= told["Events"]
        elif table == "activity" or table.endswith("_with_custom_fields"):
            continue
        assert columns.get(column) == type_, (heading, column)


def test_the_union_names_the_columns_that_not_all_have() -> None:
    union = PAGE.split("### `activity`")[1].split("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", union))
    assert {column.name for column in ACTIVITY_COLUMNS} == named | set(_told()["Events"]) - {"activity"}


def test_every_link_leads_to_a_heading() -> None:
    headings = [
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    ]
    assert [heading for heading, times in Counter(headings).items() if times > 1] == []
    links = re.findall(r"\]\(#([^)]*)\)", PAGE)
    assert len(links) > 100
    assert set(links) <= set(headings)
    # The contents name every section and table.
    contents = PAGE.split("\n## ")[0]
    assert set(headings) - {"data-dictionary"} == set(re.findall(r"\]\(#([^)]*)\)", contents))


def test_every_example_is_of_its_columns_type() -> None:
    types = _types()
    with duckdb.connect() as connection:
        for table, values in KEPT.items():
            for column, value in values.items():
                type_ = types[table][column]
                (valid,) = connection.execute(
                    f"SELECT TRY_CAST(? AS {type_}) IS NOT NULL", [value]
                ).fetchone() or (0,)
                assert valid, (table, column, value)


def test_every_column_that_gets_a_value_has_an_example(filled: Path) -> None:
    found = {(table, column) for table, values in examples.examples(filled).items() for column in values}
    kept = {(table, column) for table, values in KEPT.items() for column in values}
    assert found == kept, "run python -m sendgrid_assets.docs.examples"


def test_what_is_shown_is_what_a_value_is_cut_to(reader: duckdb.DuckDBPyConnection) -> None:
    """Looked up apart from how they were found: no column with a value lacks an example."""
    for collection in OBJECT_COLLECTIONS:
        counts = ", ".join(f'count("{column.name}")' for column in collection.sent_columns)
        filled = reader.execute(f'SELECT {counts} FROM sendgrid."{collection.table}"').fetchone()
        assert filled
        having = {c.name for c, count in zip(collection.sent_columns, filled, strict=True) if count}
        assert KEPT.get(collection.table, {}).keys() == having, collection.table


def test_no_example_tells_of_a_real_address_machine_or_key() -> None:
    for table, values in KEPT.items():
        for column, value in values.items():
            hosts = re.findall(r"@([\w.-]+)", value)
            fine = re.compile(r"(\w+\.)*example[._](com|org|net)|geopod-ismtpd-\d+")
            assert [host for host in hosts if not fine.fullmatch(host)] == [], (table, column)
            assert "SG." not in value
            assert "/tmp" not in value
            assert len(value) < 300


def test_an_example_is_of_the_row_that_tells_most() -> None:
    columns = (
        added("text", "VARCHAR", ""),
        added("number", "BIGINT", ""),
        added("list", "VARCHAR[]", ""),
        added("empty", "VARCHAR", ""),
        added("elsewhere", "DOUBLE", ""),
        added("never", "JSON", ""),
    )
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE kept (text VARCHAR, number BIGINT, list VARCHAR[], empty VARCHAR,"
            " elsewhere DOUBLE, never JSON)"
        )
        connection.execute(
            "INSERT INTO kept VALUES ('', 0, [], '', 0, NULL), ('the longer', 5, ['x'], '', 0, NULL),"
            " ('short', 7, ['y'], '', NULL, NULL), ('', 9, NULL, NULL, 0.123456, NULL)"
        )
        assert examples._row(connection, ["kept"], columns) == {
            "text": "short",
            "number": "7",
            "list": "[y]",
            "empty": "",
            "elsewhere": "0.1235",
        }


def test_a_long_text_is_cut_and_places_are_hidden() -> None:
    text, json = added("text", "VARCHAR", ""), added("json", "JSON", "")
    assert examples._shown(text, "/home/me/data.duckdb at me", {"/home/me": "data", "me": "host"}) == (
        "data/data.duckdb at host"
    )
    assert examples._shown(text, "x" * 65, {}) == "x" * 64 + "…"
    assert examples._shown(text, "x" * 64, {}) == "x" * 64
    assert examples._shown(json, '"' + "x" * 65 + '"', {}) == '"' + "x" * 65 + '"'
