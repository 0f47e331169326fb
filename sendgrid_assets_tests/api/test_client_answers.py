"""What the client sends, and what each status means."""

import json

import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response

from sendgrid_assets.api.client import Client
from sendgrid_assets.api.errors import (
    BadAnswerError,
    DeadKeyError,
    NoMorePages,
    RefusedError,
    SendGridError,
    StoppedError,
    UnavailableError,
)
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.server import create_app

from .conftest import API_KEY, FakeTime, MakeClient, Script, Stage

PATH = "/v3/marketing/lists"


def test_sends_key_accept_and_parameters(make_client: MakeClient) -> None:
    script = Script(JSONResponse([]))
    client = make_client(script)
    assert client.get(PATH, {"page_size": 5, "generations": "legacy,dynamic"}) == b"[]"
    (request,) = script.requests
    assert (request.method, request.url.path) == ("GET", PATH)
    assert dict(request.query_params) == {"page_size": "5", "generations": "legacy,dynamic"}
    assert request.headers["authorization"] == f"Bearer {API_KEY}"
    assert request.headers["accept"] == "application/json"
    assert "on-behalf-of" not in request.headers


def test_acts_for_the_subuser(make_client: MakeClient) -> None:
    script = Script(JSONResponse([]))
    client = make_client(script, on_behalf_of="sub-user@1")
    client.get(PATH)
    client.post(PATH, {})
    assert [request.headers["on-behalf-of"] for request in script.requests] == ["sub-user@1"] * 2


def test_posts_json_and_takes_any_success(make_client: MakeClient) -> None:
    bodies = []

    def answer(request: object) -> Response:
        bodies.append(request._body)  # type: ignore[attr-defined]
        return JSONResponse({"id": "1"}, 202)

    assert json.loads(make_client(Script(answer)).post(PATH, {"file_type": "json"})) == {"id": "1"}
    assert [json.loads(body) for body in bodies] == [{"file_type": "json"}]


def test_path_of_the_address_is_kept(make_client: MakeClient, stage: Stage) -> None:
    script = Script(JSONResponse([]))
    client = make_client(script, url=f"{stage.url}/proxied")
    client.get(PATH)
    assert script.requests[0].url.path == f"/proxied{PATH}"


def test_unknown_key_is_dead_for_good_and_names_its_variable(
    make_client: MakeClient, account: Account
) -> None:
    client = make_client(create_app(account, api_key="SG.other"), key_variable="MARKETING_EU_API_KEY")
    with pytest.raises(DeadKeyError, match="MARKETING_EU_API_KEY"):
        client.get(PATH)
    for ask in (lambda: client.get("/v3/asm/groups"), lambda: client.post(PATH, {})):
        with pytest.raises(DeadKeyError, match="MARKETING_EU_API_KEY"):
            ask()
    assert len(account.requests) == client.requests == 1


def test_refusal_stops_one_endpoint_only(make_client: MakeClient, account: Account) -> None:
    client = make_client(create_app(account, api_key=API_KEY, refused=["/v3/contactdb"]))
    with pytest.raises(RefusedError, match=r"/v3/contactdb/lists.*403"):
        client.get("/v3/contactdb/lists")
    assert client.get(PATH)
    assert len(account.requests) == 2


@pytest.mark.parametrize("said", ["authorization required", "Authorization Required."])
def test_email_activity_without_its_add_on_is_refused(
    make_client: MakeClient, fake_time: FakeTime, said: str
) -> None:
    script = Script(JSONResponse({"errors": [{"message": said, "field": None}]}, 400), JSONResponse([]))
    client = make_client(script)
    with pytest.raises(RefusedError, match=r"/v3/messages.*400"):
        client.get("/v3/messages")
    assert client.get(PATH) == b"[]"
    assert fake_time.waits == []


def test_parameter_of_several_values_is_repeated(make_client: MakeClient) -> None:
    script = Script(JSONResponse([]))
    make_client(script).get(PATH, {"categories": ["a", "b c"], "limit": 5})
    sent = script.requests[0].query_params.multi_items()
    assert sent == [("categories", "a"), ("categories", "b c"), ("limit", "5")]


@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 413, 422])
def test_other_refusals_are_not_repeated(make_client: MakeClient, fake_time: FakeTime, status: int) -> None:
    script = Script(JSONResponse({"errors": [{"message": "no"}]}, status))
    with pytest.raises(BadAnswerError, match=f"{PATH}.*{status}"):
        make_client(script).get(PATH)
    assert len(script.requests) == 1
    assert fake_time.waits == []


def test_end_of_numbered_pages_is_told_from_other_404s(make_client: MakeClient) -> None:
    script = Script(
        JSONResponse({"errors": [{"message": "No more pages"}]}, 404),
        JSONResponse({"errors": [{"message": "List ID does not exist"}]}, 404),
    )
    client = make_client(script)
    with pytest.raises(NoMorePages):
        client.get(PATH)
    with pytest.raises(BadAnswerError):
        client.get(PATH)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(make_client: MakeClient, other_stage: Stage, status: int) -> None:
    elsewhere = other_stage.app = Script(JSONResponse([]))
    script = Script(RedirectResponse(f"{other_stage.url}{PATH}", status))
    with pytest.raises(BadAnswerError, match=str(status)):
        make_client(script).get(PATH)
    assert elsewhere.requests == []


@pytest.mark.parametrize("error", [DeadKeyError, RefusedError, UnavailableError, BadAnswerError])
def test_every_failure_is_a_sendgrid_error(error: type[Exception]) -> None:
    assert issubclass(error, SendGridError)


def test_closing_ends_the_client(make_client: MakeClient) -> None:
    client = make_client(Script(JSONResponse([])))
    with client as entered:
        assert isinstance(entered, Client)
        entered.get(PATH)
    with pytest.raises(StoppedError):
        client.get(PATH)
    assert client._http.is_closed
    assert client._downloads.is_closed
    client.close()
