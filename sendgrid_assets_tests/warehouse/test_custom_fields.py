"""The views `<table>_with_custom_fields`: a typed column for each custom field that the account has."""

from __future__ import annotations

from typing import Any

import pytest

from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.warehouse.custom_fields import TABLES, view_name

from .conftest import SCHEMAS, Row, SourceSchema, Store, at

CONTACTS = "sendgrid.mc_contacts_with_custom_fields"
RECIPIENTS = "sendgrid.recipients_with_custom_fields"


def own(store: Store, view: str) -> dict[str, tuple[str, str]]:
    """The view's columns that the table lacks: type and comment."""
    schema, name = view.split(".")
    found = store.query(
        "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE schema_name = ? AND table_name = ?"
        " ORDER BY column_index",
        [schema, name],
    )
    held = [column.name for column in BY_TABLE[name.removesuffix("_with_custom_fields")].columns]
    assert [column for column, _, _ in found][: len(held)] == held
    return {column: (type_, comment) for column, type_, comment in found[len(held) :]}


def fields(*named: tuple[str, str]) -> list[Row]:
    return [{"id": f"w{n}", "name": name, "field_type": type_} for n, (name, type_) in enumerate(named, 1)]


def values(store: Store, columns: str = '"x"') -> list[tuple[Any, ...]]:
    return store.query(f"SELECT {columns} FROM {CONTACTS} ORDER BY id")


@pytest.mark.parametrize("table", TABLES)
def test_the_view_is_there_from_the_first_and_shows_the_table(store: Store, table: str) -> None:
    view = f"sendgrid.{view_name(table)}"
    assert own(store, view) == {}
    key = BY_TABLE[table].sent_columns[0].path[0]
    store.sync(table, {key: "1", "email": "a@example.com"})
    assert store.query(f"SELECT id, email FROM {view}") == [("1", "a@example.com")]
    ((comment,),) = store.query("SELECT comment FROM duckdb_views() WHERE view_name = ?", [view_name(table)])
    assert (
        comment == f"Table `{table}`, and after its columns one for each custom field, of the field's type."
    )


def test_fields_become_typed_columns_as_soon_as_they_are_defined(store: Store) -> None:
    store.sync(
        "mc_contacts",
        {"contact_id": "1", "custom_fields": {"plan": "gold", "seats": 4.5, "born": "2000-02-03T00:00:00Z"}},
        {"contact_id": "2"},
    )
    store.sync("mc_field_definitions", *fields(("plan", "Text"), ("seats", "Number"), ("born", "Date")))
    assert own(store, CONTACTS) == {
        "plan": ("VARCHAR", "Custom field plan."),
        "seats": ("DOUBLE", "Custom field seats."),
        "born": ("TIMESTAMP", "Custom field born."),
    }
    assert values(store, "id, plan, seats, born") == [
        ("1", "gold", 4.5, at(2000, 2, 3)),
        ("2", None, None, None),
    ]


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("Number", 4, 4.0),
        ("Number", "43", 43.0),
        ("Number", "many", None),
        ("Date", "2000-02-03", at(2000, 2, 3)),
        ("Date", "2000-02-03T04:05:06Z", at(2000, 2, 3, 4, 5, 6)),
        ("Date", "2000-02-03T04:05:06+02:00", at(2000, 2, 3, 2, 5, 6)),
        ("Date", "02/03/2000", at(2000, 2, 3)),
        ("Date", "13/13/2000", None),
        ("Date", "", None),
        ("Text", 5, "5"),
        ("Text", "", ""),
        ("Text", None, None),
        ("Text", {"a": 1}, '{"a":1}'),
        ("Unheard of", "a", "a"),
    ],
)
def test_a_value_is_read_by_its_fields_type(store: Store, type_: str, value: Any, expected: Any) -> None:
    store.sync("mc_contacts", {"contact_id": "1", "custom_fields": {"x": value}})
    store.sync("mc_field_definitions", *fields(("x", type_)))
    assert values(store) == [(expected,)]


def test_legacy_fields_have_a_view_too(store: Store) -> None:
    store.sync(
        "custom_fields", {"id": 1, "name": "pet", "type": "text"}, {"id": 2, "name": "age", "type": "number"}
    )
    pairs = [{"name": "pet", "type": "text", "value": "Mo"}, {"name": "age", "type": "number", "value": "7"}]
    store.sync("recipients", {"id": "r", "custom_fields": pairs})
    assert store.query(f"SELECT pet, age FROM {RECIPIENTS}") == [("Mo", 7.0)]
    assert own(store, CONTACTS) == {}


def test_reserved_fields_have_columns_already(store: Store) -> None:
    store.sync(
        "mc_field_definitions",
        {"id": "_rf0_T", "name": "first_name", "field_type": "Text", "read_only": False},
    )
    assert own(store, CONTACTS) == {}


