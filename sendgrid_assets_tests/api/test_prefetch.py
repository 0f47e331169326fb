"""Calls begun before their turn: in order, never too many, and over when their consumer is."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from sendgrid_assets.api.prefetch import Ahead, in_order, is_abandoned

from .waiting import eventually

SOON = 5.0


def test_results_come_in_order_whichever_is_ready_first() -> None:
    def late(number: int) -> int:
        time.sleep(0.03 * (3 - number % 4))
        return number

    assert list(in_order((partial(late, number) for number in range(12)), 4)) == list(range(12))


@pytest.mark.parametrize("width", [1, 2, 5])
def test_never_more_are_under_way_or_waiting_than_allowed(width: int) -> None:
    begun: list[int] = []
    taken = 0
    most = 0

    def calls() -> Iterator[Callable[[], int]]:
        for number in range(30):
            begun.append(number)
            nonlocal most
            most = max(most, len(begun) - taken)
            yield partial(int, number)

    results = in_order(calls(), width)
    for result in results:
        assert result == taken
        taken += 1
    assert taken == 30
    # The one being taken is no longer waiting when the next is drawn.
    assert most == width + 1


def test_calls_are_drawn_only_as_far_as_they_are_begun() -> None:
    drawn = 0

    def calls() -> Iterator[Callable[[], int]]:
        nonlocal drawn
        while True:
            drawn += 1
            yield partial(int, drawn)

    results = in_order(calls(), 3)
    assert drawn == 0
    assert [next(results), next(results)] == [1, 2]
    assert drawn == 5


def test_calls_run_side_by_side() -> None:
    together = threading.Barrier(3)
    assert sorted(in_order([partial(together.wait, SOON)] * 3, 3)) == [0, 1, 2]


def test_nothing_to_call_is_nothing() -> None:
    assert list(in_order([], 4)) == []


def test_width_of_none_is_an_error_and_no_empty_result() -> None:
    with pytest.raises(ValueError, match="0"):
        list(in_order([lambda: 1], 0))


def fail() -> int:
    raise LookupError("third")


def test_exception_comes_in_its_turn_and_ends_the_beginning() -> None:
    begun: list[int] = []
    third_fails = threading.Event()

    def call(number: int) -> int:
        begun.append(number)
        if number == 2:
            third_fails.set()
            return fail()
        if number == 0:
            assert third_fails.wait(SOON)
            time.sleep(0.05)
        return number

    taken: list[int] = []
    results = in_order((partial(call, number) for number in range(50)), 3)
    with pytest.raises(LookupError, match="third"):
        taken.extend(results)
    assert taken == [0, 1]
    assert sorted(begun) == [0, 1, 2]
    assert list(results) == []


@pytest.mark.parametrize("k", range(6))
def test_every_failure_is_raised(k: int) -> None:
    calls = [fail if number == k else partial(int, number) for number in range(6)]
    taken: list[int] = []
    with pytest.raises(LookupError):
        taken.extend(in_order(calls, 3))
    assert taken == list(range(k))


def test_failure_of_what_names_the_calls_is_raised() -> None:
    def calls() -> Iterator[Callable[[], int]]:
        yield lambda: 1
        raise LookupError("no more")

    with pytest.raises(LookupError):
        list(in_order(calls(), 4))


def test_closing_begins_nothing_and_waits_for_nothing() -> None:
    begun: list[int] = []
    ended: list[int] = []
    never = threading.Event()

    def call(number: int) -> int:
        begun.append(number)
        if number:
            never.wait(30)
        ended.append(number)
        return number

    results = in_order((partial(call, number) for number in range(50)), 3)
    assert next(results) == 0
    eventually(lambda: len(begun) == 4)
    results.close()  # type: ignore[attr-defined]
    assert ended == [0]
    never.set()
    eventually(lambda: len(ended) == 4)
    time.sleep(0.05)
    assert len(begun) == 4


def test_work_within_abandoned_work_is_abandoned_too() -> None:
    inner_begun = threading.Event()
    outer_left = threading.Event()
    seen: list[bool] = []

    def inner() -> None:
        seen.append(is_abandoned())
        inner_begun.set()
        assert outer_left.wait(SOON)
        seen.append(is_abandoned())

    def outer() -> None:
        list(in_order([inner], 1))

    with Ahead[None]() as ahead:
        ahead.begin(outer)
        assert inner_begun.wait(SOON)
    outer_left.set()
    eventually(lambda: len(seen) == 2)
    assert seen == [False, True]
    assert not is_abandoned()


def test_work_that_was_taken_is_not_abandoned() -> None:
    with Ahead[bool]() as ahead:
        ahead.begin(is_abandoned)
        assert not ahead.take()
        assert not ahead


class InterruptedHereError(Exception):
    """Raised by a signal's handler."""


def test_signal_ends_the_waiting() -> None:
    def interrupt(_signal: int, _frame: object) -> None:
        raise InterruptedHereError

    never = threading.Event()
    handler = signal.signal(signal.SIGALRM, interrupt)
    before = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(InterruptedHereError):
            next(in_order([partial(never.wait, 30)], 2))
    finally:
        signal.signal(signal.SIGALRM, handler)
        never.set()
    assert time.monotonic() - before < SOON


CANCELLED = """
import sys
from sendgrid_assets.api.client import Client
from sendgrid_assets.api.prefetch import in_order
with Client("SG.key", sys.argv[1]) as client:
    list(in_order([lambda: client.get("/v3/x")] * 9, 3))
"""


def test_cancelled_process_ends_while_answers_are_awaited() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = "http://{}:{}".format(*listener.getsockname())
        process = subprocess.Popen([sys.executable, "-c", CANCELLED, url], stderr=subprocess.PIPE, text=True)
        listener.settimeout(30)
        connections = [listener.accept()[0] for _ in range(3)]
        before = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        for connection in connections:
            connection.close()
    assert time.monotonic() - before < SOON
    assert "KeyboardInterrupt" in said
    assert process.returncode != 0
