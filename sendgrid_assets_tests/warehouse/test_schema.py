"""The structure follows the catalog: made once, commented, and only ever added to."""

from __future__ import annotations

import datetime as dt

import pytest

from sendgrid_assets.catalog.bookkeeping import BOOKKEEPING_TABLES
from sendgrid_assets.catalog.events import ACTIVITY_COLUMNS, EVENT_COLLECTIONS
from sendgrid_assets.catalog.insights import INSIGHTS
from sendgrid_assets.catalog.objects import OBJECT_COLLECTIONS
from sendgrid_assets.catalog.rollups import ROLLUPS
from sendgrid_assets.warehouse.custom_fields import TABLES as WITH_CUSTOM_FIELDS
from sendgrid_assets.warehouse.custom_fields import view_name
from sendgrid_assets.warehouse.errors import NewerWarehouseError
from sendgrid_assets.warehouse.schema import VERSION, SourceSchema
from sendgrid_assets.warehouse.sync_log import latest

from .conftest import SCHEMAS, T0, TABLES, Store, event

OBJECTS = tuple(collection.table for collection in OBJECT_COLLECTIONS)
VERSIONS = "SELECT version, fingerprint FROM _sendgrid_assets.schema_version ORDER BY applied_at"


def columns(store: Store, schema: str) -> dict[tuple[str, str], tuple[str, str | None]]:
    found = store.query(
        "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE schema_name = ?",
        [schema],
    )
    return {(table, column): (type_, comment) for table, column, type_, comment in found}


def test_every_table_of_the_catalog_has_its_columns_types_and_comments(store: Store) -> None:
    wanted = {
        (collection.table, column.name): (column.type, column.description)
        for collection in (*OBJECT_COLLECTIONS, *EVENT_COLLECTIONS)
        for column in collection.columns
    }
    wanted |= {("activity", column.name): (column.type, column.description) for column in ACTIVITY_COLUMNS}
    wanted |= {
        (view_name(collection.table), column.name): (column.type, column.description)
        for collection in OBJECT_COLLECTIONS
        if collection.table in WITH_CUSTOM_FIELDS
        for column in collection.columns
    }
    wanted |= {
        (insight.view, column.name): (column.type, column.description)
        for insight in INSIGHTS
        for column in insight.columns
    }
    assert columns(store, "sendgrid") == wanted
    kept = [(kept.table, kept.columns) for kept in BOOKKEEPING_TABLES]
    kept += [(f"sendgrid_{rollup.table}", rollup.columns) for rollup in ROLLUPS]
    assert columns(store, "_sendgrid_assets") == {
        (table, column.name): (column.type, column.description) for table, held in kept for column in held
    }


def test_every_table_and_view_has_a_comment(store: Store) -> None:
    tables = dict(store.query("SELECT schema_name || '.' || table_name, comment FROM duckdb_tables()"))
    assert tables["sendgrid.lists"] == "One row per legacy contact list."
    assert all(tables.values())
    assert len(tables) == len(OBJECTS) + len(TABLES) + len(BOOKKEEPING_TABLES) + len(ROLLUPS)
    views = dict(store.query("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal"))
    assert views["activity"].startswith("One row per event of any type")
    assert {insight.view: insight.description for insight in INSIGHTS}.items() <= views.items()


def test_no_table_has_an_index_or_a_constraint(store: Store) -> None:
    assert store.query("SELECT 1 FROM duckdb_indexes() UNION ALL SELECT 1 FROM duckdb_constraints()") == []


def test_a_second_opening_changes_nothing(store: Store) -> None:
    before = store.query(VERSIONS)
    assert len(before) == 1
    assert store.query(VERSIONS) == before
    assert before[0][0] == VERSION


