"""Faults at the system calls of a process, native code's too, by strace.

Belongs here: attaching strace, what it is told, and counting calls. Does not: which points are tried.
"""

from __future__ import annotations

import ctypes
import functools
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

CALLS = (
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "linkat",
    "link",
    "rename",
    "unlink",
    "unlinkat",
    "ftruncate",
)
"""The calls by which a receiver, a drain and a publish change what is on the disk."""

_ANY_TRACER = (0x59616D61, ctypes.c_ulong(-1))
"""prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY): lets a sibling attach where only parents may."""


def injection(call: str, when: int, action: str) -> list[str]:
    """strace's arguments for one fault; `action` is `kill` or the name of an errno."""
    fault = "signal=KILL" if action == "kill" else f"error={action}"
    return ["-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={when}"]


def counting() -> list[str]:
    """strace's arguments for a run in which calls are only counted."""
    return ["-e", "trace=" + ",".join(CALLS)]


def counted(log: Path) -> Counter[str]:
    """How often each call was made, by the thread that made it most often: that is how strace counts."""
    by_thread: Counter[tuple[str, str]] = Counter(
        re.findall(r"^(\d+)\s+(\w+)\(", log.read_text(errors="replace"), re.MULTILINE)
    )
    most: Counter[str] = Counter()
    for (_, call), times in by_thread.items():
        most[call] = max(most[call], times)
    return most


def struck(log: Path) -> bool:
    """Whether the fault was injected."""
    return "(INJECTED)" in log.read_text(errors="replace") or "killed by SIGKILL" in log.read_text(
        errors="replace"
    )


def attach(pid: int, arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    """A strace that follows the process and all its threads; returns once it does.

    Raises:
        OSError: it could not attach.
    """
    tracer = subprocess.Popen(
        ["strace", "-f", "-q", "-o", str(log), *arguments, "-p", str(pid)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 20
    while not _is_traced(pid):
        if tracer.poll() is not None or time.monotonic() > until:
            tracer.kill()
            tracer.wait()
            raise OSError(f"strace could not attach to {pid}")
        time.sleep(0.002)
    return tracer


def _is_traced(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    return re.search(r"^TracerPid:\s+[1-9]", status, re.MULTILINE) is not None


def may_be_traced() -> None:
    """Lets any process of this user trace this one."""
    ctypes.CDLL(None).prctl(*_ANY_TRACER)


@functools.cache
def why_not() -> str | None:
    """Why calls cannot be traced here; None when they can."""
    if not shutil.which("strace"):
        return "strace is not installed"
    program = "import sys; from sendgrid_assets_tests.faults.tracing import may_be_traced; may_be_traced()"
    idle = subprocess.Popen(
        [sys.executable, "-c", f"{program}; print(flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert idle.stdout
        idle.stdout.readline()
        tracer = attach(idle.pid, ["-e", "trace=none"], Path(os.devnull))
        tracer.terminate()
        tracer.wait()
    except OSError as error:
        return str(error)
    finally:
        idle.communicate()
    return None
