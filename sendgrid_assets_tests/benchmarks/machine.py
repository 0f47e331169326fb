"""The machine that measured, for readers of its figures.

Belongs here: processor, memory, kernel and versions. Does not: names and paths, which are nobody's business.
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("sendgrid_assets", "duckdb", "httpx", "msgspec", "pyarrow", "dlt")


def described() -> dict[str, str]:
    """What there is to say of this machine, by heading."""
    return {
        "processor": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        **{package: found for package in _PACKAGES if (found := _version(package))},
    }


def _field(file: str, name: str) -> str | None:
    path = Path(file)
    if not path.exists():
        return None
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _memory() -> str:
    kilobytes = (_field("/proc/meminfo", "MemTotal") or "").split()
    return f"{int(kilobytes[0]) / 1024 / 1024:.0f} GiB" if kilobytes else "unknown"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
