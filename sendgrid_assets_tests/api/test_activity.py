"""Email Activity, which shows a thousand rows of a window and no more."""

import datetime as dt
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from sendgrid_assets.api.errors import RefusedError
from sendgrid_assets.api.known import Known
from sendgrid_assets.api.listing import Listing
from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.catalog.paging import ByActivity
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.server import create_app

from .conftest import API_KEY, FakeTime, MakeClient

ACTIVITY = BY_TABLE["email_activity"]
SMALL = replace(ACTIVITY, paging=ByActivity(member="last_event_time", limit=10))


def message(id_: str, seconds: float) -> dict[str, Any]:
    instant = dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "from_email": "shop@example.com",
        "msg_id": id_,
        "subject": "Hello",
        "to_email": "casey@example.com",
        "status": "delivered",
        "opens_count": 0,
        "clicks_count": 0,
        "last_event_time": instant,
    }


def read(make_client: MakeClient, account: Account, known: Known = Known()) -> tuple[Listing, Counter[str]]:  # noqa: B008
    limits = {"/v3/messages": (1_000_000, 60.0)}
    listing = Listing(make_client(create_app(account, api_key=API_KEY, limits=limits)), SMALL, known)
    return listing, Counter(json.loads(row)["msg_id"] for row in listing)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 137])
def test_windows_are_halved_until_each_fits(
    make_client: MakeClient, account: Account, fake_time: FakeTime, count: int
) -> None:
    span = 29 * 86_400
    account.messages[:] = [
        message(f"m{n}", fake_time.now - 60 - n * span / (count + 1)) for n in range(count)
    ]
    listing, found = read(make_client, account)
    assert found == Counter({f"m{n}": 1 for n in range(count)})
    assert listing.whole
    assert not listing.partial


def test_a_crowded_second_is_told_apart_by_id(
    make_client: MakeClient, account: Account, fake_time: FakeTime
) -> None:
    ids = [f"{letter}{n}" for letter in "aBc-9" for n in range(6)]
    account.messages[:] = [message(id_, fake_time.now - 5000) for id_ in ids]
    listing, found = read(make_client, account)
    assert set(found) == set(ids)
    assert listing.whole


def test_a_second_too_crowded_for_that_proves_nothing(
    make_client: MakeClient, account: Account, fake_time: FakeTime
) -> None:
    account.messages[:] = [message(f"a{n}", fake_time.now - 5000) for n in range(25)]
    listing, found = read(make_client, account)
    assert len(found) >= 10
    assert not listing.whole
    assert "second" in (listing.doubt or "")


def test_only_what_is_new_is_asked_for(
    make_client: MakeClient, account: Account, fake_time: FakeTime
) -> None:
    account.messages[:] = [message("old", fake_time.now - 90_000), message("new", fake_time.now - 300)]
    since = dt.datetime.fromtimestamp(fake_time.now - 3600, dt.UTC).replace(tzinfo=None)
    listing, found = read(make_client, account, Known(since=since))
    assert set(found) == {"new"}
    assert listing.partial
    assert listing.since == since


def test_six_requests_a_minute_are_kept_to(
    make_client: MakeClient, account: Account, fake_time: FakeTime
) -> None:
    account.messages[:] = [message(f"m{n}", fake_time.now - 60 - n * 20_000) for n in range(100)]
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), SMALL)
    assert len(list(listing)) >= 100
    asked = len([path for _, path in account.requests if path.startswith("/v3/messages")])
    # Nothing was asked for in vain: the rate limit's headers were heeded before it was reached.
    assert listing.requests == asked
    assert 60 * (asked // 6 - 1) <= listing.waited_seconds <= 60 * (asked // 6 + 1)


def test_without_the_add_on_it_is_refused(make_client: MakeClient, account: Account) -> None:
    account.email_activity = False
    with pytest.raises(RefusedError, match="email_activity"):
        Listing(make_client(create_app(account, api_key=API_KEY)), ACTIVITY)
