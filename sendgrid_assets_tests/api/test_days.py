"""Statistics by day: which days and names are asked for, and what becomes of the answers."""

import datetime as dt
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sendgrid_assets.api.errors import RefusedError, SendGridError
from sendgrid_assets.api.known import Known
from sendgrid_assets.api.listing import Listing
from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.server import create_app

from .conftest import API_KEY, FakeTime, MakeClient, Script

STATS, CATEGORY_STATS, SUBUSER_STATS = (
    BY_TABLE["stats"],
    BY_TABLE["category_stats"],
    BY_TABLE["subuser_stats"],
)


def today(fake_time: FakeTime) -> dt.date:
    return dt.datetime.fromtimestamp(fake_time.now, dt.UTC).date()


def asked(account: Account, path: str) -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(one).query) for _, one in account.requests if urlsplit(one).path == path]


def rows(listing: Listing) -> list[dict[str, Any]]:
    return [json.loads(row) for row in listing]


def test_a_row_for_every_day_from_the_first_on(
    make_client: MakeClient, account: Account, fake_time: FakeTime
) -> None:
    first = today(fake_time) - dt.timedelta(days=200)
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), STATS, Known(start_date=first))
    found = rows(listing)
    assert [row["date"] for row in found] == [(first + dt.timedelta(days=n)).isoformat() for n in range(201)]
    assert all("delivered" in row["metrics"] for row in found)
    spans = asked(account, "/v3/stats")
    assert len(spans) == 3
    # The last one is open: today is another day in the account's time zone.
    assert sum("end_date" not in span for span in spans) == 1
    assert listing.whole
    assert not listing.partial
    assert listing.since == dt.datetime.combine(first, dt.time.min)


@pytest.mark.parametrize(("days", "requests"), [(0, 1), (1, 1), (2, 1), (3, 2), (5, 2), (6, 3)])
def test_spans_touch_and_do_not_overlap(
    make_client: MakeClient, account: Account, fake_time: FakeTime, days: int, requests: int
) -> None:
    first = today(fake_time) - dt.timedelta(days=days)
    short = replace(STATS, paging=replace(STATS.paging, days=3))  # type: ignore[type-var]
    found = rows(Listing(make_client(create_app(account, api_key=API_KEY)), short, Known(start_date=first)))
    dates = [row["date"] for row in found]
    assert dates == sorted(set(dates))
    assert len(dates) == days + 1
    assert len(asked(account, "/v3/stats")) == requests


def test_a_first_day_in_the_future_is_today(
    make_client: MakeClient, account: Account, fake_time: FakeTime
) -> None:
    known = Known(start_date=today(fake_time) + dt.timedelta(days=30))
    found = rows(Listing(make_client(create_app(account, api_key=API_KEY)), STATS, known))
    assert [row["date"] for row in found] == [today(fake_time).isoformat()]


def test_only_recent_days_are_read_again(
    make_client: MakeClient, account: Account, fake_time: FakeTime
) -> None:
    since = dt.datetime.combine(today(fake_time) - dt.timedelta(days=10), dt.time(13, 30))
    known = Known(start_date=today(fake_time) - dt.timedelta(days=400), since=since)
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), STATS, known)
    assert len(rows(listing)) == 11
    assert listing.partial
    assert listing.since == since


def test_names_are_asked_for_in_tens_and_new_ones_from_the_first_day(
    make_client: MakeClient, account: Account, fake_time: FakeTime
) -> None:
    names = [row["category"] for row in account.categories]
    assert len(names) > 10
    start = today(fake_time) - dt.timedelta(days=60)
    since = dt.datetime.combine(today(fake_time) - dt.timedelta(days=10), dt.time.min)
    new = names[3]
    known = Known(start_date=start, since=since, names=frozenset(names) - {new})
    found = rows(Listing(make_client(create_app(account, api_key=API_KEY)), CATEGORY_STATS, known))
    requests = asked(account, "/v3/categories/stats")
    assert max(len(request["categories"]) for request in requests) == 10
    assert sorted(name for request in requests for name in request["categories"]) == sorted(names)
    days = {name: [row["date"] for row in found if row["name"] == name] for name in names}
    assert len(days[new]) == 61
    assert {len(dates) for name, dates in days.items() if name != new} == {11}


def test_at_first_all_names_are_read_from_the_first_day(
    make_client: MakeClient, account: Account, fake_time: FakeTime
) -> None:
    known = Known(start_date=today(fake_time) - dt.timedelta(days=20))
    found = rows(Listing(make_client(create_app(account, api_key=API_KEY)), SUBUSER_STATS, known))
    assert len(found) == 21 * len(account.subusers)
    assert {row["name"] for row in found} == {row["username"] for row in account.subusers}


def test_without_names_there_is_nothing_to_ask(make_client: MakeClient, account: Account) -> None:
    account.categories.clear()
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), CATEGORY_STATS)
    assert rows(listing) == []
    assert asked(account, "/v3/categories/stats") == []
    assert listing.whole


def test_a_refused_list_of_names_refuses_their_statistics(make_client: MakeClient, account: Account) -> None:
    app = create_app(account, api_key=API_KEY, refused=["/v3/subusers"])
    with pytest.raises(RefusedError, match="subuser_stats"):
        Listing(make_client(app), SUBUSER_STATS)


@pytest.mark.parametrize(
    "answer",
    [
        Response(b"<html>"),
        Response(b""),
        JSONResponse({"errors": []}),
        JSONResponse([{"date": "2026-01-01"}]),
        JSONResponse([{"stats": []}]),
        JSONResponse([{"date": "2026-01-01", "stats": [1]}]),
        Response(b'[{"date":"2026-01-01","stats":[{"metrics":{'),
    ],
)
def test_an_answer_that_is_no_statistics_fails_the_listing(make_client: MakeClient, answer: Response) -> None:
    with pytest.raises(SendGridError):
        rows(Listing(make_client(Script(answer)), STATS))


def test_an_answer_that_holds_no_more_goes_on_from_its_last_day(
    make_client: MakeClient, fake_time: FakeTime
) -> None:
    first = today(fake_time) - dt.timedelta(days=9)
    names = [f"provider {n}" for n in range(120)]

    def answer(request: Request) -> Response:
        start = dt.date.fromisoformat(request.query_params["start_date"])
        spent, days = 0, []
        while start <= today(fake_time) and spent < 500:
            some = names[: 500 - spent]
            spent += len(some)
            stats = [{"type": "mailbox_provider", "name": name, "metrics": {}} for name in some]
            days.append({"date": start.isoformat(), "stats": stats})
            start += dt.timedelta(days=1)
        return JSONResponse(days)

    client = make_client(Script(answer))
    found = rows(Listing(client, BY_TABLE["mailbox_provider_stats"], Known(start_date=first)))
    assert len({(row["date"], row["name"]) for row in found}) == 10 * len(names)
