import httpx
import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sendgrid_assets.simulator.account import Account

from .conftest import API_KEY, Serve


def test_key_is_required(serve: Serve, account: Account) -> None:
    url = serve(account).base_url.join("/v3/contactdb/lists")
    missing = httpx.get(url)
    assert missing.status_code == 401
    assert missing.json() == {"errors": [{"field": None, "message": "authorization required"}]}
    assert httpx.get(url, headers={"Authorization": API_KEY}).json() == missing.json()
    wrong = httpx.get(url, headers={"Authorization": "Bearer SG.other"})
    assert wrong.status_code == 401
    assert wrong.json()["errors"][0]["message"] == (
        "The provided authorization grant is invalid, expired, or revoked"
    )


def test_refused_prefixes_answer_403_and_others_go_on(serve: Serve, account: Account) -> None:
    client = serve(account, refused=["/v3/contactdb", "/v3/campaigns"])
    for path in ("/v3/contactdb/lists", "/v3/campaigns"):
        answer = client.get(path)
        assert answer.status_code == 403
        assert answer.json() == {"errors": [{"field": None, "message": "access forbidden"}]}
    assert client.get("/v3/marketing/lists").status_code == 200


def test_unknown_path_is_not_found(serve: Serve, account: Account) -> None:
    client = serve(account)
    assert client.get("/v3/nowhere").status_code == 404
    assert client.get("/v3/nowhere").json()["errors"][0]["message"] == "not found"
    assert client.get("/v3/marketing/singlesends/none").status_code == 404
    assert client.delete("/v3/contactdb/lists").status_code == 404


def test_requests_are_recorded(serve: Serve, account: Account) -> None:
    client = serve(account)
    client.get("/v3/suppression/blocks?limit=1&offset=2")
    httpx.post(client.base_url.join("/v3/marketing/contacts/exports"))
    assert account.requests == [
        ("GET", "/v3/suppression/blocks?limit=1&offset=2"),
        ("POST", "/v3/marketing/contacts/exports"),
    ]
    assert ["authorization" in headers for headers in account.request_headers] == [True, False]


def test_intercept_answers_any_request(serve: Serve, account: Account) -> None:
    def intercept(request: Request) -> Response | None:
        return HTMLResponse("<h1>Down</h1>", 502) if request.url.path == "/v3/scopes" else None

    client = serve(account, intercept=intercept)
    assert (client.get("/v3/scopes").status_code, client.get("/v3/scopes").text) == (502, "<h1>Down</h1>")
    assert client.get("/v3/asm/groups").status_code == 200
    assert len(account.requests) == 3


def test_rows_edited_in_a_test_are_served(serve: Serve, account: Account) -> None:
    client = serve(account)
    account.lists[0]["recipient_count"] = 200
    account.bounces.append({"created": 1_800_000_000, "email": "new@example.com", "reason": "", "status": ""})
    assert client.get("/v3/contactdb/lists").json()["lists"][0]["recipient_count"] == 200
    assert client.get("/v3/suppression/bounces").json()[0]["email"] == "new@example.com"


def test_details_of_a_single_send(serve: Serve, account: Account) -> None:
    client = serve(account)
    listed = client.get("/v3/marketing/singlesends").json()["result"]
    assert all("email_config" not in row for row in listed)
    detailed = client.get(f"/v3/marketing/singlesends/{listed[0]['id']}").json()
    assert detailed["email_config"]["subject"]
    assert detailed["send_to"]["list_ids"] == [account.mc_lists[0]["id"]]


def test_custom_fields_are_left_out_where_there_are_none(serve: Serve, account: Account) -> None:
    client = serve(account)
    assert len(client.get("/v3/marketing/field_definitions").json()["custom_fields"]) == 3
    account.mc_custom_fields.clear()
    answer = client.get("/v3/marketing/field_definitions").json()
    assert "custom_fields" not in answer
    assert answer["reserved_fields"]


def test_counts(serve: Serve, account: Account) -> None:
    client = serve(account)
    assert client.get("/v3/contactdb/recipients/count").json() == {"recipient_count": 60}
    assert client.get("/v3/marketing/contacts/count").json()["contact_count"] == 60


def test_templates_change_their_wrapper_without_page_size(serve: Serve, account: Account) -> None:
    client = serve(account)
    sized = client.get("/v3/templates?generations=legacy,dynamic&page_size=200").json()
    assert {row["generation"] for row in sized["result"]} == {"legacy", "dynamic"}
    unsized = client.get("/v3/templates").json()
    assert {row["generation"] for row in unsized["templates"]} == {"legacy"}
    assert "_metadata" not in unsized


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["d", "c", "b", "a"]),
        ("start_time=200", ["d", "c", "b"]),
        ("end_time=200", ["c", "b", "a"]),
        ("start_time=200&end_time=200", ["c", "b"]),
        ("start_time=301", []),
    ],
)
def test_suppressions_are_filtered_by_time_inclusively(
    serve: Serve, account: Account, query: str, expected: list[str]
) -> None:
    account.blocks[:] = [
        {"created": created, "email": email} for created, email in ((100, "a"), (200, "c"), (300, "d"))
    ]
    account.blocks.append({"created": 200, "email": "b"})
    found = [row["email"] for row in serve(account).get(f"/v3/suppression/blocks?{query}").json()]
    assert found == expected
