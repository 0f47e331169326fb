"""A process that has everything imported and forks a child for each piece of work: an import costs more than the work.

Belongs here: forking, arming faults in the child, attaching strace, waiting. Does not: the work (`tasks`).

Run as `python -m`, it reads requests and writes answers, one line of JSON each.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Self

from . import failpoints, mutants, tracing
from .plant import Plant
from .tasks import perform

ROOT = Path(__file__).parents[2]


class Child:
    """A piece of work under way; `peak_bytes` of memory are known once it has ended."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery, self.pid = nursery, pid
        self._status: int | None = None
        self.peak_bytes = 0

    def wait(self, seconds: float = 60) -> int:
        """Its status: 0, what it exited with, or minus the signal that ended it.

        Raises:
            TimeoutError: it still runs; it is killed.
        """
        until = time.monotonic() + seconds
        while (status := self.poll()) is None:
            if time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
                raise TimeoutError(f"A child did not end within {seconds} s")
            time.sleep(0.003)
        return status

    def poll(self) -> int | None:
        """As `wait`, without waiting; None while it runs."""
        if self._status is None and (ended := self._nursery.ask(wait=self.pid)):
            self._status, self.peak_bytes = ended
        return self._status

    def kill(self, number: int = signal.SIGKILL) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class Nursery:
    """The parent of all children, as its user sees it; a context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lock = threading.Lock()
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            assert self._process.stdin
            self._process.stdin.close()
            self._process.wait(30)

    def ask(self, **request: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        with self._lock:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("The nursery has died")
        return json.loads(answer)

    def start(self, task: str, plant: Plant, **how: Any) -> Child:
        """Starts a task in a child.

        Args:
            task: its name in `tasks`.
            plant: where.
            how: `arguments` of the task; `failpoint`, the arguments of `failpoints.arm`; `mutant`, a name in
                `mutants`; `trace`, strace's arguments; `one_core`, so that native code uses no thread of its own;
                `file_bytes`, the largest file it may write.
        """
        return Child(self, self.ask(task=task, folder=str(plant.folder), how=how))

    def do(self, task: str, plant: Plant, *, seconds: float = 60, **how: Any) -> int:
        """Starts a task and waits for its end; its status."""
        return self.start(task, plant, **how).wait(seconds)

    def must(self, task: str, plant: Plant, **how: Any) -> None:
        """As `do`, where nothing may go wrong."""
        status = self.do(task, plant, **how)
        if status:
            raise AssertionError(f"{task} ended with {status}: {plant.log.read_text()[-3000:]}")


class _Forks:
    """The server's side."""

    def __init__(self) -> None:
        self._tracers: dict[int, subprocess.Popen[bytes]] = {}

    def answer(self, request: dict[str, Any]) -> Any:
        if "wait" in request:
            return self._ended(request["wait"])
        return self._fork(request["task"], Path(request["folder"]), request["how"])

    def _fork(self, task: str, folder: Path, how: dict[str, Any]) -> int:
        (folder / "struck").unlink(missing_ok=True)
        hold, go = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(go)
            _live(task, folder, how, hold)
        os.close(hold)
        try:
            if "trace" in how:
                self._tracers[pid] = tracing.attach(pid, how["trace"], folder / "strace.log")
        finally:
            os.close(go)
        return pid

    def _ended(self, pid: int) -> tuple[int, int] | None:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if not done:
            return None
        if tracer := self._tracers.pop(pid, None):
            tracer.wait(20)
        return os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024


def _live(task: str, folder: Path, how: dict[str, Any], hold: int) -> None:
    """A forked child's whole life."""
    status = 1
    try:
        log = os.open(folder / "children.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if "trace" in how:
            tracing.may_be_traced()
        if how.get("one_core"):
            os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])
        # Ends when the parent has attached the tracer.
        os.read(hold, 1)
        if "file_bytes" in how:
            resource.setrlimit(resource.RLIMIT_FSIZE, (how["file_bytes"], resource.RLIM_INFINITY))
        if "failpoint" in how:
            failpoints.arm(**how["failpoint"], mark=folder / "struck")
        # On top of the failpoints, so that what a mutant does is counted too.
        if "mutant" in how:
            mutants.MUTANTS[how["mutant"]]()
        perform(task, folder, how.get("arguments", {}))
        status = 0
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    forks = _Forks()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(forks.answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
