"""A lone surrogate in one row costs one character, not the listing."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response

from sendgrid_assets.api.listing import Listing
from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.server import create_app

from .conftest import API_KEY, MakeClient, Script

HALF = rb"\ud83d"


def test_in_a_page(make_client: MakeClient) -> None:
    body = b'{"lists": [{"id": 9007199254740993, "name": "half %b and \\ud83d\\ude00 whole"}]}' % HALF
    (row,) = Listing(make_client(Script(Response(body))), BY_TABLE["lists"])
    assert json.loads(row) == {"id": 9007199254740993, "name": "half \ufffd and \U0001f600 whole"}


def test_in_a_page_with_a_next_one(make_client: MakeClient) -> None:
    first = (
        b'{"result": [{"id": "1", "name": "%b"}], "_metadata": {"next": "?page_token=2&page_size=9"}}' % HALF
    )
    second = b'{"result": [{"id": "2"}], "_metadata": {}}'
    rows = [*Listing(make_client(Script(Response(first), Response(second))), BY_TABLE["mc_lists"])]
    assert [json.loads(row)["id"] for row in rows] == ["1", "2"]


def test_in_an_export(make_client: MakeClient, account: Account) -> None:
    account.mc_contacts[:] = account.mc_contacts[:3]

    def intercept(request: Request) -> Response | None:
        if request.url.path.startswith("/v3"):
            return None
        return Response(b'{"contact_id": "a", "first_name": "%b"}\n{"contact_id": "b"}\n' % HALF)

    app = create_app(account, api_key=API_KEY, intercept=intercept)
    rows = [json.loads(row) for row in Listing(make_client(app), BY_TABLE["mc_contacts"])]
    assert rows == [{"contact_id": "a", "first_name": "\ufffd"}, {"contact_id": "b"}]
