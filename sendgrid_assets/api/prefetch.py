"""Calls begun before their turn, on threads of their own, their results taken in order.

Belongs here: threads, order, how many are under way, and whose work nobody waits for any more. Does not: what
is called.
The threads are daemons, so that a run that ends never waits for an answer.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")


class _Call(Generic[T]):
    """A call on a thread of its own; `outer` is the call in which it was begun, if any."""

    def __init__(self, outer: _Call[object] | None) -> None:
        self.future: Future[T] = Future()
        self.is_dropped = False
        self._outer = outer

    @property
    def is_abandoned(self) -> bool:
        return self.is_dropped or (self._outer is not None and self._outer.is_abandoned)

    def run(self, call: Callable[[], T]) -> None:
        _HERE.call = self  # type: ignore[assignment]
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - raised where it is taken
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class _Here(threading.local):
    """What this thread was begun for."""

    call: _Call[object] | None = None


_HERE = _Here()


def is_abandoned() -> bool:
    """Whether nobody will take what this thread is working on."""
    return _HERE.call is not None and _HERE.call.is_abandoned


class Ahead(Generic[T]):
    """Calls begun and not taken yet, of one consumer; leaving the context drops them.

    What is dropped goes on to its end unless it asks `is_abandoned`; so does what it has begun itself.
    """

    def __init__(self) -> None:
        self._begun: deque[_Call[T]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    def __len__(self) -> int:
        return len(self._begun)

    @property
    def has_failed(self) -> bool:
        """Whether one of them is known to have failed."""
        return any(call.future.done() and call.future.exception() for call in self._begun)

    def begin(self, work: Callable[[], T]) -> None:
        """Runs it on a thread of its own."""
        call: _Call[T] = _Call(_HERE.call)
        self._begun.append(call)
        threading.Thread(target=call.run, args=(work,), name="sendgrid-ahead", daemon=True).start()

    def take(self) -> T:
        """The result of the one begun first; waits for it, and a signal's handler may end the waiting."""
        return self._begun.popleft().future.result()

    def drop(self) -> None:
        """Nobody will take those that are there."""
        for call in self._begun:
            call.is_dropped = True
        self._begun.clear()


def in_order(calls: Iterable[Callable[[], T]], width: int) -> Iterator[T]:
    """The calls' results, in their order.

    An exception is raised when its call's turn comes; once one is known, no further call is begun. Nor is one
    after the generator is closed, and those under way are not waited for.

    Args:
        calls: drawn from only as far as they are begun.
        width: most that are under way or wait to be taken.

    Raises:
        ValueError: the width lets nothing begin.
    """
    if width < 1:
        raise ValueError(f"Nothing can be done {width} at a time.")
    source = iter(calls)
    with Ahead[T]() as ahead:
        _fill(ahead, source, width)
        while ahead:
            result = ahead.take()
            _fill(ahead, source, width)
            yield result


def _fill(ahead: Ahead[T], source: Iterator[Callable[[], T]], width: int) -> None:
    while len(ahead) < width and not ahead.has_failed:
        call = next(source, None)
        if call is None:
            return
        ahead.begin(call)
