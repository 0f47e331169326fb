"""The published file says when it was made and from what, and what came from elsewhere is not thrown away."""

from __future__ import annotations

import datetime as dt
import json
import logging
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sendgrid_assets.warehouse import spacing
from sendgrid_assets.warehouse.publish import is_due, publish

from .conftest import Store, commit, event, now, read


def row(path: Path) -> dict[str, Any]:
    with duckdb.connect(path, read_only=True) as connection:
        found = connection.execute("SELECT * FROM _sendgrid_assets.published")
        (values,) = found.fetchall()
        return dict(zip([column[0] for column in found.description], values, strict=True))


def test_a_published_file_says_how_fresh_it_is_and_from_what(store: Store) -> None:
    begun = now()
    store.load(event("A"))
    commit(store, "A")
    publish(store.warehouse, store.published)
    told = row(store.published)
    assert begun <= told["loaded_at"] <= told["synced_at"] <= told["published_at"] <= now()
    assert told["loaded_at"] == store.ledger("loaded_at")[0][0]
    assert told["synced_at"] == store.query("SELECT max(ended_at) FROM _sendgrid_assets.sync_runs")[0][0]
    assert told["warehouse"] == str(store.warehouse.path)
    assert told["sendgrid_assets_version"] == version("sendgrid_assets")
    assert told["duckdb_version"] == duckdb.__version__
    assert told["previous_seconds"] is None


def test_each_source_has_its_own_instants(store: Store) -> None:
    early, late = dt.datetime(2026, 1, 1, 8), dt.datetime(2026, 1, 2, 9)  # noqa: DTZ001
    store.query(
        "INSERT INTO _sendgrid_assets.sync_runs (source, status, ended_at)"
        " VALUES ('eu', 'ok', ?), ('eu', 'failed', ?), ('us', 'refused', ?)",
        [early, late, late],
    )
    store.query(
        "INSERT INTO _sendgrid_assets.loaded_files (source, loaded_at) VALUES ('us', ?), ('us', ?)",
        [early, late],
    )
    publish(store.warehouse, store.published)
    told = row(store.published)
    assert (told["synced_at"], told["loaded_at"]) == (early, late)
    assert json.loads(told["sources"]) == {
        "eu": {"synced_at": "2026-01-01 08:00:00", "loaded_at": None},
        "us": {"synced_at": None, "loaded_at": "2026-01-02 09:00:00"},
    }


def test_an_empty_warehouse_has_a_row_too(store: Store) -> None:
    publish(store.warehouse, store.published)
    told = row(store.published)
    assert (told["synced_at"], told["loaded_at"], json.loads(told["sources"])) == (None, None, {})


def test_one_row_is_kept_and_writing_it_makes_nothing_due(store: Store) -> None:
    seconds = []
    for id_ in "ABC":
        commit(store, id_)
        done = publish(store.warehouse, store.published)
        assert done
        seconds.append(done.seconds)
        assert not is_due(store.warehouse, store.published)
        assert publish(store.warehouse, store.published) is None
        assert store.warehouse.path.read_bytes() == store.published.read_bytes()
    assert row(store.published)["previous_seconds"] == seconds[1]
    assert spacing.last_seconds(store.warehouse) == seconds[2]


def test_a_file_does_not_grow_by_being_published(store: Store) -> None:
    sizes = []
    for n in range(24):
        store.query("UPDATE _sendgrid_assets.published SET warehouse = ?", [str(n)])
        publish(store.warehouse, store.published)
        sizes.append(store.published.stat().st_size)
    # Blocks that one publish frees are taken by the next, so the size goes up and down.
    assert max(sizes[-8:]) <= max(sizes[4:12])


def kept(store: Store) -> list[Path]:
    return sorted(store.folder.glob("published.duckdb.kept-*"))


def test_what_a_lost_warehouse_published_is_kept(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    commit(store, "A")
    publish(store.warehouse, store.published)
    store.warehouse.path.unlink()
    commit(store, "new")
    with caplog.at_level(logging.WARNING):
        publish(store.warehouse, store.published)
    (file,) = kept(store)
    assert (read(file), read(store.published)) == (["A"], ["new"])
    assert file.name in caplog.text
    commit(store, "newer")
    publish(store.warehouse, store.published)
    assert kept(store) == [file]


def test_a_file_of_somebody_elses_is_kept(store: Store) -> None:
    with duckdb.connect(store.published) as connection:
        connection.execute("CREATE TABLE theirs AS SELECT 7 AS number")
    publish(store.warehouse, store.published)
    (file,) = kept(store)
    with duckdb.connect(file, read_only=True) as connection:
        assert connection.execute("SELECT number FROM theirs").fetchall() == [(7,)]


def test_what_an_earlier_release_published_from_it_is_replaced(store: Store) -> None:
    commit(store, "A")
    publish(store.warehouse, store.published)
    store.query("DELETE FROM _sendgrid_assets.published")
    publish(store.warehouse, store.published)
    assert kept(store) == []
    assert row(store.published)["published_at"]
