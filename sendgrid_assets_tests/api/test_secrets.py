"""The key goes to its own host only, and no text shows a key, an address or a link's query."""

import logging
import re
import traceback
from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sendgrid_assets.api.client import Client
from sendgrid_assets.api.errors import SendGridError
from sendgrid_assets.api.listing import Listing
from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.catalog.paging import ByToken
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.server import create_app

from .conftest import API_KEY, MakeClient, Script, Stage, raw_server

CONTACTS, LISTS = BY_TABLE["mc_contacts"], BY_TABLE["mc_lists"]
QUERY = "X-Amz-Credential=AKIA%2Fmarked&X-Amz-Signature=marked+signature%3D%3D"
ADDRESS = "marked.person@example.com"
FAR_OFF = {"X-RateLimit-Reset": "9999999999"}
MARKED = re.compile(r"marked|AKIA|SG\.|@example", re.IGNORECASE)


@pytest.fixture(autouse=True)
def all_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Every test here is run with everything logged, our libraries' debugging too."""
    with caplog.at_level(logging.DEBUG):
        for name in ("httpx", "httpcore", "sendgrid_assets"):
            caplog.set_level(logging.DEBUG, logger=name)
        yield


def shown(error: BaseException | None, caplog: pytest.LogCaptureFixture) -> str:
    """All that a user may come to see of it; the server's own log is no part of it."""
    ours = [record for record in caplog.records if not record.name.startswith("uvicorn")]
    records = "".join(f"{record.getMessage()} {record.__dict__}\n" for record in ours)
    return records + ("".join(traceback.format_exception(error)) + repr(error) if error else "")


def job_ready(url: str) -> list[Response]:
    return [JSONResponse({"id": "job"}, 202), JSONResponse({"id": "job", "status": "ready", "urls": [url]})]


def test_next_page_on_another_host_is_asked_of_our_own(make_client: MakeClient, other_stage: Stage) -> None:
    elsewhere = other_stage.app = Script(JSONResponse({"result": []}))
    following = f"{other_stage.url}/stolen?page_size=1&page_token=two"
    script = Script(
        JSONResponse({"result": [{"id": "1"}], "_metadata": {"next": following}}),
        JSONResponse({"result": [{"id": "2"}]}),
    )
    listing = Listing(make_client(script), replace(LISTS, paging=ByToken(page_size=1)))
    assert list(listing) == [b'{"id":"1"}', b'{"id":"2"}']
    assert elsewhere.requests == []
    assert [request.url.path for request in script.requests] == [LISTS.path] * 2
    assert script.requests[1].query_params["page_token"] == "two"


