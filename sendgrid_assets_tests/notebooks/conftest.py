"""A published file with weeks of mail in it, and the notebooks as their command copies them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from sendgrid_assets_tests.processes import call, environment
from sendgrid_assets_tests.site import Site, make_site

DAYS, EVENTS_A_DAY, DAY_SECONDS = 16, 150, 86_400
SYNCED = (
    "mc_single_sends",
    "mc_single_send_stats",
    "suppression_bounces",
    "suppression_invalid_emails",
    "suppression_spam_reports",
    "suppression_unsubscribes",
    "suppression_groups",
    "suppression_group_members",
    "templates",
)
IRISH = "O'Brien@example.com"
"""An address that is no SQL text as it stands, written in capitals; what became of its one mail says so in HTML."""
REASON = "550 <b>no</b> such user <o'brien@example.com>"


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published file of a small account, its mail's events spread over days up to today."""
    with make_site(tmp_path_factory.mktemp("notebooks")) as site:
        assert site.sync(*SYNCED).success
        load_days(site, DAYS)
        file = site.settings.published
    assert file
    return file


def load_days(site: Site, days: int) -> None:
    """Posts, drains and publishes the events of so many days, the last of them today."""
    account, now = site.account, site.account.clock
    batches = []
    for age in reversed(range(days)):
        account.clock = lambda age=age: now() - age * DAY_SECONDS
        # Fewer on some days than on others, as on weekends.
        batches.append(site.traffic.batch(EVENTS_A_DAY // (1 + age % 3)))
    account.clock = now
    load(site, *batches, [_bounce(account.now())])


def load(site: Site, *batches: list[dict[str, Any]]) -> None:
    site.post(*batches)
    assert site.run("sendgrid_drain").success


def _bounce(at: int) -> dict[str, Any]:
    return {
        "email": IRISH,
        "event": "bounce",
        "type": "bounce",
        "reason": REASON,
        "sg_event_id": "bounce-of-the-irish",
        "sg_message_id": "irish.recvd-1",
        "timestamp": at,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with both notebooks in it."""
    done = call(sys.executable, "-m", "sendgrid_assets.notebooks", cwd=tmp_path, env=environment())
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["deliverability.py", "deliverability.ipynb"]
    return tmp_path
