"""The benchmark `freshness`: from the POST of an event until people can query it.

Belongs here: posting events one by one and seeing when each arrives. Does not: the site (`live`), the bare run
(`bare_run`).

Nobody opens the warehouse meanwhile: a file of events that left `new/` is committed, and which events it held is looked
up afterwards.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import httpx

from sendgrid_assets.settings import load_settings
from sendgrid_assets_tests.live import LiveSite, dagster_dev, live_site
from sendgrid_assets_tests.load import Sender
from sendgrid_assets_tests.processes import environment

from .bare_run import FOLDER, INTERVAL
from .benchmark import Benchmark, Outcome, Target, Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from .benchmark import Facts
    from .run import Run

_PROBES = 35
_INTERVALS = 4
"""The probes are spread over so many of the sensor's: coprime to their number, so that each has a phase of its own."""

_RATE = 1000.0
_LATEST_SECONDS = 300.0
_SHARES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
_PLACES = ("table", "snapshot")


@contextmanager
def _prepare(folder: Path, scale: float) -> Iterator[Callable[[float], Facts]]:
    def facts(share: float) -> Facts:
        full = scale >= 0.1
        interval = load_settings({}).drain_interval_seconds if full else 1
        return {
            "probes": max(3, round(_PROBES * scale * share)),
            "between": _INTERVALS * interval / _PROBES if full else 0.5,
            "rate": _RATE if full else 100.0,
            "interval": interval,
        }

    yield facts


class _Watch(Thread):
    """Notes when each file left a folder, and when each event was first seen in the published file."""

    def __init__(self, folder: Path, site: LiveSite | None = None) -> None:
        super().__init__(daemon=True)
        self._folder, self._site = folder, site
        self._ends = Event()
        self._file: tuple[int, int] | None = None
        self.left: dict[str, float] = {}
        self.published: dict[str, float] = {}

    def run(self) -> None:
        before: set[str] = set()
        while not self._ends.wait(0.1):
            now = {entry.name for entry in os.scandir(self._folder)}
            for name in before - now:
                self.left[name] = time.time()
            before = now
            if self._site:
                self._look(self._site)

    def stop(self) -> None:
        self._ends.set()
        self.join()

    def _look(self, site: LiveSite) -> None:
        assert site.settings.published
        try:
            there = site.settings.published.stat()
        except FileNotFoundError:
            return
        if self._file != (there.st_ino, there.st_mtime_ns):
            self._file = (there.st_ino, there.st_mtime_ns)
            for (probe,) in site.published(
                "SELECT sg_event_id FROM sendgrid.open WHERE sg_event_id LIKE 'probe-%'"
            ):
                self.published.setdefault(probe, time.time())


def _ours(run: Run) -> Outcome:
    facts = run.facts
    interval: int = facts["interval"]
    figures: dict[str, float] = {}
    with live_site(run.folder, SENDGRID_DRAIN_INTERVAL_SECONDS=str(interval)) as site:
        _warm_up(site)
        with run.timed():
            figures |= _at(site, run, "at rest")
            # From an interval before the first probe until one after the last, which is drained under load too.
            sender = Sender(site, facts["rate"], facts["probes"] * facts["between"] + 2 * interval)
            sender.start()
            time.sleep(interval)
            figures |= _at(site, run, "under load")
            sender.join()
        published = _publish_seconds(site.ui)
        figures["% of the time publishing"] = 100 * sum(published) / run.seconds
        figures["publishes"] = len(published)
    assert sender.posted.refused == 0
    return Outcome(facts["probes"], None, figures)


def _warm_up(site: LiveSite) -> None:
    """Waits until a first event is published: Dagster has started, and the warehouse is made."""
    event = {
        "event": "open",
        "email": "probe@example.com",
        "sg_event_id": "first",
        "timestamp": int(time.time()),
    }
    with httpx.Client(timeout=30) as client:
        assert site.traffic.post(site.webhook, [event], client).is_success
    _await(lambda: site.settings.published and site.settings.published.exists())


