"""The command that copies the notebooks."""

from __future__ import annotations

import sys
from pathlib import Path

from sendgrid_assets.notebooks.__main__ import NOTEBOOKS
from sendgrid_assets_tests.processes import ROOT, call, environment

COMMAND = (sys.executable, "-m", "sendgrid_assets.notebooks")


def test_the_copies_are_the_notebooks(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted(NOTEBOOKS)
    for name in NOTEBOOKS:
        assert (folder / name).read_bytes() == (ROOT / "sendgrid_assets" / "notebooks" / name).read_bytes()


def test_a_users_own_notebook_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "deliverability.ipynb").write_text("mine")
    done = call(*COMMAND, "mine", cwd=tmp_path, env=environment())
    assert done.returncode == 1
    assert "mine/deliverability.ipynb is there already: rename it" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["deliverability.ipynb"]
    assert (tmp_path / "mine" / "deliverability.ipynb").read_text() == "mine"


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    done = call(*COMMAND, "nowhere", cwd=tmp_path, env=environment())
    assert done.returncode == 2
    assert "'nowhere' does not exist" in done.stderr