def test_a_warehouse_of_an_older_release_gains_columns_and_keeps_rows(store: Store) -> None:
    store.sync("lists", {"id": 1, "name": "a", "recipient_count": 5})
    store.load(event("A", ip="::1", singlesend_id="s"), "torn")
    with store.warehouse.open() as connection:
        for statement in (
            "DROP VIEW sendgrid.activity",
            "ALTER TABLE sendgrid.lists DROP COLUMN recipient_count",
            "ALTER TABLE sendgrid.open DROP COLUMN singlesend_id",
            "ALTER TABLE _sendgrid_assets.loaded_files DROP COLUMN rejected",
            "DROP TABLE sendgrid.click",
            "COMMENT ON COLUMN sendgrid.lists.name IS 'old'",
            "UPDATE _sendgrid_assets.schema_version SET version = 0, fingerprint = 'older'",
        ):
            connection.execute(statement)
    (row,) = store.rows("sendgrid.lists")
    assert (row["id"], row["name"], row["recipient_count"]) == ("1", "a", None)
    assert store.activity("sg_event_id, ip, singlesend_id") == [("A", "::1", None)]
    assert store.ledger("events, rejected") == [(1, None)]
    assert store.rejects() == [("not_json", "torn")]
    assert columns(store, "sendgrid")["lists", "name"] == ("VARCHAR", "The list's name.")
    assert [version for version, _ in store.query(VERSIONS)] == [0, VERSION]
    assert store.sync("lists", {"id": 1, "name": "a", "recipient_count": 6}).updated == 1
    assert store.load(event("C", "click"), event("B", singlesend_id="s")).rows == {"click": 1, "open": 1}


def test_runs_noted_before_listings_could_be_incremental_are_full_ones(store: Store) -> None:
    store.sync("lists", {"id": 1, "name": "a"})
    with store.warehouse.open() as connection:
        for statement in (
            "ALTER TABLE _sendgrid_assets.sync_runs DROP COLUMN mode",
            "ALTER TABLE _sendgrid_assets.sync_runs DROP COLUMN since",
            "DROP TABLE _sendgrid_assets.changes",
            "DROP VIEW sendgrid.recipients_with_custom_fields",
            "UPDATE _sendgrid_assets.schema_version SET fingerprint = 'older'",
        ):
            connection.execute(statement)
        (before,) = connection.execute("SELECT * FROM _sendgrid_assets.sync_runs").fetchall()
    assert store.query("SELECT * FROM _sendgrid_assets.sync_runs") == [(*before, None, None)]
    with store.warehouse.open() as connection:
        last = latest(connection, "sendgrid", "lists")
    assert last is not None
    assert (last.status, last.complete, last.mode, last.since) == ("ok", True, "full", None)
    assert store.sync("lists", {"id": 1, "name": "b"}, partial=True, since=last.started_at).updated == 1
    assert store.query("SELECT mode, since FROM _sendgrid_assets.sync_runs ORDER BY started_at") == [
        (None, None),
        ("incremental", last.started_at),
    ]
    assert store.query("SELECT kind FROM _sendgrid_assets.changes") == [("update",)]
    assert store.query("SELECT * FROM sendgrid.recipients_with_custom_fields") == []


def test_a_column_of_another_release_is_left_alone(store: Store) -> None:
    store.query("ALTER TABLE sendgrid.lists ADD COLUMN mine VARCHAR")
    store.query("UPDATE _sendgrid_assets.schema_version SET fingerprint = 'other'")
    store.sync("lists", {"id": 1})
    assert store.query("SELECT id, mine FROM sendgrid.lists") == [("1", None)]


def test_a_warehouse_of_a_newer_release_is_refused_and_left_alone(store: Store) -> None:
    store.load(event("A"))
    store.query("UPDATE _sendgrid_assets.schema_version SET version = 99")
    before = (store.warehouse.path.read_bytes(), store.warehouse.wal.read_bytes())
    with pytest.raises(NewerWarehouseError, match=f"structure 99 and this release knows {VERSION}"):
        store.query("SELECT 1")
    assert (store.warehouse.path.read_bytes(), store.warehouse.wal.read_bytes()) == before


