"""The file a notebook reads: which one, the newest of it, and what is said where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from sendgrid_assets.notebooks import published as reading
from sendgrid_assets_tests.site import Site

from .conftest import load


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable in ("SENDGRID_PUBLISHED", "SENDGRID_DATA_DIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    yield
    while reading._opened:
        reading._opened.pop().close()


def _messages(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("SELECT count(*) FROM messages").fetchone()
    assert row
    return int(row[0])


def test_the_settings_file_is_read_and_not_the_demos(tmp_path: Path, published: Path) -> None:
    for folder in ("data", "demo-data"):
        (tmp_path / folder).mkdir()
    shutil.copy(published, tmp_path / "data" / "published.duckdb")
    (tmp_path / "demo-data" / "published.duckdb").write_text("no database")
    assert _messages(reading.connect("sendgrid")) > 0


def test_the_demos_file_is_read_where_there_is_no_other(tmp_path: Path, published: Path) -> None:
    (tmp_path / "demo-data").mkdir()
    shutil.copy(published, tmp_path / "demo-data" / "published.duckdb")
    assert _messages(reading.connect("sendgrid")) > 0


def test_a_dotenv_file_counts(tmp_path: Path, published: Path) -> None:
    (tmp_path / ".env").write_text(f"SENDGRID_PUBLISHED={published}\n")
    assert _messages(reading.connect("sendgrid")) > 0


def test_connecting_again_reads_the_newest_and_never_blocks_a_publish(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDGRID_PUBLISHED", str(site.settings.published))
    load(site, site.traffic.batch(50))
    first = reading.connect("sendgrid")
    before = _messages(first)
    load(site, site.traffic.batch(100))
    assert _messages(first) == before
    assert _messages(reading.connect("sendgrid")) > before


def test_nothing_can_be_written(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDGRID_PUBLISHED", str(published))
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        reading.connect("sendgrid").execute("CREATE TABLE mine AS SELECT 1")


def test_no_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(
        reading.NothingToReadError, match=r"data/published\.duckdb, nor a demo's in demo-data: start"
    ):
        reading.connect("sendgrid")


def test_off_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDGRID_PUBLISHED", "off")
    with pytest.raises(reading.NothingToReadError, match="SENDGRID_PUBLISHED is off"):
        reading.connect("sendgrid")


def test_another_schema_names_those_there_are(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDGRID_PUBLISHED", str(published))
    with pytest.raises(reading.NothingToReadError, match="set `schema` to one of: sendgrid"):
        reading.connect("marketing_eu")


def test_a_file_without_insights_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb.connect(tmp_path / "other.duckdb").close()
    monkeypatch.setenv("SENDGRID_PUBLISHED", "other.duckdb")
    with pytest.raises(
        reading.NothingToReadError, match="no insights in a schema sendgrid: let this release publish"
    ):
        reading.connect("sendgrid")


def test_no_database_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.duckdb").write_text("no database")
    monkeypatch.setenv("SENDGRID_PUBLISHED", "other.duckdb")
    with pytest.raises(
        reading.NothingToReadError, match=r"other\.duckdb cannot be opened: .*Set SENDGRID_PUBLISHED"
    ):
        reading.connect("sendgrid")
