"""Older DuckDB clients, with nothing else installed, read every table and view of the published file as we do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sendgrid_assets.warehouse.publish import publish
from sendgrid_assets_tests.clients import NotInstallableError, installed
from sendgrid_assets_tests.site import Site, make_site
from sendgrid_assets_tests.warehouse.conftest import Store

# The oldest that we promise, and the line before today's.
VERSIONS = ("==1.1.3", "==1.4.*")

READ = """
import duckdb, hashlib, importlib.util, json, sys
assert not any(map(importlib.util.find_spec, sys.argv[3].split())), "something else is installed"
path, how = sys.argv[1:3]
if how == "opened":
    connection, prefix = duckdb.connect(path, read_only=True), ""
else:
    connection, prefix = duckdb.connect(), "published."
    connection.execute(f"ATTACH '{path}' AS published (READ_ONLY)")
    if how == "used":
        connection.execute("USE published")
told = {"": duckdb.__version__}
names = connection.execute(
    "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal"
    " UNION ALL SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal"
).fetchall()
for schema, name in names:
    try:
        rows = connection.execute(f'SELECT * FROM {prefix}"{schema}"."{name}" ORDER BY ALL LIMIT 300').fetchall()
        told[f"{schema}.{name}"] = f"{len(rows)} rows " + hashlib.sha256(repr(rows).encode()).hexdigest()
    except Exception as error:
        told[f"{schema}.{name}"] = f"{type(error).__name__}: {error}"
print(json.dumps(told))
"""

NOT_NEEDED = "pandas pytz numpy pyarrow"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published file with rows in nearly all of its tables."""
    with make_site(tmp_path_factory.mktemp("older"), SENDGRID_SEGMENT_VIEWS="true") as site:
        _fill(site)
        path = site.settings.published
        assert path
        return path


def _fill(site: Site) -> None:
    assert site.run("sendgrid_sync").success
    site.post(site.traffic.batch(300))
    assert site.run("sendgrid_drain").success


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Makes a Python that has a DuckDB and nothing else, once for each version."""
    made: dict[str, str] = {}

    def python(version: str) -> str:
        if version not in made:
            try:
                made[version] = str(
                    installed(f"duckdb{version}", tmp_path_factory.mktemp("client")) / "python"
                )
            except NotInstallableError as error:
                pytest.skip(str(error))
        return made[version]

    return python


def told(python: str, published: Path, how: str, absent: str = NOT_NEEDED) -> dict[str, str]:
    command = [python, "-c", READ, str(published), how, absent]
    done = subprocess.run(
        command, cwd=published.parent, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, str] = json.loads(done.stdout)
    return answers


def compare(python: str, published: Path, how: str, version: str) -> None:
    theirs, ours = told(python, published, how), told(sys.executable, published, "opened", "")
    assert theirs.pop("").startswith(version.strip("=*"))
    ours.pop("")
    assert len(ours) > 100
    assert sum(not answer.startswith("0 rows") for answer in ours.values()) > 80
    assert not [answer for answer in ours.values() if " rows " not in answer]
    differing = {name: answer for name, answer in theirs.items() if answer != ours.get(name)}
    assert (differing, theirs.keys()) == ({}, ours.keys())


@pytest.mark.parametrize("version", VERSIONS)
def test_an_older_client_that_opens_it_reads_all_as_we_do(
    published: Path, client: Callable[[str], str], version: str
) -> None:
    compare(client(version), published, "opened", version)


# DuckDB 1.1 looks for a view's tables in the database in use, wherever the view is.
@pytest.mark.parametrize(("version", "how"), [("==1.1.3", "used"), ("==1.4.*", "attached")])
def test_an_older_client_that_attaches_it_reads_all_as_we_do(
    published: Path, client: Callable[[str], str], version: str, how: str
) -> None:
    compare(client(version), published, how, version)


def test_the_oldest_client_reads_each_of_many_publishes(tmp_path: Path, client: Callable[[str], str]) -> None:
    """A checkpoint that takes over what an earlier one wrote leaves files that DuckDB 1.1 cannot read."""
    python, store = client(VERSIONS[0]), Store(tmp_path)
    tables = ("lists", "segments", "mc_lists", "mc_segments", "templates", "processed", "click", "open")
    for number in range(8):
        for table in tables[number % 3 :: 2]:
            column = "sg_event_id" if table in ("processed", "click", "open") else "name"
            rows = (1, 10, 3000)[number % 3]
            store.query(f"INSERT INTO sendgrid.{table} ({column}) SELECT 'row ' || range FROM range({rows})")
            if number % 2:
                store.query(f"UPDATE sendgrid.{table} SET {column} = 'round {number}'")
        assert publish(store.warehouse, store.published)
        answers = told(python, store.published, "opened")
        answers.pop("")
        assert [answer for answer in answers.values() if " rows " not in answer] == []
