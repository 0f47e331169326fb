"""What a listing says of itself beside its rows."""

import datetime as dt
import gc
import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, Response

from sendgrid_assets.api.errors import BadAnswerError, DeadKeyError, RefusedError, UnavailableError
from sendgrid_assets.api.listing import Listing
from sendgrid_assets.catalog.objects import BY_TABLE, OBJECT_COLLECTIONS
from sendgrid_assets.catalog.paging import ByNumber
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.server import create_app

from .conftest import API_KEY, FakeTime, MakeClient, Script

RECIPIENTS = replace(BY_TABLE["recipients"], paging=ByNumber(page_size=10))
END = JSONResponse({"errors": [{"message": "No more pages"}]}, 404)


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def recipients(*ids: int) -> Response:
    return JSONResponse({"recipients": [{"id": f"{n}"} for n in ids]})


def test_rows_are_counted_and_held_against_the_account(make_client: MakeClient, account: Account) -> None:
    client = make_client(create_app(account, api_key=API_KEY))
    client.get("/v3/scopes")
    listing = Listing(client, RECIPIENTS)
    assert (listing.fetched, listing.expected, listing.ended, listing.whole) == (0, None, False, False)
    rows = list(listing)
    assert (listing.fetched, listing.expected, listing.ended, listing.whole) == (30, 30, True, True)
    assert len(rows) == 30
    # Whether the account pages, three pages, the end, the count; and what was asked for ahead of the end.
    assert 6 <= listing.requests <= 9
    assert "/v3/contactdb/recipients/count" in [path for _, path in account.requests]
    assert listing.waited_seconds == 0.0


def test_waiting_is_counted_for_the_listing_that_waited(
    make_client: MakeClient, fake_time: FakeTime, account: Account
) -> None:
    app = create_app(account, api_key=API_KEY, limits={"/v3/contactdb/lists": (1, 30.0)})
    client = make_client(app)
    first = Listing(client, BY_TABLE["lists"])
    list(first)
    second = Listing(client, BY_TABLE["lists"])
    list(second)
    # The first answer said that it was the last for now, so the second was not asked for in vain.
    assert (second.requests, second.waited_seconds) == (1, sum(fake_time.waits))
    assert second.waited_seconds == 30.0
    assert first.waited_seconds == 0.0
    third = Listing(client, BY_TABLE["campaigns"])
    list(third)
    assert third.waited_seconds == 0.0


def test_start_is_when_sendgrid_was_first_asked(make_client: MakeClient, fake_time: FakeTime) -> None:
    too_many = JSONResponse({}, 429, headers={"Retry-After": "90"})
    client = make_client(Script(too_many, JSONResponse({"lists": []})))
    begun = dt.datetime.fromtimestamp(fake_time.now, dt.UTC).replace(tzinfo=None)
    listing = Listing(client, BY_TABLE["lists"])
    assert listing.started_at == begun
    list(listing)


def test_collection_without_a_count_expects_nothing(make_client: MakeClient, account: Account) -> None:
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), BY_TABLE["mc_lists"])
    list(listing)
    assert listing.expected is None
    assert listing.requests == 1


@pytest.mark.parametrize(
    ("count", "expected"), [({"recipient_count": 3}, 3), ({"recipient_count": 0, "other": "x"}, 0)]
)
def test_count_may_differ_from_the_rows(
    make_client: MakeClient, count: dict[str, object], expected: int
) -> None:
    listing = Listing(make_client(Script(recipients(1, 2), END, JSONResponse(count))), RECIPIENTS)
    list(listing)
    assert (listing.fetched, listing.expected) == (2, expected)


