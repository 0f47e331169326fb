"""Programs that people open the published file with, each installed into a virtual environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


class NotInstallableError(Exception):
    """The package cannot be had here."""


def installed(requirement: str, folder: Path) -> Path:
    """Makes an environment that has the package, what it needs, and nothing else; its programs' folder."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    programs = folder / "bin"
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(programs / "python")]
    done = subprocess.run(
        [*pip, "install", "--only-binary=:all:", requirement],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["pip did not say why"]
        raise NotInstallableError(f"{requirement} cannot be installed here: {said[-1]}")
    return programs
