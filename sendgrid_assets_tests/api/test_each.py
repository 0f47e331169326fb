"""Collections that are asked for parent by parent."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sendgrid_assets.api.errors import RefusedError, SendGridError
from sendgrid_assets.api.known import Known
from sendgrid_assets.api.listing import Listing
from sendgrid_assets.api.parents import Family
from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.catalog.paging import ByNumber
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.server import create_app

from .conftest import API_KEY, FakeTime, MakeClient

MEMBERSHIPS, LEGACY, LINKS = (
    BY_TABLE["mc_contact_lists"],
    BY_TABLE["list_recipients"],
    BY_TABLE["mc_single_send_links"],
)


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def pairs(listing: Listing) -> set[tuple[str, str]]:
    """List and contact of each row."""
    return {(row["list_id"], row["contact_id"]) for row in map(json.loads, listing)}


def expected(account: Account, lists: list[dict[str, object]]) -> set[tuple[str, str]]:
    return {(str(list_["id"]), id_) for list_ in lists for id_ in account.members[str(list_["id"])]}


def test_contacts_of_every_list_by_one_export_each(
    make_client: MakeClient, account: Account, scratch: Path
) -> None:
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), MEMBERSHIPS)
    rows = [json.loads(row) for row in listing]
    assert {(row["list_id"], row["contact_id"]) for row in rows} == expected(account, account.mc_lists)
    assert all(set(row) == {"list_id", "contact_id"} for row in rows)
    assert listing.whole
    assert listing.standing == ()
    jobs = [path for method, path in account.requests if method == "POST"]
    # A list of none needs no job.
    assert len(jobs) == sum(list_["contact_count"] > 0 for list_ in account.mc_lists) < len(account.mc_lists)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("is_upgraded", [False, True])
def test_recipients_of_every_legacy_list(
    make_client: MakeClient, fake_time: FakeTime, is_upgraded: bool
) -> None:
    account = Account(contacts=150, clock=fake_time.clock)
    account.upgraded = is_upgraded
    small = replace(LEGACY, paging=replace(LEGACY.paging, page_size=20))  # type: ignore[type-var]
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), small)
    rows = {(row["list_id"], row["id"]) for row in map(json.loads, listing)}
    assert rows == expected(account, account.lists)
    assert max(len(account.members[str(list_["id"])]) for list_ in account.lists) > 50
    assert listing.whole


def test_a_list_whose_count_stands_is_not_asked_for(make_client: MakeClient, account: Account) -> None:
    counts = {list_["id"]: list_["contact_count"] for list_ in account.mc_lists}
    moved = account.mc_lists[1]["id"]
    known = Known(counts=counts | {moved: 1})
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), MEMBERSHIPS, known)
    assert {list_id for list_id, _ in pairs(listing)} == {moved}
    standing = {list_["id"] for list_ in account.mc_lists if list_["contact_count"]} - {moved}
    assert set(listing.standing) == standing
    assert len([path for method, path in account.requests if method == "POST"]) == 1


def test_parents_are_read_once_for_all_that_need_them(make_client: MakeClient, account: Account) -> None:
    client, family = make_client(create_app(account, api_key=API_KEY)), Family()
    for _ in range(2):
        list(Listing(client, MEMBERSHIPS, family=family))
    assert len([path for _, path in account.requests if path.startswith("/v3/marketing/lists")]) == 1


def test_links_of_single_sends_that_were_sent(make_client: MakeClient, account: Account) -> None:
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), LINKS)
    rows = [json.loads(row) for row in listing]
    sent = {row["id"] for row in account.mc_single_sends if row["status"] == "triggered"}
    assert {row["id"] for row in rows} <= sent
    assert rows
    asked = {path.split("/")[5] for _, path in account.requests if path.partition("?")[0].endswith("/links")}
    assert asked == sent


def test_a_list_that_goes_while_it_is_read_costs_the_deletions_alone(
    make_client: MakeClient, account: Account
) -> None:
    gone = str(account.lists[0]["id"])

    def intercept(request: Request) -> Response | None:
        if request.url.path == f"/v3/contactdb/lists/{gone}/recipients":
            return JSONResponse({"errors": [{"message": "List ID does not exist", "field": "list_id"}]}, 404)
        return None

    listing = Listing(make_client(create_app(account, api_key=API_KEY, intercept=intercept)), LEGACY)
    rows = {(row["list_id"], row["id"]) for row in map(json.loads, listing)}
    assert rows == {pair for pair in expected(account, account.lists) if pair[0] != gone}
    assert not listing.whole
    assert "vanished" in (listing.doubt or "")


def test_an_export_with_fewer_rows_than_its_job_says_proves_nothing(
    make_client: MakeClient, account: Account
) -> None:
    def intercept(request: Request) -> Response | None:
        if request.url.path.startswith("/contact-exports"):
            return Response(b'{"contact_id":"one"}\n')
        return None

    client = make_client(create_app(account, api_key=API_KEY, intercept=intercept))
    listing = Listing(client, MEMBERSHIPS)
    list(listing)
    assert not listing.whole


@pytest.mark.parametrize("nth", [0, 1, 2])
def test_a_parent_that_fails_fails_the_listing(make_client: MakeClient, account: Account, nth: int) -> None:
    failing = str([list_ for list_ in account.lists if list_["recipient_count"]][nth]["id"])

    def intercept(request: Request) -> Response | None:
        if request.url.path == f"/v3/contactdb/lists/{failing}/recipients":
            return Response(b"<html>", 200)
        return None

    client = make_client(create_app(account, api_key=API_KEY, intercept=intercept))
    with pytest.raises(SendGridError):
        list(Listing(client, LEGACY))


def test_a_refused_parent_refuses_what_hangs_on_it(make_client: MakeClient, account: Account) -> None:
    app = create_app(account, api_key=API_KEY, refused=["/v3/marketing/lists"])
    with pytest.raises(RefusedError, match="mc_contact_lists"):
        Listing(make_client(app), MEMBERSHIPS)


def test_a_host_without_the_product_refuses_it(make_client: MakeClient, account: Account) -> None:
    def intercept(request: Request) -> Response | None:
        return (
            JSONResponse({"errors": [{"message": "not found"}]}, 404)
            if "marketing" in request.url.path
            else None
        )

    app = create_app(account, api_key=API_KEY, intercept=intercept)
    with pytest.raises(RefusedError, match="404"):
        Listing(make_client(app), MEMBERSHIPS)


def test_an_account_without_lists_has_no_members(make_client: MakeClient, account: Account) -> None:
    account.mc_lists.clear()
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), MEMBERSHIPS)
    assert list(listing) == []
    assert listing.whole


def test_ids_are_quoted_in_paths(make_client: MakeClient, account: Account) -> None:
    account.lists[:] = [{"id": "a/b c", "name": "odd", "recipient_count": 1}]
    asked: list[bytes] = []

    def intercept(request: Request) -> Response | None:
        if "recipients" in request.url.path:
            asked.append(request.scope["raw_path"])
            return JSONResponse({"errors": [{"message": "No more pages"}]}, 404)
        return None

    plain = replace(LEGACY, paging=ByNumber(page_size=10))
    list(Listing(make_client(create_app(account, api_key=API_KEY, intercept=intercept)), plain))
    assert asked[0] == b"/v3/contactdb/lists/a%2Fb%20c/recipients"