def test_a_structure_that_cannot_be_made_leaves_nothing(store: Store) -> None:
    store.query("CREATE VIEW sendgrid.lists_view AS SELECT 1 AS one")
    store.query("CREATE TABLE sendgrid.open_view (id INTEGER)")
    before = store.query(VERSIONS)
    tables = store.query("SELECT view_name, sql FROM duckdb_views() WHERE NOT internal ORDER BY ALL")
    wrong = Store(store.folder).change(schemas=(SourceSchema("sendgrid", "sendgrid", segment_views=True),))
    with pytest.raises(Exception, match="open_view"):
        wrong.query("SELECT 1")
    assert store.query(VERSIONS) == before
    assert store.query("SELECT view_name, sql FROM duckdb_views() WHERE NOT internal ORDER BY ALL") == tables


def test_a_second_source_has_a_schema_of_its_own(store: Store) -> None:
    store.load(event("A"))
    store.change(schemas=(*SCHEMAS, SourceSchema("marketing_eu", "eu")))
    assert {table for table, _ in columns(store, "eu")} == {table for table, _ in columns(store, "sendgrid")}
    assert store.query("SELECT count(*) FROM eu.activity") == [(0,)]
    store.change(schemas=(SourceSchema("marketing_eu", "eu"),))
    assert [id_ for id_, _, _ in store.activity()] == ["A"]


def test_segments_names_are_views_with_unix_seconds(store: Store) -> None:
    assert store.query("SELECT 1 FROM duckdb_views() WHERE view_name IN ('_open', 'open_view')") == []
    store.change(schemas=(SourceSchema("sendgrid", "sendgrid", segment_views=True),))
    store.load(event("A", timestamp=T0), event("C", "click", timestamp=f"{T0 + 1}.9"))
    store.sync("lists", {"id": 1, "name": "a"}, {"id": 2, "name": "gone"})
    store.sync("lists", {"id": 1, "name": "a"})
    for view in ("_open", "open_view"):
        assert store.query(f"SELECT sg_event_id, timestamp FROM sendgrid.{view}") == [("A", T0)]
    assert store.query("SELECT timestamp, typeof(timestamp) FROM sendgrid.activity_view ORDER BY 1") == [
        (T0, "BIGINT"),
        (T0 + 1, "BIGINT"),
    ]
    assert store.query("SELECT id, name, received_at = synced_at FROM sendgrid.lists_view") == [
        ("1", "a", True)
    ]
    views = {view for (view,) in store.query("SELECT view_name FROM duckdb_views() WHERE NOT internal")}
    assert views == {
        "activity",
        "activity_view",
        "_open",
        *(f"{table}_view" for table in (*TABLES, *OBJECTS)),
        *(view_name(table) for table in WITH_CUSTOM_FIELDS),
        *(insight.view for insight in INSIGHTS),
    }


def test_segments_views_have_its_columns_and_types(store: Store) -> None:
    store.change(schemas=(SourceSchema("sendgrid", "sendgrid", segment_views=True),))
    store.load(event("A", "deferred", category=["a", "b"], attempt=3, tls=1))
    row = "id, category, attempt, tls, uuid_ts = loaded_at"
    for view in ("deferred_view", "activity_view"):
        assert store.query(f"SELECT {row} FROM sendgrid.{view}") == [("A", "a,b", "3", 1, True)]


def test_activity_is_the_union_of_all_event_tables(store: Store) -> None:
    store.load(event("A", useragent="M"), event("B", "bounce", type="blocked", reason="r"))
    found = store.activity("sg_event_id, event, timestamp, useragent, type, reason")
    instant = dt.datetime.fromtimestamp(T0, dt.UTC).replace(tzinfo=None)
    assert found == [("A", "open", instant, "M", None, None), ("B", "bounce", instant, None, "blocked", "r")]
