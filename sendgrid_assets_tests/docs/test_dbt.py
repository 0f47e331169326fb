"""The page on dbt, followed word by word with a real dbt on a real published file."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from sendgrid_assets.catalog.insights import INSIGHTS
from sendgrid_assets.dbt_sources import dbt_sources
from sendgrid_assets.settings import load_settings
from sendgrid_assets_tests.processes import ROOT, call, environment
from sendgrid_assets_tests.site import make_site

PAGE = (ROOT / "sendgrid_assets" / "docs" / "dbt.md").read_text(encoding="utf-8")

SYNCED = ("lists", "mc_lists", "mc_contact_lists", "mc_contacts", "suppression_bounces")
REFUSED = "templates"


def _block(language: str, word: str) -> str:
    (found,) = (block for block in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if word in block)
    return str(found)


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt in a virtualenv of its own."""
    folder = tmp_path_factory.mktemp("dbt")
    # CI's exact versions are those of this project, which dbt does not share.
    env = environment()
    env.pop("PIP_CONSTRAINT", None)
    for line in _block("sh", "-m venv").splitlines():
        command = shlex.split(line)
        command[0] = {"python3": sys.executable}.get(command[0], command[0])
        done = call(*command, cwd=folder, env=env, seconds=240)
        if done.returncode:
            pytest.skip(f"dbt cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    return folder / ".dbt" / "bin" / "dbt"


@pytest.fixture(scope="module")
def site_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A published file with objects, a refused collection and events; and the sources printed for it."""
    folder = tmp_path_factory.mktemp("site") / "site"
    folder.mkdir()
    tables = ",".join((*SYNCED, REFUSED))
    with make_site(folder, refused=["/v3/templates"], SENDGRID_COLLECTIONS=tables) as site:
        site.sync(*SYNCED, REFUSED)
        site.post(site.traffic.batch(300))
        assert site.run("sendgrid_drain").success
        settings = site.settings
        assert settings.published
        return settings.published, dbt_sources(settings, "published")


class Project:
    """The page's dbt project, on a copy of the published file that a test may spoil."""

    def __init__(self, folder: Path, dbt: Path, published: Path, sources: str) -> None:
        self._folder, self._dbt = folder, dbt
        self.published = folder / "published.duckdb"
        shutil.copyfile(published, self.published)
        (folder / "models").mkdir()
        (folder / "seeds").mkdir()
        (folder / "models" / "sendgrid.yml").write_text(sources)
        (folder / "dbt_project.yml").write_text(_block("yaml", "profile: shop"))
        (folder / "profiles.yml").write_text(_block("yaml", "type: duckdb"))
        (folder / "seeds" / "orders.csv").write_text(_block("csv", "order_id"))
        (folder / "models" / "buyers_by_engagement.sql").write_text(_block("sql", "source("))

    def order(self, *emails: str) -> None:
        """Orders by these addresses: the first of 1, the second of 2, and so on."""
        header = _block("csv", "order_id").splitlines()[0]
        rows = (f"{n},{email},2026-11-02,{n}" for n, email in enumerate(emails, 1))
        (self._folder / "seeds" / "orders.csv").write_text("\n".join((header, *rows, "")))

    def recipient(self) -> str:
        """An address that was mailed."""
        ((email,),) = self.query("SELECT min(email) FROM published.sendgrid.delivered")
        return str(email)

    def spoil(self, *statements: str) -> None:
        with duckdb.connect(self.published) as connection:
            for statement in statements:
                connection.execute(statement)

    def run(self, *arguments: str) -> tuple[int, str]:
        # A zone far from UTC: instants without one must still be taken for UTC.
        variables = {"SENDGRID_PUBLISHED": str(self.published), "TZ": "America/Los_Angeles"}
        quiet = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "NO_COLOR": "1"}
        done = call(str(self._dbt), *arguments, cwd=self._folder, env=environment(**variables, **quiet))
        return done.returncode, done.stdout + done.stderr

    def tests(self, *arguments: str) -> tuple[int, dict[str, str]]:
        """What `dbt build` or `dbt test` found: its status, and each node's by name."""
        status, said = self.run(*arguments)
        assert "eprecat" not in said, said
        results = json.loads((self._folder / "target" / "run_results.json").read_text())["results"]
        return status, {result["unique_id"].split(".")[2]: result["status"] for result in results}

    def freshness(self) -> tuple[int, dict[str, str]]:
        """What `dbt source freshness` found: its status, and each table's."""
        status, _ = self.run("source", "freshness")
        results = json.loads((self._folder / "target" / "sources.json").read_text())["results"]
        return status, {result["unique_id"].split(".")[-1]: result["status"] for result in results}

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(self._folder / "shop.duckdb") as connection:
            connection.execute(f"ATTACH '{self.published}' AS published (READ_ONLY)")
            return connection.execute(sql).fetchall()


