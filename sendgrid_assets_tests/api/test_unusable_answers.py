"""Answers that are no listing: each fails it, and none passes for an empty table."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from sendgrid_assets.api import paging as paging_module
from sendgrid_assets.api.errors import BadAnswerError, SendGridError
from sendgrid_assets.api.listing import Listing
from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.catalog.paging import ByNumber, ByOffset, ByToken
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.server import create_app

from .conftest import API_KEY, MakeClient, Script

PAGED = {
    "lists": BY_TABLE["lists"].paging,
    "suppression_groups": BY_TABLE["suppression_groups"].paging,
    "suppression_bounces": ByOffset(limit=2, frozen_by="end_time"),
    "campaigns": ByOffset(limit=2, short_page_ends=False),
    "mc_lists": ByToken(page_size=2),
    "recipients": ByNumber(page_size=2),
}
COLLECTIONS = {table: replace(BY_TABLE[table], paging=style) for table, style in PAGED.items()}
WRAPPED = [table for table in COLLECTIONS if COLLECTIONS[table].wrapper]
BARE = [table for table in COLLECTIONS if not COLLECTIONS[table].wrapper]
DEEP = b"[" * 100_000 + b"]" * 100_000

NO_LISTING: dict[str, Response] = {
    "nothing": Response(b""),
    "blank": Response(b" \n"),
    "HTML": HTMLResponse("<html><body>maintenance</body></html>"),
    "error body": JSONResponse({"errors": [{"message": "internal error", "field": None}]}),
    "null": Response(b"null"),
    "text": Response(b'"ok"'),
    "number": Response(b"0"),
    "cut array": Response(b'[{"id": 1}, {"id"'),
    "cut object": Response(b'{"result": [{"id": 1}], "lists": [], "recipients": ['),
    "other name": JSONResponse({"items": [], "data": []}),
    "two bodies": Response(b"[][]"),
    "array of numbers": JSONResponse([1, 2]),
    "array of nulls": JSONResponse([None]),
    "deep": Response(DEEP),
    "deep in an object": Response(b'{"result":' + DEEP + b"}"),
}


@pytest.mark.parametrize("answer", NO_LISTING.values(), ids=NO_LISTING)
@pytest.mark.parametrize("table", COLLECTIONS)
def test_it_is_refused_at_opening(make_client: MakeClient, table: str, answer: Response) -> None:
    collection = COLLECTIONS[table]
    with pytest.raises(BadAnswerError, match=collection.path):
        Listing(make_client(Script(answer)), collection)


@pytest.mark.parametrize(
    "rows", [b"null", b"{}", b'"none"', b"0", b"[1]", b'["a"]', b"[[]]", b'[{"id":1},null]']
)
@pytest.mark.parametrize("table", WRAPPED)
def test_wrapper_must_hold_an_array_of_objects(make_client: MakeClient, table: str, rows: bytes) -> None:
    collection = COLLECTIONS[table]
    body = b'{"' + collection.wrapper[0].encode() + b'": ' + rows + b"}"
    with pytest.raises(BadAnswerError, match=collection.path):
        Listing(make_client(Script(Response(body))), collection)


@pytest.mark.parametrize("table", WRAPPED)
def test_bare_array_is_no_wrapped_listing(make_client: MakeClient, table: str) -> None:
    with pytest.raises(BadAnswerError):
        Listing(make_client(Script(Response(b"[]"))), COLLECTIONS[table])


@pytest.mark.parametrize("table", BARE)
def test_wrapped_listing_is_no_bare_array(make_client: MakeClient, table: str) -> None:
    with pytest.raises(BadAnswerError):
        Listing(make_client(Script(Response(b'{"result": []}'))), COLLECTIONS[table])


@pytest.mark.parametrize("answer", NO_LISTING.values(), ids=NO_LISTING)
@pytest.mark.parametrize("page", [2, 3])
@pytest.mark.parametrize("table", ["suppression_bounces", "campaigns", "mc_lists", "recipients"])
def test_it_fails_a_listing_on_every_page(
    make_client: MakeClient, account: Account, table: str, page: int, answer: Response
) -> None:
    for held, rows in (
        (account.bounces, [{"email": f"{n}", "created": n} for n in range(9)]),
        (account.campaigns, [{"id": n} for n in range(9)]),
        (account.mc_lists, [{"id": f"{n}"} for n in range(9)]),
    ):
        held[:] = rows

    def intercept(_: Request) -> Response | None:
        return answer if len(account.requests) >= page else None

    client = make_client(create_app(account, api_key=API_KEY, intercept=intercept))
    listing = Listing(client, COLLECTIONS[table])
    with pytest.raises(BadAnswerError):
        list(listing)
    assert listing.fetched >= 2 * (page - 1) - 1
    assert not listing.ended
    assert not listing.whole


@pytest.mark.parametrize(
    "metadata",
    [
        [],
        "next",
        {"next": "https://api.sendgrid.com/v3/marketing/lists"},
        {"next": "https://api.sendgrid.com/v3/marketing/lists?page_token="},
        {"next": "http://["},
        {"next": {"page_token": "2"}},
        {"next": 2},
        {"next": True},
    ],
)
def test_next_that_leads_nowhere_is_no_end(make_client: MakeClient, metadata: object) -> None:
    script = Script(JSONResponse({"result": [{"id": "1"}], "_metadata": metadata}))
    with pytest.raises(BadAnswerError):
        list(Listing(make_client(script), COLLECTIONS["mc_lists"]))


def test_deep_metadata_is_no_end(make_client: MakeClient) -> None:
    script = Script(Response(b'{"result": [], "_metadata": {"a":' + DEEP + b"}}"))
    with pytest.raises(BadAnswerError):
        list(Listing(make_client(script), COLLECTIONS["mc_lists"]))


def pages(*wanted: tuple[list[int], str | None]) -> list[JSONResponse]:
    def next_(token: str | None) -> dict[str, str]:
        return {"next": f"https://api.sendgrid.com/x?page_token={token}"} if token else {}

    return [
        JSONResponse({"result": [{"id": n} for n in ids], "_metadata": next_(token)}) for ids, token in wanted
    ]


@pytest.mark.parametrize(
    "script",
    [
        pages(([1], "a"), ([1], "b"), ([2], None)),
        pages(([1], "a"), ([2], "b"), ([2], "c"), ([3], None)),
        pages(([1], "a"), ([2], "a"), ([3], None)),
        pages(([1], "a"), ([2], "b"), ([1], "a"), ([3], None)),
        pages(([], "a"), ([], "b"), ([], "a"), ([], None)),
    ],
    ids=["page repeated", "later page repeated", "token repeated", "circle", "circle of empty pages"],
)
def test_tokens_that_lead_back_fail_the_listing(make_client: MakeClient, script: list[JSONResponse]) -> None:
    with pytest.raises(BadAnswerError, match=COLLECTIONS["mc_lists"].path):
        list(Listing(make_client(Script(*script)), COLLECTIONS["mc_lists"]))


@pytest.mark.parametrize("table", ["suppression_bounces", "campaigns"])
def test_server_that_ignores_the_offset_fails_the_listing(make_client: MakeClient, table: str) -> None:
    rows = [{"id": "1"}, {"id": "2"}]
    script = Script(JSONResponse(rows if table in BARE else {"result": rows}))
    with pytest.raises(BadAnswerError, match="repeats"):
        list(Listing(make_client(script), COLLECTIONS[table]))
    assert len(script.requests) == 2


def test_numbered_page_that_repeats_later_on_fails_the_listing(make_client: MakeClient) -> None:
    script = Script(*(JSONResponse({"recipients": [{"id": n}]}) for n in (1, 2, 2)))
    with pytest.raises(BadAnswerError, match="repeats"):
        list(Listing(make_client(script), COLLECTIONS["recipients"]))


@pytest.mark.parametrize("table", ["campaigns", "mc_lists", "recipients"])
def test_endless_listing_is_given_up(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setattr(paging_module, "MOST_PAGES", 12)
    numbers = count()

    def page(_: Request) -> Response:
        row = {"id": next(numbers)}
        link = f"https://api.sendgrid.com/x?page_token={row['id']}"
        return JSONResponse({"result": [row, row], "recipients": [row], "_metadata": {"next": link}})

    script = Script(page)
    with pytest.raises(BadAnswerError):
        list(Listing(make_client(script), COLLECTIONS[table]))
    assert len(script.requests) == 12


@pytest.mark.parametrize("status", [400, 403, 404, 500])
@pytest.mark.parametrize("table", ["suppression_bounces", "campaigns", "mc_lists", "recipients"])
def test_refusal_in_the_middle_fails_the_listing(make_client: MakeClient, table: str, status: int) -> None:
    good: Callable[[int], Response] = lambda n: JSONResponse(  # noqa: E731
        [{"id": n}, {"id": n + 1}]
        if table in BARE
        else {
            "result": [{"id": n}, {"id": n + 1}],
            "recipients": [{"id": n}],
            "_metadata": {"next": f"https://api.sendgrid.com/x?page_token={n}"},
        }
    )
    script = Script(good(1), good(2), JSONResponse({"errors": [{"message": "no"}]}, status))
    listing = Listing(make_client(script), COLLECTIONS[table])
    with pytest.raises(SendGridError):
        list(listing)
    assert not listing.whole
