"""Details are asked for where a row changed, and only there."""

import datetime as dt
import json

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sendgrid_assets.api.errors import SendGridError
from sendgrid_assets.api.known import Known
from sendgrid_assets.api.listing import Listing
from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.catalog.reading import KEPT
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.server import create_app

from .conftest import API_KEY, MakeClient

SENDS, VERSIONS = BY_TABLE["mc_single_sends"], BY_TABLE["template_versions"]


def instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=None)


def details(account: Account, path: str) -> list[str]:
    return [asked for _, asked in account.requests if asked.startswith(path + "/")]


def test_every_single_send_comes_with_its_details_at_first(make_client: MakeClient, account: Account) -> None:
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), SENDS)
    rows = {row["id"]: row for row in map(json.loads, listing)}
    assert len(rows) == len(account.mc_single_sends)
    for send in account.mc_single_sends:
        row = rows[send["id"]]
        assert row["email_config"] == send["email_config"]
        # What the details leave out comes from the listing.
        assert row["is_abtest"] == send["is_abtest"]
        assert KEPT not in row
    assert listing.requests == 1 + len(account.mc_single_sends)


def test_only_what_changed_is_asked_for_again(make_client: MakeClient, account: Account) -> None:
    known = Known(stamps={row["id"]: instant(row["updated_at"]) for row in account.mc_single_sends})
    changed, new = account.mc_single_sends[0], account.mc_single_sends[1]
    changed["updated_at"] = "2027-01-01T00:00:00Z"
    stamps = {id_: stamp for id_, stamp in known.stamps.items() if id_ != new["id"]}
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), SENDS, Known(stamps=stamps))
    rows = {row["id"]: row for row in map(json.loads, listing)}
    asked = {path.rsplit("/", 1)[1] for path in details(account, "/v3/marketing/singlesends")}
    assert asked == {changed["id"], new["id"]}
    assert {id_ for id_, row in rows.items() if row.get(KEPT) is not True} == asked
    assert not listing.partial


def test_versions_come_from_templates_with_their_text(make_client: MakeClient, account: Account) -> None:
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), VERSIONS)
    rows = {row["id"]: row for row in map(json.loads, listing)}
    versions = [version for template in account.templates for version in template["versions"]]
    assert set(rows) == {version["id"] for version in versions}
    assert all("html_content" in row for row in rows.values())
    with_versions = [template for template in account.templates if template["versions"]]
    assert len(details(account, "/v3/templates")) == len(with_versions) < len(account.templates)


def test_a_template_is_asked_for_when_one_of_its_versions_changed(
    make_client: MakeClient, account: Account
) -> None:
    versions = [version for template in account.templates for version in template["versions"]]
    stamps = {version["id"]: instant(version["updated_at"]) for version in versions}
    account.templates[0]["versions"][0]["updated_at"] = "2027-01-01 00:00:00"
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), VERSIONS, Known(stamps=stamps))
    rows = [json.loads(row) for row in listing]
    assert len(rows) == len(versions)
    assert [path.rsplit("/", 1)[1] for path in details(account, "/v3/templates")] == [
        account.templates[0]["id"]
    ]


def test_one_that_goes_meanwhile_stands_as_it_was(make_client: MakeClient, account: Account) -> None:
    gone = account.mc_single_sends[2]["id"]

    def intercept(request: Request) -> Response | None:
        return JSONResponse({"errors": [{"message": "not found"}]}, 404) if gone in request.url.path else None

    listing = Listing(make_client(create_app(account, api_key=API_KEY, intercept=intercept)), SENDS)
    rows = {row["id"]: row for row in map(json.loads, listing)}
    assert rows[gone][KEPT] is True
    assert sum(KEPT in row for row in rows.values()) == 1


@pytest.mark.parametrize("answer", [Response(b"<html>"), Response(b"[]"), JSONResponse({}, 400)])
def test_details_that_are_none_fail_the_listing(
    make_client: MakeClient, account: Account, answer: Response
) -> None:
    last = account.mc_single_sends[-1]["id"]

    def intercept(request: Request) -> Response | None:
        return answer if last in request.url.path else None

    with pytest.raises(SendGridError):
        list(Listing(make_client(create_app(account, api_key=API_KEY, intercept=intercept)), SENDS))


@pytest.mark.parametrize("stamp", [None, "", "yesterday", "9999999999999999999", True])
def test_a_row_without_a_usable_instant_is_always_asked_for(
    make_client: MakeClient, account: Account, stamp: object
) -> None:
    account.mc_single_sends[:] = account.mc_single_sends[:1]
    id_ = account.mc_single_sends[0]["id"]
    account.mc_single_sends[0]["updated_at"] = stamp
    known = Known(stamps={id_: dt.datetime(2026, 1, 1)})  # noqa: DTZ001
    list(Listing(make_client(create_app(account, api_key=API_KEY)), SENDS, known))
    assert len(details(account, "/v3/marketing/singlesends")) == 1
