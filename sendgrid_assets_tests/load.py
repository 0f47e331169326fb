"""A load that goes on: signed POSTs at a steady rate, with the sensor draining beside the receiver, default settings.

`python -m sendgrid_assets_tests.load 600 --rate 1000` posts a thousand events a second for ten minutes, says how things
stand every half minute, and ends with status 1 where an event was refused, lost or doubled, the backlog or memory went
on growing, or the published file lacks what was committed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import click
import duckdb
import httpx

from .live import LiveSite, live_site
from .processes import processes_that_mention

EVENTS_A_POST = 50
SAY_SECONDS = 30.0
SETTLE_SECONDS = 300.0
SENDERS = 16

_KINDS = {
    "receive": "receiver",
    "multiprocessing.spawn": "run",
    "dagster._daemon": "daemon",
    "dagster_webserver": "webserver",
    "code-server": "code server",
    "api grpc": "code server",
}


@dataclass
class Posted:
    """What was posted, and how it was answered."""

    events: int = 0
    posts: int = 0
    refused: int = 0
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, events: int, taken: bool, seconds: float) -> None:
        with self.lock:
            self.seconds.append(seconds)
            self.posts += 1
            self.events += events if taken else 0
            self.refused += not taken

    def answer_ms(self, share: float) -> float:
        """The time within which this share of POSTs was answered, from when they were due."""
        with self.lock:
            ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else 0.0


@dataclass
class Sample:
    """One look: seconds since the start, what waits, and megabytes of memory by kind of process."""

    at: float
    files: int
    bytes: int
    memory: dict[str, float]


class Sender(threading.Thread):
    """Posts batches when they are due, whether or not the earlier ones were answered."""

    def __init__(self, site: LiveSite, rate: float, seconds: float) -> None:
        super().__init__()
        self._site, self._rate, self._seconds = site, rate, seconds
        self.posted = Posted()

    def run(self) -> None:
        every, begun = EVENTS_A_POST / self._rate, time.monotonic()
        with httpx.Client(timeout=30) as client, ThreadPoolExecutor(SENDERS) as pool:
            for number in range(round(self._seconds / every)):
                body = self._site.traffic.body(self._site.traffic.batch(EVENTS_A_POST))
                due = begun + number * every
                time.sleep(max(0.0, due - time.monotonic()))
                pool.submit(self._post, client, body, due)

    def _post(self, client: httpx.Client, body: bytes, due: float) -> None:
        try:
            taken = self._site.traffic.post_body(self._site.webhook, body, client).is_success
        except httpx.HTTPError:
            taken = False
        self.posted.note(EVENTS_A_POST, taken, time.monotonic() - due)


def look(site: LiveSite, begun: float) -> Sample:
    files, size = site.backlog()
    memory: dict[str, float] = {}
    for pid in processes_that_mention(f"SENDGRID_MARK={site.folder}"):
        with suppress(OSError, StopIteration):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            kind = next(kind for word, kind in _KINDS.items() if word in command)
            memory[kind] = max(memory.get(kind, 0.0), _resident_mb(pid))
    return Sample(time.monotonic() - begun, files, size, memory)


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def watched(site: LiveSite, sender: Sender) -> list[Sample]:
    """A look a second until all is posted."""
    begun, samples, said = time.monotonic(), [], 0.0
    while sender.is_alive():
        samples.append(look(site, begun))
        if samples[-1].at - said >= SAY_SECONDS:
            said = samples[-1].at
            click.echo(f"{said:5.0f} s: {_state(sender.posted, samples)}")
        time.sleep(1)
    return samples


def _state(posted: Posted, samples: list[Sample]) -> str:
    most = {kind: max(s.memory.get(kind, 0.0) for s in samples) for s in samples for kind in s.memory}
    memory = ", ".join(f"{kind} {size:.0f}" for kind, size in sorted(most.items()))
    return (
        f"{posted.events:,} events acknowledged, {posted.refused} POSTs refused,"
        f" answered in {posted.answer_ms(0.5):.0f} ms (p50), {posted.answer_ms(0.99):.0f} ms (p99),"
        f" backlog {samples[-1].bytes / 1e6:.0f} MB (at most {max(s.bytes for s in samples) / 1e6:.0f} MB in"
        f" {max(s.files for s in samples)} files), MB at most: {memory}"
    )


def grew(samples: list[Sample]) -> list[str]:
    """What was larger in the last third than ever in the second, by more than chance."""
    third = len(samples) // 3
    before, after = samples[third : 2 * third], samples[2 * third :]
    found = []
    if max(s.bytes for s in after) > 1.5 * max(s.bytes for s in before) + 20e6:
        found.append("the backlog went on growing")
    for kind in ("receiver", "run", "daemon", "code server"):
        earlier, later = (max(s.memory.get(kind, 0.0) for s in part) for part in (before, after))
        if later > 1.2 * earlier + 30:
            found.append(f"the memory of the {kind} went on growing, from {earlier:.0f} to {later:.0f} MB")
    return found


def settled(site: LiveSite, events: int) -> bool:
    """Waits until all is loaded and published; whether it was in time."""
    patience = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < patience:
        if site.published("SELECT count(*) FROM sendgrid.activity") == [(events,)]:
            return True
        time.sleep(1)
    return False


def commits(url: str) -> tuple[float, float]:
    """Groups made durable, and POSTs in all of them."""
    told = dict(line.rsplit(" ", 1) for line in httpx.get(url).text.splitlines() if not line.startswith("#"))
    name = 'sendgrid_receiver_commit_posts_{}{{source="sendgrid"}}'
    return float(told[name.format("count")]), float(told[name.format("sum")])


def rows(site: LiveSite) -> tuple[int, int, int]:
    """Rows of the event tables, their distinct identities, and rejected lines."""
    with duckdb.connect(site.settings.warehouse, read_only=True) as connection:
        found = connection.execute(
            "SELECT count(*), count(DISTINCT (sg_event_id, event)),"
            " (SELECT count(*) FROM _sendgrid_assets.rejected_events) FROM sendgrid.activity"
        ).fetchone()
    assert found
    return found


@click.command()
@click.argument("seconds", default=600.0)
@click.option("--rate", default=1000.0, show_default=True, help="Events a second.")
def main(seconds: float, rate: float) -> None:
    """Post events at a steady rate, and see whether everything keeps up."""
    broken: list[str] = []
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        with live_site(Path(folder)) as site:
            sender = Sender(site, rate, seconds)
            sender.start()
            samples = watched(site, sender)
            sender.join()
            posted, ended = sender.posted, time.monotonic()
            if settled(site, posted.events):
                click.echo(f"Loaded and published {time.monotonic() - ended:.0f} s after the last POST.")
            else:
                broken.append(f"not all was published within {SETTLE_SECONDS:.0f} s")
            groups, in_groups = commits(site.webhook.replace("/webhooks/sendgrid", "/metrics"))
        there, distinct, rejected = rows(site)
    if posted.refused:
        broken.append(f"{posted.refused} POSTs were refused")
    if (there, distinct, rejected) != (posted.events, posted.events, 0):
        broken.append(f"{posted.events} acknowledged, {there} rows, {distinct} distinct, {rejected} rejected")
    if seconds >= 10 * SAY_SECONDS:
        broken += grew(samples)
    click.echo(
        f"{_state(posted, samples)}; {in_groups / groups:.2f} POSTs an fsync; {there:,} rows, {rejected} rejected."
    )
    click.echo("Broken: " + "; ".join(broken) if broken else "Every promise was kept.")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