@pytest.mark.parametrize(
    "count",
    [
        JSONResponse({}),
        JSONResponse({"contact_count": 2}),
        JSONResponse({"recipient_count": None}),
        JSONResponse({"recipient_count": "2"}),
        JSONResponse({"recipient_count": 2.5}),
        JSONResponse([2]),
        Response(b""),
        Response(b"<html>"),
        JSONResponse({"errors": []}, 404),
    ],
)
def test_without_a_usable_count_the_rows_come_and_prove_nothing(
    make_client: MakeClient, count: Response
) -> None:
    listing = Listing(make_client(Script(recipients(1, 2), END, count)), RECIPIENTS)
    assert len(list(listing)) == 2
    assert listing.expected is None
    assert not listing.whole
    assert "count" in (listing.doubt or "")


@pytest.mark.parametrize("collection", OBJECT_COLLECTIONS, ids=lambda collection: collection.table)
def test_refusal_shows_at_opening_and_names_the_permission(
    make_client: MakeClient, account: Account, collection: object, scratch: Path
) -> None:
    client = make_client(create_app(account, api_key=API_KEY, refused=["/v3"]))
    with pytest.raises(RefusedError) as caught:
        Listing(client, collection)  # type: ignore[arg-type]
    sentence = str(caught.value)
    assert collection.table in sentence  # type: ignore[attr-defined]
    assert re.search(r"/v3/[a-z0-9_/.]+ \(403\)", sentence)
    scopes = [scope for scope in collection.scopes if "." in scope]  # type: ignore[attr-defined]
    assert all(scope in sentence for scope in scopes) or "the account has no such product" in sentence
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [(JSONResponse({}, 401), DeadKeyError), (JSONResponse({}, 500), UnavailableError)],
)
def test_other_failures_show_at_opening_too(
    make_client: MakeClient, answer: Response, error: type[Exception], scratch: Path
) -> None:
    with pytest.raises(error):
        Listing(make_client(Script(answer)), RECIPIENTS)
    assert list(scratch.iterdir()) == []


def test_rows_of_pretty_printed_json_come_on_one_line(make_client: MakeClient) -> None:
    body = b'{\r\n "lists": [\r\n  {\r\n   "id": 1,\n   "name": "a\\nb"\n  },\n  {"id": 2}\n ]\n}\n'
    rows = list(Listing(make_client(Script(Response(body))), BY_TABLE["lists"]))
    assert not any(b"\n" in row or b"\r" in row for row in rows)
    assert [json.loads(row) for row in rows] == [{"id": 1, "name": "a\nb"}, {"id": 2}]


def test_values_are_handed_on_as_they_came(make_client: MakeClient) -> None:
    row = (
        '{"id":12345678901234567890123,"name":"Zo\u00eb \\u00e9\\ud83d\\ude00","x":1.10e+05,"id":1}'.encode()
    )
    assert list(Listing(make_client(Script(Response(b'{"lists":[' + row + b"]}"))), BY_TABLE["lists"])) == [
        row
    ]


def test_reader_that_stops_early_leaves_no_file(
    make_client: MakeClient, account: Account, scratch: Path
) -> None:
    client = make_client(create_app(account, api_key=API_KEY))
    listing = Listing(client, BY_TABLE["mc_contacts"])
    rows = iter(listing)
    next(rows)
    assert list(scratch.iterdir()) != []
    del rows
    gc.collect()
    assert list(scratch.iterdir()) == []
    assert not listing.whole


def test_an_endpoint_this_host_lacks_is_refused_and_not_empty(make_client: MakeClient) -> None:
    absent = JSONResponse({"errors": [{"message": "not found", "field": None}]}, 404)
    with pytest.raises(RefusedError, match=r"/v3/marketing/lists, 404"):
        Listing(make_client(Script(absent)), BY_TABLE["mc_lists"])


def test_a_later_page_that_is_not_there_fails_the_listing(make_client: MakeClient) -> None:
    absent = JSONResponse({"errors": [{"message": "not found", "field": None}]}, 404)
    listing = Listing(make_client(Script(recipients(1, 2), absent)), RECIPIENTS)
    with pytest.raises(BadAnswerError):
        list(listing)
    assert not listing.whole
