"""Faults at the calls that Python makes: every SQL statement, and every call that changes a file's name or durability.

Belongs here: counting those calls in one order, and killing or failing one of them. Does not: native code's own calls
(`tracing`).
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import duckdb

FILE_CALLS = ("rename", "replace", "link", "unlink", "fsync", "write", "utime", "chmod", "copy_file_range")

Before = Callable[[str], None]
After = Callable[[str], None]


class Connection:
    """A DuckDB connection whose statements go through a given function."""

    def __init__(self, connection: Any, execute: Callable[..., Any]) -> None:
        self._connection, self._execute = connection, execute

    def execute(self, sql: str, *args: Any, **kwargs: Any) -> Any:
        return self._execute(self._connection, sql, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def through(execute: Callable[..., Any]) -> None:
    """From here on, all statements of this process go through the function: (connection, sql, …)."""
    connect = duckdb.connect

    def connecting(*args: Any, **kwargs: Any) -> Connection:
        return Connection(connect(*args, **kwargs), execute)

    duckdb.connect = connecting  # type: ignore[assignment]


def watched(before: Before, after: After) -> None:
    """From here on, both functions are told of each call: a file call's name, or a statement's first word."""

    def execute(connection: Any, sql: str, *args: Any, **kwargs: Any) -> Any:
        word = sql.split(None, 1)[0].upper()
        before(word)
        result = connection.execute(sql, *args, **kwargs)
        after(word)
        return result

    def told(original: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            before(name)
            result = original(*args, **kwargs)
            after(name)
            return result

        return call

    through(execute)
    for name in FILE_CALLS:
        setattr(os, name, told(getattr(os, name), name))
    fcntl.ioctl = told(fcntl.ioctl, "ioctl")  # type: ignore[assignment]


def arm(at: int, action: str = "kill", *, mark: Path, when: str = "before", only: str | None = None) -> None:
    """From here on, the `at`-th call has the fault.

    Args:
        at: from 1.
        action: `kill`, or the name of an errno, which fails that call alone.
        mark: a file that is made when the fault comes.
        when: `before` or `after` the call is made.
        only: count calls of this name alone.
    """
    left = at

    def strike(name: str) -> None:
        nonlocal left
        if only not in (None, name):
            return
        left -= 1
        if left:
            return
        os.close(os.open(mark, os.O_WRONLY | os.O_CREAT))
        if action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if name.islower():
            number = getattr(errno, action)
            raise OSError(number, os.strerror(number))
        raise duckdb.IOException(f"{action} at {name}")

    def nothing(_name: str) -> None:
        """The other side of the call."""

    watched(*((strike, nothing) if when == "before" else (nothing, strike)))
