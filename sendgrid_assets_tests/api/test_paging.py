"""Every style of paging against the simulated account, at each size a listing may have."""

import datetime as dt
import json
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.responses import JSONResponse

from sendgrid_assets.api.known import Known
from sendgrid_assets.api.listing import Listing
from sendgrid_assets.catalog.collection import ObjectCollection
from sendgrid_assets.catalog.objects import BY_TABLE, OBJECT_COLLECTIONS
from sendgrid_assets.catalog.paging import ByExport, ByNumber, ByOffset, ByToken, Whole
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.server import create_app

from .conftest import API_KEY, START, MakeClient, Script

PAGE = 4
STYLES = {
    "lists": Whole(),
    "suppression_bounces": ByOffset(limit=PAGE, frozen_by="end_time"),
    "campaigns": ByOffset(limit=PAGE, short_page_ends=False),
    "mc_lists": ByToken(page_size=PAGE),
    "recipients": ByNumber(page_size=PAGE),
    "mc_contacts": ByExport(count_field="contact_count"),
}
HELD_IN = {"suppression_bounces": "bounces"}


def listed(table: str) -> ObjectCollection:
    return replace(BY_TABLE[table], paging=STYLES[table])


def fill(account: Account, table: str, rows: int) -> None:
    """Gives the account as many rows, told apart by `id`, `contact_id` or `email`."""
    setattr(
        account,
        HELD_IN.get(table, table),
        [{"id": f"{n}", "contact_id": f"{n}", "email": f"{n}", "created": 1_000 + n} for n in range(rows)],
    )


@pytest.mark.parametrize("rows", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE - 1, 2 * PAGE, 3 * PAGE + 2])
@pytest.mark.parametrize("table", STYLES)
def test_every_row_comes_once(make_client: MakeClient, account: Account, table: str, rows: int) -> None:
    fill(account, table, rows)
    account.export_file_rows = PAGE
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), listed(table))
    found = [int(json.loads(row)["email"]) for row in listing]
    newest_first = table == "suppression_bounces"
    assert found == (list(range(rows))[::-1] if newest_first else list(range(rows)))
    assert listing.whole
    assert listing.fetched == rows
    assert listing.expected in (None, rows)


def test_every_collection_of_an_account_is_read_whole(make_client: MakeClient) -> None:
    account = Account(contacts=400, clock=lambda: START)
    client = make_client(create_app(account, api_key=API_KEY))
    since_new_year = Known(start_date=dt.date(2027, 1, 1))
    for collection in OBJECT_COLLECTIONS:
        listing = Listing(client, collection, since_new_year)
        for row in listing:
            assert isinstance(json.loads(row), dict)
            assert b"\n" not in row
        assert listing.whole
        assert listing.fetched > 0
        assert listing.expected in (None, listing.fetched)


def test_rows_added_meanwhile_do_not_shift_frozen_pages(make_client: MakeClient, account: Account) -> None:
    fill(account, "suppression_bounces", 2 * PAGE)

    def add(_: object) -> None:
        account.bounces.append({"email": "late", "created": int(START) + 1})

    app = create_app(account, api_key=API_KEY, intercept=add)
    listing = Listing(make_client(app), listed("suppression_bounces"))
    assert [int(json.loads(row)["email"]) for row in listing] == list(range(2 * PAGE))[::-1]
    assert listing.whole
    ends = {parse_qs(urlsplit(path).query)["end_time"][0] for _, path in account.requests}
    assert ends == {str(int(START))}


@pytest.mark.parametrize("removed", [0, 1, PAGE - 1, PAGE, PAGE + 1])
def test_row_removed_meanwhile_leaves_the_listing_unproven(
    make_client: MakeClient, account: Account, removed: int
) -> None:
    fill(account, "suppression_bounces", 3 * PAGE)
    account.bounces.reverse()

    def remove(_: object) -> None:
        if len(account.requests) == 2:
            del account.bounces[removed]

    app = create_app(account, api_key=API_KEY, intercept=remove)
    listing = Listing(make_client(app), listed("suppression_bounces"))
    found = {json.loads(row)["email"] for row in listing}
    present = {row["email"] for row in account.bounces}
    assert listing.ended
    assert found >= present or not listing.whole
    assert listing.whole == (removed >= PAGE)


