"""Copies the notebooks into a folder, where they are yours to change.

Belongs here: the copying. Does not: the notebooks.
"""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import click

NOTEBOOKS = ("deliverability.py", "deliverability.ipynb")
"""The one for marimo, and the one for Jupyter."""

NEXT = (
    "Open one with `marimo edit deliverability.py` or `jupyter lab deliverability.ipynb`; what they need comes with"
    " `pip install 'sendgrid_assets[notebooks]'`."
)


@click.command()
@click.argument("folder", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Copies the notebooks into FOLDER, the working directory if none is given; what is there stays."""
    for name in NOTEBOOKS:
        if (folder / name).exists():
            raise click.ClickException(
                f"{folder / name} is there already: rename it, or name another folder."
            )
    for name in NOTEBOOKS:
        copy = folder / name
        with as_file(files(__package__).joinpath(name)) as notebook:
            shutil.copyfile(notebook, copy)
        click.echo(copy)
    click.echo(NEXT, err=True)


if __name__ == "__main__":
    main(prog_name="python -m sendgrid_assets.notebooks")
