"""README and the files beside it: true, and in step with the code."""

from __future__ import annotations

import re

import duckdb
import pytest
import yaml

from sendgrid_assets.catalog.bookkeeping import BOOKKEEPING_TABLES
from sendgrid_assets.catalog.events import EVENT_COLLECTIONS
from sendgrid_assets.catalog.objects import OBJECT_COLLECTIONS
from sendgrid_assets.cli import main
from sendgrid_assets.docs.settings_table import filled_in
from sendgrid_assets.settings import load_settings

from .processes import ROOT, call, environment
from .site import Site

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_settings_table_is_todays() -> None:
    assert filled_in(README) == README, "run python -m sendgrid_assets.docs.settings_table"


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_is_told_of(name: str) -> None:
    assert f"sendgrid-assets {name}" in README


def test_every_table_is_told_of() -> None:
    tables = [*OBJECT_COLLECTIONS, *EVENT_COLLECTIONS, *BOOKKEEPING_TABLES]
    told = {table.table for table in tables if f"`{table.table}`" in README or f".{table.table}`" in README}
    assert {table.table for table in tables} - told <= {"schema_version"}


def test_links_within_the_project_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_its_queries_work_on_real_data(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.post(site.traffic.batch(60))
    site.sync("lists")
    site.run("sendgrid_drain")
    monkeypatch.chdir(site.folder)
    (shell,) = re.findall(r'^duckdb -readonly data/published\.duckdb "(.*)"$', README, re.MULTILINE)
    assert site.query(shell)
    (notebook,) = (
        block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "read_only" in block
    )
    names: dict[str, duckdb.DuckDBPyConnection] = {}
    exec(compile(notebook, "README.md", "exec"), names)
    names["sendgrid"].close()
    (attach,) = re.findall(r"`(ATTACH [^`]*)`", README)
    with duckdb.connect() as marimo:
        marimo.execute(attach)
        assert marimo.execute("SELECT count(*) FROM published.sendgrid.activity").fetchone() != (0,)


def test_ci_runs_the_readmes_own_line() -> None:
    lines = [line for line in README.splitlines() if "venv/bin/pytest" in line]
    assert len(lines) == 1
    assert "grep -m1 'venv/bin/pytest' README.md" in (ROOT / ".ci" / "run").read_text()


def test_the_top_level_is_what_was_agreed() -> None:
    listed = call("git", "ls-files", cwd=ROOT, env=environment()).stdout.split()
    top = {path.split("/")[0] for path in listed if not path.startswith(".")}
    agreed = {"pyproject.toml", "workspace.yaml", "sendgrid_assets", "sendgrid_assets_tests", "README.md"}
    assert top <= agreed | {"dagster.yaml", "LICENSE", "CHANGELOG.md"}


def test_no_file_names_a_package_registry() -> None:
    # Put together, so that this line is not found itself.
    hosts = "|".join(("py" + "pi.org", "python" + "hosted", "registry.npm" + "js"))
    assert call("git", "grep", "-nIE", hosts, cwd=ROOT, env=environment()).stdout == ""


def test_the_demos_instance_is_set_as_the_projects() -> None:
    project = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    demo = yaml.safe_load((ROOT / "sendgrid_assets" / "instance.yaml").read_text())
    where = {"storage", "local_artifact_storage", "compute_logs"}
    assert {name: value for name, value in project.items() if name not in where} == demo


def test_the_example_env_file_can_be_used_as_it_is() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    variables = dict(line.lstrip("# ").split("=", 1) for line in lines if "=" in line)
    load_settings(variables)
    assert {"SENDGRID_API_KEY", "SENDGRID_WEBHOOK_PUBLIC_KEY"} <= variables.keys()
    # Copied and not filled in, it takes no variable of the environment's away.
    assert all(line.startswith("#") for line in lines)


def test_the_pins_are_within_the_ranges() -> None:
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / ".ci" / "constraints.txt").read_text().splitlines()
    pins = {canonicalize_name(name): pin for name, _, pin in (line.partition("==") for line in lines)}
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement
