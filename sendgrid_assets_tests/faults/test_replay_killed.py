"""A replay changes nothing where all is there and brings all back where it is not, wherever it is killed.

Some points only; `python -m sendgrid_assets_tests.faults --sweep` goes through every call.
"""

from __future__ import annotations

import pytest

from sendgrid_assets_tests.webhook.conftest import Signer

from .nursery import Nursery
from .plant import Plant
from .replays import Replays
from .sweeps import at_failpoints, at_system_calls


@pytest.fixture(scope="module")
def replays(
    nursery: Nursery, empty: Plant, signer: Signer, tmp_path_factory: pytest.TempPathFactory
) -> Replays:
    made = Replays(nursery, Plant(tmp_path_factory.mktemp("replays")).prepare(like=empty), signer)
    made.prepare()
    return made


def test_a_replay_killed_at_calls_of_python(replays: Replays) -> None:
    replays.replays_of_what_is_there(at_failpoints("kill", "after"), first=25, stride=60, most=2)
    assert replays.swept.points == 2
    # Between the inserts of the first day's transaction, and of the second's.
    replays.replays_into_nothing(at_failpoints("kill", "after", "INSERT"), first=11, stride=16, most=2)
    swept = replays.end()
    assert (swept.wrong, swept.points) == ([], 4)


@pytest.mark.usefixtures("tracer")
def test_a_replay_killed_at_a_system_call(replays: Replays) -> None:
    before = replays.swept.points
    replays.replays_into_nothing(at_system_calls("pwrite64", "kill"), first=12, most=1)
    swept = replays.end()
    assert (swept.wrong, swept.points) == ([], before + 1)