def _at(site: LiveSite, run: Run, when: str) -> dict[str, float]:
    """Posts events one by one and waits until all are published."""
    facts = run.facts
    watch = _Watch(site.settings.landing_dir / "sendgrid" / "new", site)
    watch.start()
    posted: dict[str, float] = {}
    with httpx.Client(timeout=30) as client:
        for number in range(facts["probes"]):
            probe = f"probe-{when}-{number}"
            posted[probe] = time.time()
            event = {"event": "open", "email": "probe@example.com", "sg_event_id": probe}
            answer = site.traffic.post(site.webhook, [event | {"timestamp": int(time.time())}], client)
            assert answer.is_success
            time.sleep(facts["between"])
    _await(lambda: posted.keys() <= watch.published.keys())
    watch.stop()
    files = site.published(
        "SELECT sg_event_id, source_file FROM sendgrid.open WHERE sg_event_id LIKE 'probe-%'"
    )
    file_of: dict[str, str] = dict(files)  # type: ignore[arg-type]
    table = [watch.left[file_of[probe]] - at for probe, at in posted.items()]
    snapshot = [watch.published[probe] - at for probe, at in posted.items()]
    return _figures(when, {"table": table, "snapshot": snapshot})


def _bare(run: Run) -> Outcome:
    facts = run.facts
    waiting = run.folder / "waiting"
    waiting.mkdir()
    variables = {FOLDER: str(waiting), INTERVAL: str(facts["interval"])}
    posted: dict[str, float] = {}
    with dagster_dev(run.folder, environment(**variables), "sendgrid_assets_tests.benchmarks.bare_run"):
        (waiting / "first").touch()
        _await(lambda: not any(waiting.iterdir()))
        watch = _Watch(waiting)
        watch.start()
        with run.timed():
            for number in range(facts["probes"]):
                posted[str(number)] = time.time()
                (waiting / str(number)).touch()
                time.sleep(facts["between"])
            _await(lambda: posted.keys() <= watch.left.keys())
        watch.stop()
    taken = [watch.left[name] - at for name, at in posted.items()]
    figures = [_figures(when, dict.fromkeys(_PLACES, taken)) for when in ("at rest", "under load")]
    return Outcome(facts["probes"], None, figures[0] | figures[1])


def _figures(when: str, seconds: dict[str, Sequence[float]] | dict[str, list[float]]) -> dict[str, float]:
    return {
        f"{place} {name} s {when}": sorted(taken)[min(len(taken) - 1, int(share * len(taken)))]
        for place, taken in seconds.items()
        for name, share in _SHARES
    }


def _await(condition: Callable[[], object]) -> None:
    patience = time.monotonic() + _LATEST_SECONDS
    while not condition():
        assert time.monotonic() < patience, f"not all events arrived within {_LATEST_SECONDS:.0f} s"
        time.sleep(0.1)


def _publish_seconds(ui: str) -> list[float]:
    """How long each publish took, as Dagster was told."""
    query = """{ assetOrError(assetKey: {path: ["warehouse", "published"]}) { ... on Asset {
      assetMaterializations(limit: 1000) { metadataEntries { label ... on FloatMetadataEntry { floatValue } } } } } }"""
    answer: Any = httpx.post(f"{ui}/graphql", json={"query": query}, timeout=30).json()
    return [
        entry["floatValue"]
        for one in answer["data"]["assetOrError"]["assetMaterializations"]
        for entry in one["metadataEntries"]
        if entry["label"] == "seconds"
    ]


FRESHNESS = Benchmark(
    name="freshness",
    what=(
        "Events are posted one by one, at rest and beside 1,000 events a second, until each is committed (`table`) and"
        " in the published file (`snapshot`); default settings, receiver and `dagster dev` as processes of their own."
    ),
    prepare=_prepare,
    variants=(
        Variant("ours", "ours", "POST to table and snapshot, through receiver, sensor and drain", _ours),
        Variant(
            "bare run",
            "limit",
            "a file to its removal, by a sensor of the same interval and a job of one asset that does nothing else",
            _bare,
        ),
    ),
    targets=tuple(
        Target("bare run", figure=f"{place} p95 s {when}", most=1.3)
        for when in ("at rest", "under load")
        for place in _PLACES
    ),
)
