"""A thousand clients at once are answered 2xx or 503 and nothing else, share fsyncs, and lose nothing."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from itertools import islice

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sendgrid_assets_tests.processes import descriptors
from sendgrid_assets_tests.webhook.conftest import Signer

from .invariant import Told, judge
from .nursery import Nursery
from .plant import Plant
from .posting import Sender
from .receiving import Receiver
from .traffic import batches

CLIENTS, POSTS, EVENTS = 1_000, 2_000, 2


@pytest.fixture
def enough() -> Iterator[None]:
    with descriptors(2 * CLIENTS):
        yield


def numbers(port: int) -> dict[str, float]:
    """What /metrics says of the source, by name and status."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    return {
        sample.name + sample.labels.get("status", ""): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("source") == "sendgrid" and "le" not in sample.labels
    }


@pytest.mark.usefixtures("enough")
def test_a_thousand_clients_are_answered_or_told_to_come_again(
    nursery: Nursery, plant: Plant, signer: Signer
) -> None:
    told = Told()
    receiver = Receiver(nursery, plant, signer)
    resource.prlimit(receiver.child.pid, resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))
    assert receiver.ready()
    sent = islice(batches("many", EVENTS, unsound_every=500), POSTS)
    answers = Sender(receiver.port, signer, told).pour(sent, clients=CLIENTS, seconds=60)
    counted = numbers(receiver.port)
    assert receiver.stop() == 0
    assert set(answers.statuses) <= {204, 503}
    assert answers.statuses.total() == POSTS
    assert counted["sendgrid_receiver_requests_total204"] == answers.statuses[204] > 0
    assert counted["sendgrid_receiver_commit_posts_sum"] >= answers.statuses[204] - POSTS // 500
    # Each commit is one write and at most two fsyncs, whoever and however many wait for it.
    assert counted["sendgrid_receiver_fsync_seconds_count"] * 10 < answers.statuses[204]
    assert len(told.acknowledged) >= (answers.statuses[204] - POSTS // 500) * EVENTS
    nursery.must("settle", plant)
    assert judge(plant, told).wrong == ()