def test_last_row_removed_meanwhile_leaves_the_listing_unproven(
    make_client: MakeClient, account: Account
) -> None:
    fill(account, "suppression_bounces", PAGE)

    def remove(_: object) -> None:
        if len(account.requests) == 2:
            account.bounces.clear()

    app = create_app(account, api_key=API_KEY, intercept=remove)
    listing = Listing(make_client(app), listed("suppression_bounces"))
    assert len(list(listing)) == PAGE
    assert not listing.whole


@pytest.mark.parametrize("most", [2, 3, PAGE])
def test_server_may_hand_out_fewer_than_asked_for(make_client: MakeClient, most: int) -> None:
    rows = [{"id": n} for n in range(3 * most + 1)]

    def page(request: object) -> JSONResponse:
        offset = int(request.query_params["offset"])  # type: ignore[attr-defined]
        return JSONResponse({"result": rows[offset : offset + most]})

    listing = Listing(make_client(Script(page)), listed("campaigns"))
    assert [json.loads(row)["id"] for row in listing] == list(range(3 * most + 1))
    assert listing.whole


def test_empty_numbered_page_does_not_end_the_listing(make_client: MakeClient) -> None:
    end = JSONResponse({"errors": [{"field": "page", "message": "No more pages"}]}, 404)
    script = Script(
        *(JSONResponse({"recipients": [{"id": n} for n in page]}) for page in ([1, 2], [], [], [3], [])),
        end,
        JSONResponse({"recipient_count": 3}),
    )
    listing = Listing(make_client(script), listed("recipients"))
    assert [json.loads(row)["id"] for row in listing] == [1, 2, 3]
    assert listing.whole
    asked = [dict(request.query_params) for request in script.requests[:-1]]
    assert asked == [{"page": str(n), "page_size": str(PAGE)} for n in range(1, 7)]


def test_empty_page_with_a_token_does_not_end_the_listing(make_client: MakeClient) -> None:
    script = Script(
        JSONResponse({"result": [], "_metadata": {"next": "https://api.sendgrid.com/x?page_token=2"}}),
        JSONResponse({"result": [], "_metadata": {"next": "https://api.sendgrid.com/x?page_token=3"}}),
        JSONResponse({"result": [{"id": "1"}], "_metadata": {"next": ""}}),
    )
    listing = Listing(make_client(script), listed("mc_lists"))
    assert list(listing) == [b'{"id":"1"}']
    assert listing.whole
    asked = [dict(request.query_params) for request in script.requests]
    assert asked == [{"page_size": "4", **token} for token in ({}, {"page_token": "2"}, {"page_token": "3"})]


@pytest.mark.parametrize(
    "metadata", [{}, {"_metadata": None}, {"_metadata": {}}, {"_metadata": {"next": None}}]
)
def test_page_without_a_next_is_the_last(make_client: MakeClient, metadata: dict[str, object]) -> None:
    listing = Listing(make_client(Script(JSONResponse({"result": [], **metadata}))), listed("mc_lists"))
    assert list(listing) == []
    assert listing.whole


@pytest.mark.parametrize("rows", [0, 1, 50, 51, 120])
def test_account_that_pages_no_recipients_is_read_but_not_proven(
    make_client: MakeClient, account: Account, rows: int
) -> None:
    fill(account, "recipients", rows)
    account.upgraded = True
    without_export = replace(BY_TABLE["recipients"], paging=ByNumber(page_size=1000))
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), without_export)
    assert len(list(listing)) == min(rows, 50)
    assert listing.expected == rows
    assert not listing.whole or rows == 0
    assert listing.requests < 30
