"""Drains, publishes and receivers at once, in processes of their own, neither double nor lose."""

from __future__ import annotations

from itertools import islice

from sendgrid_assets_tests.webhook.conftest import Signer

from .invariant import Told, judge
from .nursery import Nursery
from .plant import Plant
from .posting import Sender
from .receiving import Receiver
from .traffic import batches


def test_two_of_each_at_once(nursery: Nursery, plant: Plant, signer: Signer) -> None:
    told = Told()
    for number, one in enumerate(islice(batches("put", 20, unsound_every=5), 12)):
        plant.put(f"{number:03}.ndjson", one.lines())
        told.put(one.keys)
    receivers = [Receiver(nursery, plant, signer) for _ in range(2)]
    assert all(receiver.ready() for receiver in receivers)
    for _ in range(2):
        children = [nursery.start("drain", plant, arguments={"chunk_bytes": 4000}) for _ in range(2)]
        children.append(nursery.start("publish", plant))
        sent = list(islice(batches(f"posted-{len(told.sent)}", 5), 30))
        for receiver in receivers:
            # The same events to both: a sender that had no answer does so.
            answers = Sender(receiver.port, signer, told).pour(iter(sent), clients=4, seconds=10)
            assert answers.statuses == {204: 30}
        assert [child.wait() for child in children] == [0, 0, 0]
    assert [receiver.stop() for receiver in receivers] == [0, 0]
    nursery.must("settle", plant)
    assert judge(plant, told).wrong == ()
