"""What a process does to a folder's disk, noted in that process, call by call.

Belongs here: noticing what changed since the call before, and which calls make it last. Does not: what a power cut may
leave of it (`power_disks`).

After every call of Python's that changes a name or makes anything durable, and after every SQL statement, the folder
is looked at, so what native code did is noted too. Of DuckDB's own files, bytes count as durable once a statement was
answered: that a commit is, is tried elsewhere; that they can be found, which takes an fsync of their folder, does not.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import duckdb

from . import failpoints, mutants, nursery, tasks
from .full_disk import publish_while_it_fills
from .plant import Plant
from .power_disks import Body, Fsync, FsyncFolder, Log, Names, Told

FILE_CALLS = (*failpoints.FILE_CALLS, "mkdir", "rmdir")
_link = os.link
_SMALL = 1 << 20
_UNSEEN = ("children.log", "scratch", "struck", "strace.log")


def is_of_duckdb(path: Path) -> bool:
    """Whether DuckDB itself writes the file."""
    return path.name in ("warehouse.duckdb", "warehouse.duckdb.wal") or path.suffix == ".new"


class Recorder:
    """Looks at a folder, and notes what became different."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.log = folder.resolve(), Log()
        # Beside it, for links work within one file system only.
        self._aside = self._folder.with_name(f"{self._folder.name}.held")
        self._aside.mkdir()
        self._names: dict[Path, int] = {}
        self._bodies: dict[int, Body] = {}
        self._stats: dict[int, tuple[int, ...]] = {}
        self._known: dict[int, int] = {}
        self._held: set[int] = set()
        self._last = 0
        self._into = self.log.start
        self.look()
        self._into = self.log.operations

    def watch(self) -> None:
        """From here on, this process's calls are noted."""

        def execute(connection: Any, sql: str, *args: Any, **kwargs: Any) -> Any:
            result = connection.execute(sql, *args, **kwargs)
            self.look(anew=sql in ("COMMIT", "CHECKPOINT"))
            return result

        failpoints.through(execute)
        duckdb.connect = self._noted("connect", duckdb.connect)  # type: ignore[assignment]
        for name in FILE_CALLS:
            setattr(os, name, self._noted(name, getattr(os, name)))
        fcntl.ioctl = self._noted("ioctl", fcntl.ioctl)  # type: ignore[assignment]

    def tell(self, what: Any) -> None:
        self.look(anew=True)
        self._into.append(Told(what))

    def look(self, *, anew: bool = False) -> None:
        """Notes what changed; `anew` reads large files too whose times are the same."""
        names = dict(self._walk(self._folder))
        ids = {path: self._id(found.st_ino) for path, found in names.items()}
        self._note_new(names, ids)
        self._note_logs(ids)
        gone = self._note_names(ids)
        for path, found in names.items():
            self._note_body(path, ids[path], found, anew=anew)
        # Last: DuckDB takes a log away once what it held is durable elsewhere.
        self._into += [Names(((path, None),)) for path in gone]
        self._known = {found.st_ino: ids[path] for path, found in names.items()}
        self._held = set(self._known)

    def _noted(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            self.look(anew=name in ("connect", "ioctl", "copy_file_range"))
            if name == "fsync":
                self._note_fsync(args[0])
            return result

        return call

    def _walk(self, folder: Path) -> list[tuple[Path, os.stat_result]]:
        found = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name in _UNSEEN or entry.name.endswith(".lock"):
                    continue
                path = Path(entry.path)
                found.append((path.relative_to(self._folder), entry.stat(follow_symlinks=False)))
                if entry.is_dir(follow_symlinks=False):
                    found += self._walk(path)
        return found

    def _id(self, number: int) -> int:
        # A number that is free again is soon another file's.
        if number not in self._known:
            self._last += 1
            self._known[number] = self._last
        return self._known[number]

    def _note_new(self, names: dict[Path, os.stat_result], ids: dict[Path, int]) -> None:
        for path, found in names.items():
            if found.st_ino not in self._held:
                self._into.append(Body(ids[path], None if stat.S_ISDIR(found.st_mode) else b""))

    def _note_names(self, names: dict[Path, int]) -> list[Path]:
        """Notes what is new, renames too; returns what went without one."""
        gone = {path: inode for path, inode in self._names.items() if path not in names}
        for path, inode in names.items():
            if self._names.get(path) != inode:
                old = [one for one, of in gone.items() if of == inode][:1]
                gone = {one: of for one, of in gone.items() if one not in old}
                self._into.append(Names(((path, inode), *((one, None) for one in old))))
        self._names = names
        return list(gone)

    def _note_logs(self, names: dict[Path, int]) -> None:
        """Notes what DuckDB wrote at the end of a log that it took away: that the log is done with."""
        for path, inode in names.items():
            held = self._aside / str(inode)
            if path.name.endswith(".duckdb.wal") and is_of_duckdb(path) and not held.exists():
                _link(self._folder / path, held)
        for path, inode in self._names.items():
            held = self._aside / str(inode)
            if path not in names and held.exists():
                last = replace(self._bodies[inode], data=held.read_bytes())
                self._into += [last, Fsync(inode)]

    def _note_body(self, path: Path, inode: int, found: os.stat_result, *, anew: bool) -> None:
        if stat.S_ISDIR(found.st_mode):
            body = Body(inode, None)
        else:
            looks = (found.st_size, found.st_mtime_ns, found.st_mode, found.st_ctime_ns)
            if looks == self._stats.get(inode) and found.st_size > _SMALL and not anew:
                return
            self._stats[inode] = looks
            data = (self._folder / path).read_bytes()
            body = Body(inode, data, stat.S_IMODE(found.st_mode), found.st_mtime_ns)
        if body != self._bodies.get(inode):
            self._bodies[inode] = body
            self._into.append(body)
            if is_of_duckdb(path) and self._into is self.log.operations:
                self._into.append(Fsync(inode))

    def _note_fsync(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if stat.S_ISDIR(found.st_mode):
            if path.is_relative_to(self._folder):
                self._into.append(FsyncFolder(path.relative_to(self._folder)))
        elif found.st_ino in self._known:
            self._into.append(Fsync(self._known[found.st_ino]))


def record(
    plant: Plant,
    task: str,
    log: str,
    mutant: str | None = None,
    published: str | None = None,
    **arguments: Any,
) -> None:
    """A task, with everything it does to its plant's disk written to a file."""
    if published:
        plant.published = plant.folder / published
    recorder = Recorder(plant.folder)
    recorder.watch()
    # On top, so that an fsync that a mutant leaves out is none.
    if mutant:
        mutants.MUTANTS[mutant]()
    try:
        tasks.TASKS[task](plant, **arguments)
        recorder.tell(task)
    finally:
        Path(log).write_bytes(pickle.dumps(recorder.log))


class Recording(nursery.Nursery):
    """A nursery whose children may record, and whose disk may be full half-way."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=nursery.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lock = threading.Lock()
        return self


def main() -> None:
    tasks.TASKS |= {task.__name__: task for task in (record, publish_while_it_fills)}
    nursery.main()


if __name__ == "__main__":
    main()
