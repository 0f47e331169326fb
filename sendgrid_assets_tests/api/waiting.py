"""What tests of threads share: starting one, and waiting for what it brings about."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future


def begun(work: Callable[[], object]) -> Future[object]:
    """Runs it on a thread."""
    future: Future[object] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised where it is taken
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def eventually(holds: Callable[[], bool]) -> None:
    """Waits until it holds."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)