def test_download_goes_without_the_key_and_with_its_query_untouched(
    make_client: MakeClient, other_stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    storage = other_stage.app = Script(Response(b'{"contact_id":"1"}\n'))
    script = Script(*job_ready(f"{other_stage.url}/a%20b/c?{QUERY}"), JSONResponse({"contact_count": 1}))
    client = make_client(script, on_behalf_of="sub")
    assert list(Listing(client, CONTACTS)) == [b'{"contact_id":"1"}']
    (download,) = storage.requests
    assert not {"authorization", "on-behalf-of"} & set(download.headers.keys())
    assert API_KEY not in str(download.headers.raw)
    assert download.scope["raw_path"] == b"/a%20b/c"
    assert download.scope["query_string"] == QUERY.encode()
    assert not MARKED.search(shown(None, caplog))


def test_redirect_of_a_download_is_not_followed(make_client: MakeClient, other_stage: Stage) -> None:
    moved = Response(status_code=302, headers={"Location": f"{other_stage.url}/elsewhere"})
    storage = other_stage.app = Script(moved)
    with pytest.raises(SendGridError, match="302"):
        Listing(make_client(Script(*job_ready(f"{other_stage.url}/file"))), CONTACTS)
    assert len(storage.requests) == 1


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 429, 500])
def test_no_answer_of_the_api_puts_a_secret_on_show(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    def answer(request: Request) -> Response:
        text = f"{ADDRESS} {request.headers['authorization']} {QUERY}"
        return JSONResponse({"errors": [{"message": text, "field": ADDRESS}]}, status, headers=FAR_OFF)

    client = make_client(Script(answer))
    with pytest.raises(SendGridError) as caught:
        list(Listing(client, LISTS))
    assert not MARKED.search(shown(caught.value, caplog))


@pytest.mark.parametrize(
    "body",
    [
        f'{{"result": [{{"email": "{ADDRESS}"',
        f'{{"result": "{ADDRESS}"}}',
        f'{{"result": ["{ADDRESS}"]}}',
        f'{{"result": [], "_metadata": {{"{ADDRESS}": 1, "next": "http://[{QUERY}"}}}}',
        f'{{"result": [], "_metadata": ["{ADDRESS}"]}}',
        f"<html>{ADDRESS}</html>",
    ],
)
def test_no_unreadable_body_shows(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    with pytest.raises(SendGridError) as caught:
        list(Listing(make_client(Script(Response(body))), LISTS))
    assert not MARKED.search(shown(caught.value, caplog))


@pytest.mark.parametrize("status", [302, 400, 403, 404, 429, 503])
def test_no_failed_download_shows_its_link(
    make_client: MakeClient, other_stage: Stage, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    other_stage.app = Script(Response(f"{ADDRESS} {QUERY}", status, headers=FAR_OFF))
    script = Script(*job_ready(f"{other_stage.url}/file?{QUERY}"))
    with pytest.raises(SendGridError) as caught:
        Listing(make_client(script), CONTACTS)
    assert not MARKED.search(shown(caught.value, caplog))


@pytest.mark.parametrize(
    "link",
    [
        f"https://[/file?{QUERY}",
        f"https://127.0.0.1:99999/file?{QUERY}",
        f"nowhere?{QUERY}",
        f"ftp://127.0.0.1/file?{QUERY}",
        f"http://127.0.0.1:9/\n{QUERY}",
        "",
        5,
        None,
    ],
)
def test_no_impossible_link_shows(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture, link: object
) -> None:
    script = Script(*job_ready(link))  # type: ignore[arg-type]
    with pytest.raises(SendGridError) as caught:
        Listing(make_client(script), CONTACTS)
    assert not MARKED.search(shown(caught.value, caplog))


def test_no_broken_transport_shows_a_secret(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    for answer in (b"", f"HTTP/1.1 200 OK\r\nX: {ADDRESS}\r\nContent-Length: 99\r\n\r\n{ADDRESS}".encode()):
        caplog.clear()
        with raw_server(answer) as url:
            with pytest.raises(SendGridError) as caught:
                make_client(url=url).get(LISTS.path)
            from_api = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
            script = Script(*job_ready(f"{url}/file?{QUERY}"))
            with pytest.raises(SendGridError) as caught:
                Listing(make_client(script), CONTACTS)
        ours = [record for record in caplog.records if not record.name.startswith("httpcore")]
        logged = "".join(record.getMessage() for record in ours)
        assert not MARKED.search(from_api + logged + "".join(traceback.format_exception(caught.value)))


def test_no_line_of_an_export_shows(
    make_client: MakeClient, other_stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    other_stage.app = Script(Response(f'{{"email": "{ADDRESS}"'))
    with pytest.raises(SendGridError) as caught:
        list(Listing(make_client(Script(*job_ready(f"{other_stage.url}/file?{QUERY}"))), CONTACTS))
    assert not MARKED.search(shown(caught.value, caplog))


def test_whole_sync_of_an_account_logs_no_secret(
    make_client: MakeClient, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(create_app(account, api_key=API_KEY))
    for collection in BY_TABLE.values():
        list(Listing(client, collection))
    assert account.exports
    text = shown(None, caplog)
    assert "X-Amz" not in text
    assert not MARKED.search(text)


def test_client_and_listing_do_not_show_the_key(make_client: MakeClient, account: Account) -> None:
    client = make_client(create_app(account, api_key=API_KEY))
    listing = Listing(client, LISTS)
    list(listing)
    for thing in (client, listing):
        assert API_KEY not in f"{thing!r} {thing} {vars(thing)!r}"
    assert isinstance(client, Client)