@pytest.fixture
def project(tmp_path: Path, dbt: Path, site_files: tuple[Path, str]) -> Project:
    return Project(tmp_path, dbt, *site_files)


def test_the_page_prints_the_sources_as_the_project_does() -> None:
    assert "sendgrid-assets dbt-sources --database published > models/sendgrid.yml" in PAGE
    assert dbt_sources(load_settings({}), "published").count("database: published") == 2


def test_it_builds_and_joins_to_product_data(project: Project) -> None:
    project.order(project.recipient().upper(), "no@example.net")
    status, nodes = project.tests("build")
    assert status == 0
    assert {node for node, result in nodes.items() if result not in ("pass", "success")} == set()
    assert len(nodes) > 100
    rows = dict(project.query("SELECT recency_band, revenue FROM buyers_by_engagement"))
    assert rows.pop("never mailed") == 2
    assert list(rows.values()) == [1]


def test_what_was_just_synced_is_fresh_and_a_refused_table_too(project: Project) -> None:
    assert project.freshness() == (0, dict.fromkeys((*SYNCED, REFUSED, "activity"), "pass"))


def test_what_no_sync_ended_well_for_is_warned_of(project: Project) -> None:
    refused_since = (
        "INSERT INTO _sendgrid_assets.sync_runs BY NAME (SELECT * REPLACE ('refused' AS status)"
        " FROM _sendgrid_assets.sync_runs WHERE table_name = 'lists')"
    )
    project.spoil(
        refused_since,
        "UPDATE _sendgrid_assets.sync_runs SET ended_at = ended_at - INTERVAL 7 HOUR"
        " WHERE table_name IN ('lists', 'mc_lists') AND status = 'ok'",
        "UPDATE _sendgrid_assets.sync_runs SET ended_at = ended_at - INTERVAL 5 HOUR WHERE table_name = 'mc_contacts'",
        "DELETE FROM _sendgrid_assets.sync_runs WHERE table_name = 'suppression_bounces'",
        *(
            f"UPDATE sendgrid.{table} SET loaded_at = loaded_at - INTERVAL 25 HOUR"
            for table in (
                "processed",
                "delivered",
                "deferred",
                "bounce",
                "dropped",
                "open",
                "click",
                "spam_report",
            )
        ),
        *(
            f"UPDATE sendgrid.{table} SET loaded_at = loaded_at - INTERVAL 25 HOUR"
            for table in ("unsubscribe", "group_unsubscribe", "group_resubscribe", "account_status_change")
        ),
    )
    status, tables = project.freshness()
    assert status == 0
    late = {table for table, result in tables.items() if result == "warn"}
    assert late == {"lists", "mc_lists", "suppression_bounces", "activity"}
    assert {result for table, result in tables.items() if table not in late} == {"pass"}


DOUBLED: dict[str, Callable[[str], bool]] = {
    "lists": lambda test: test == "source_unique_sendgrid_lists_id",
    "mc_contact_lists": lambda test: test.startswith(
        "source_unique_sendgrid_mc_contact_lists__list_id_contact_id"
    ),
    "open": lambda test: test == "source_unique_sendgrid_open_sg_event_id",
}


def test_a_doubled_key_fails_its_own_test(project: Project) -> None:
    project.spoil(
        *(f"INSERT INTO sendgrid.{table} SELECT * FROM sendgrid.{table} LIMIT 1" for table in DOUBLED),
        "UPDATE sendgrid.mc_lists SET id = NULL WHERE id = (SELECT min(id) FROM sendgrid.mc_lists)",
    )
    status, nodes = project.tests("test", "--select", "source:*")
    assert status == 1
    failed = {node for node, result in nodes.items() if result == "fail"}
    for table, is_its_own in DOUBLED.items():
        assert len([test for test in failed if is_its_own(test)]) == 1, (table, failed)
    # The opening is in the union as well.
    of_union = {test for test in failed if test.startswith("source_unique_sendgrid_activity")}
    assert len(of_union) == 1
    assert "source_not_null_sendgrid_mc_lists_id" in failed
    assert len([test for test in failed if not _is_of_an_insight(test)]) == len(DOUBLED) + 2


def _is_of_an_insight(test: str) -> bool:
    """Views made of a doubled row may be doubled as well."""
    return any(test.startswith(f"source_unique_sendgrid_{insight.view}_") for insight in INSIGHTS)
