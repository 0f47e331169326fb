"""Which room may import what: the catalog nothing of ours, the core rooms nothing of Dagster."""

import subprocess
import sys
from pathlib import Path

import pytest

import sendgrid_assets

ROOT = Path(sendgrid_assets.__file__).parents[1]
IMPORT_ALL = """
import importlib, pkgutil, sys
room = importlib.import_module("sendgrid_assets.{room}")
for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
    importlib.import_module(module.name)
print("\\n".join(sys.modules))
"""


def imported_by(room: str) -> set[str]:
    """Every module that a fresh interpreter has after importing all of the room."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_ALL.format(room=room)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.split())


@pytest.mark.parametrize("room", ["api", "catalog", "simulator", "warehouse", "webhook"])
def test_core_room_works_without_dagster(room: str) -> None:
    modules = imported_by(room)
    assert f"sendgrid_assets.{room}" in modules
    assert not {name for name in modules if name.partition(".")[0].startswith("dagster")}
    assert not {name for name in modules if name.startswith("sendgrid_assets.defs")}


def test_catalog_imports_nothing_of_ours() -> None:
    ours = {name for name in imported_by("catalog") if name.startswith("sendgrid_assets")}
    assert "sendgrid_assets.catalog.events" in ours
    assert {name for name in ours if not name.startswith("sendgrid_assets.catalog")} == {"sendgrid_assets"}


@pytest.mark.parametrize(
    ("file", "code", "banned"),
    [
        ("api/x.py", "import dagster", True),
        ("warehouse/x.py", "import dagster as dg", True),
        ("catalog/x.py", "from dagster import asset", True),
        ("webhook/x.py", "from dagster._core.storage import db_io_manager", True),
        ("simulator/x.py", "import dagster_duckdb", True),
        ("settings.py", "import dagster", True),
        ("defs/x.py", "import dagster", False),
        ("api/x.py", "import httpx", False),
    ],
)
def test_linter_refuses_dagster_in_core_rooms(file: str, code: str, banned: bool) -> None:
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--no-cache",
            "--output-format=concise",
            "--stdin-filename",
            f"sendgrid_assets/{file}",
            "-",
        ],
        cwd=ROOT,
        input=f'"""A module."""\n\n{code}\n',
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("TID251" in run.stdout) is banned, run.stdout + run.stderr
