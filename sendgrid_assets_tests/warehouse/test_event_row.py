"""However an event is read into its columns, the result is what looking up each field by itself gives."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendgrid_assets.catalog.events import EVENT_COLLECTIONS, EventCollection
from sendgrid_assets.warehouse.casting import MACROS, left_over, typed, values
from sendgrid_assets.warehouse.event_row import read
from sendgrid_assets.warehouse.sql import name

from .conftest import Store, event

KEYS = sorted({column.path[0] for collection in EVENT_COLLECTIONS for column in collection.sent_columns})
ODD_KEYS = ("message_id", "custom_args", "duplicate_of", "null", "größe", 'it"s', "")
VALUES: list[Any] = [
    None,
    True,
    "",
    "0",
    "x e+ y",
    "null",
    "1719000000",
    "1719000000123",
    "1719000000.5",
    " 171900000",
    1719000000,
    1719000000123,
    -1,
    1.5,
    2**70,
    1e300,
    1e-7,
    -2.5e-300,
    "1e-7 e-mail",
    [],
    ["a", None, 1],
    {},
    {"name": "a", "id": "7"},
    {"name": None, "id": "x", "new": [None]},
    {"index": 1, "type": None},
    {"newsletter_id": 5},
    "abcdefghijklmnopqrstuv.recvd-1.0",
    "abcdefghij.lmnopqrstuv.recvd-1.0",
    "filterghijklmnopqrstuv.recvd-1.0",
    " abcdefghijklmnopqrstu.recvd-1.0",
]
OBJECTS = st.dictionaries(st.sampled_from([*KEYS, *ODD_KEYS]), st.sampled_from(VALUES), max_size=14)


@pytest.fixture(scope="module")
def connection() -> Any:
    with duckdb.connect() as connection:
        connection.execute(MACROS)
        connection.execute("CREATE TABLE lines (json JSON)")
        yield connection


def one_by_one(collection: EventCollection) -> str:
    numbered = list(enumerate(collection.sent_columns, 1))
    columns = ", ".join(f"{typed(column, number)} AS {name(column.name)}" for number, column in numbered)
    return (
        f"SELECT * EXCLUDE (json, v), {left_over(numbered)} AS custom_args FROM (SELECT json, v, {columns}"
        f" FROM (SELECT json, {values(collection.sent_columns)} AS v FROM lines))"
    )


@settings(max_examples=25, deadline=None)
@given(
    objects=st.lists(OBJECTS, min_size=1, max_size=30),
    sample=st.sets(st.sampled_from([*KEYS, *ODD_KEYS])),
    collection=st.sampled_from(EVENT_COLLECTIONS),
)
def test_every_field_is_read_alike_whatever_the_sample_shows(
    connection: duckdb.DuckDBPyConnection,
    objects: list[dict[str, Any]],
    sample: set[str],
    collection: EventCollection,
) -> None:
    connection.execute("DELETE FROM lines")
    connection.executemany("INSERT INTO lines VALUES (?)", [[json.dumps(one)] for one in objects])
    expected = connection.execute(one_by_one(collection)).fetchall()
    found = connection.execute(
        "SELECT * EXCLUDE (message_id) FROM (" + read(collection, "SELECT json FROM lines", "", sample) + ")"
    ).fetchall()
    assert found == expected


IDS = [
    ("abcdefghijklmnopqrstuv.recvd-7c9f-1.0", "abcdefghijklmnopqrstuv"),
    ("abcdefghijklmnopqrstuv.filterdrecv-1", "abcdefghijklmnopqrstuv"),
    ("abcdefghij.filteropqrs.recvd-7c9f-1.0", "abcdefghij"),
    ("abcdefghij.lmnopqrstuv.recvd-7c9f-1.0", "abcdefghij.lmnopqrstuv"),
    ("filterghijklmnopqrstuv.recvd-7c9f-1.0", None),
    ("recvdfghijklmnopqrstuv.recvd-7c9f-1.0", None),
    (" bcdefghijklmnopqrstuv.recvd-7c9f-1.0", "bcdefghijklmnopqrstuv"),
]


def test_message_ids_of_the_usual_length_are_cut_as_others_are(store: Store) -> None:
    store.load(*(event(str(n), sg_message_id=sent) for n, (sent, _) in enumerate(IDS)))
    found = store.query("SELECT message_id FROM sendgrid.open ORDER BY sg_event_id")
    assert [id_ for (id_,) in found] == [id_ for _, id_ in IDS]


def test_a_derived_id_is_the_same_in_every_release(store: Store) -> None:
    plain = event(None, "delivered", category=["a", "b"], order={"n": 1.50}, z=None, tls=1)
    store.load(plain)
    assert store.activity("sg_event_id") == [("derived-49457c0f1bf7458262fc28c550e28efc",)]


@pytest.mark.parametrize("id_", [1e300, 2**70, 1.5, True])
def test_an_id_that_is_no_text_is_known_again(store: Store, id_: Any) -> None:
    store.load(event("x") | {"sg_event_id": id_})
    again = store.load(event("x") | {"sg_event_id": id_}, event("y"))
    assert (again.repeated, len(store.activity())) == (1, 2)


def test_many_copies_of_one_content_are_one_row_and_its_copies(store: Store) -> None:
    store.load(*(event(f"e{n:05}") for n in range(20_000)))
    assert store.query(
        "SELECT count(*), count(duplicate_of), any_value(duplicate_of) FROM sendgrid.open"
    ) == [(20_000, 19_999, "e00000")]