def test_a_name_that_is_taken_gets_an_ending(store: Store) -> None:
    names = ["Email", "plan", "PLAN", "plan_custom", "Plan", "extra"]
    store.sync("mc_field_definitions", *fields(*((name, "Text") for name in names)))
    assert [(column, comment) for column, (_, comment) in own(store, CONTACTS).items()] == [
        ("Email_custom", "Custom field Email."),
        ("plan", "Custom field plan."),
        ("PLAN_custom", "Custom field PLAN."),
        ("plan_custom_custom", "Custom field plan_custom."),
        ("Plan_custom_2", "Custom field Plan."),
        ("extra_custom", "Custom field extra."),
    ]
    store.sync("mc_contacts", {"contact_id": "1", "email": "e", "custom_fields": {"Email": "E", "Plan": "p"}})
    assert values(store, 'email, "Email_custom", "Plan_custom_2", plan') == [("e", "E", "p", None)]


@pytest.mark.parametrize(
    "name", ['it\'s "q"', "a/b~c", "$.x", "ä ö", "select", "{value}", "%", "a.b[0]", "*"]
)
def test_a_name_may_be_any_text(store: Store, name: str) -> None:
    for type_, value in (("Text", "v"), ("Number", 1), ("Date", "2000-01-01")):
        store.sync("mc_field_definitions", *fields((name, type_)))
        store.sync("mc_contacts", {"contact_id": "1", "custom_fields": {name: value}})
        quoted = name.replace('"', '""')
        ((found,),) = values(store, f'"{quoted}"')
        assert found == {"Text": "v", "Number": 1.0, "Date": at(2000, 1, 1)}[type_]


def test_a_field_without_a_name_has_no_column(store: Store) -> None:
    store.sync("mc_field_definitions", *fields(("", "Text")), {"id": "w2", "field_type": "Text"})
    assert own(store, CONTACTS) == {}


def test_columns_follow_the_definitions(store: Store) -> None:
    store.sync("mc_contacts", {"contact_id": "1", "custom_fields": {"a": "1", "b": "2"}})
    store.sync("mc_field_definitions", *fields(("b", "Text"), ("a", "Text")))
    assert list(own(store, CONTACTS)) == ["b", "a"]
    store.sync("mc_field_definitions", *fields(("b", "Number"), ("a", "Text"), ("c", "Text")))
    assert own(store, CONTACTS)["b"][0] == "DOUBLE"
    assert list(own(store, CONTACTS)) == ["b", "a", "c"]
    store.sync("mc_field_definitions", *fields(("b", "Number"), ("a", "Text"))[1:])
    assert list(own(store, CONTACTS)) == ["a"]


def test_the_view_needs_nothing_of_ours(store: Store) -> None:
    store.sync("mc_field_definitions", *fields(("n", "Number"), ("d", "Date"), ("t", "Text")))
    ((sql,),) = store.query(
        "SELECT sql FROM duckdb_views() WHERE view_name = 'mc_contacts_with_custom_fields'"
    )
    assert "sg_" not in sql


def test_a_table_that_gains_columns_does_not_break_the_view(store: Store) -> None:
    store.sync("mc_field_definitions", *fields(("x", "Text")))
    with store.warehouse.open() as connection:
        connection.execute("DROP VIEW sendgrid.mc_contacts_with_custom_fields")
        connection.execute("ALTER TABLE sendgrid.mc_contacts DROP COLUMN country")
        connection.execute("CREATE VIEW sendgrid.mc_contacts_with_custom_fields AS FROM sendgrid.mc_contacts")
        connection.execute("UPDATE _sendgrid_assets.schema_version SET fingerprint = 'older'")
    store.sync("mc_contacts", {"contact_id": "1", "custom_fields": {"x": "v"}})
    found = store.query(f"SELECT id, country, x FROM {CONTACTS}")
    assert found == [("1", None, "v")]


def test_segments_views_are_made_beside_them(store: Store) -> None:
    store.change(schemas=(SourceSchema("sendgrid", "sendgrid", segment_views=True),))
    store.sync("mc_field_definitions", *fields(("x", "Text")))
    store.sync("mc_contacts", {"contact_id": "1", "custom_fields": {"x": "v"}})
    assert values(store) == [("v",)]
    assert store.query("SELECT id FROM sendgrid.mc_contacts_view") == [("1",)]


def test_a_source_has_the_fields_of_its_own_account(store: Store) -> None:
    store.change(schemas=(*SCHEMAS, SourceSchema("marketing_eu", "eu")))
    store.sync("mc_field_definitions", *fields(("x", "Text")), source="marketing_eu")
    assert list(own(store, "eu.mc_contacts_with_custom_fields")) == ["x"]
    assert own(store, CONTACTS) == {}
