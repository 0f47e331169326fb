"""Every paging style at no rows, one, exactly a page, and one more."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sendgrid_assets.simulator.account import Account

from .conftest import Serve

SIZES = pytest.mark.parametrize("rows", [0, 1, 3, 4])


def _by_offset(client: httpx.Client, path: str, limit: int) -> list[list[dict]]:
    pages: list[list[dict]] = []
    while True:
        body = client.get(path, params={"limit": limit, "offset": limit * len(pages)}).json()
        page = body["result"] if isinstance(body, dict) else body
        if not page:
            return pages
        pages.append(page)


@SIZES
@pytest.mark.parametrize(
    ("path", "attribute"),
    [
        ("/v3/suppression/bounces", "bounces"),
        ("/v3/asm/suppressions", "asm_suppressions"),
        ("/v3/campaigns", "campaigns"),
        ("/v3/categories", "categories"),
        ("/v3/subusers", "subusers"),
    ],
)
def test_by_offset(serve: Serve, account: Account, path: str, attribute: str, rows: int) -> None:
    getattr(account, attribute)[:] = [{"id": number, "created": 10 - number} for number in range(rows)]
    pages = _by_offset(serve(account), path, 3)
    assert [len(page) for page in pages] == {0: [], 1: [1], 3: [3], 4: [3, 1]}[rows]
    assert [row["id"] for page in pages for row in page] == list(range(rows))


@pytest.mark.parametrize("kind", ["bounces", "blocks", "invalid_emails", "spam_reports", "unsubscribes"])
def test_suppressions_take_at_most_500(serve: Serve, account: Account, kind: str) -> None:
    getattr(account, kind)[:] = [{"created": number, "email": str(number)} for number in range(501)]
    client = serve(account)
    assert len(client.get(f"/v3/suppression/{kind}").json()) == 500
    assert len(client.get(f"/v3/suppression/{kind}?limit=500&offset=500").json()) == 1
    refused = client.get(f"/v3/suppression/{kind}?limit=501")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "limit"


def test_campaigns_come_ten_at_a_time(serve: Serve, account: Account) -> None:
    account.campaigns[:] = [{"id": number} for number in range(11)]
    assert len(serve(account).get("/v3/campaigns").json()["result"]) == 10


def test_categories_come_fifty_at_a_time(serve: Serve, account: Account) -> None:
    account.categories[:] = [{"category": str(number)} for number in range(51)]
    assert len(serve(account).get("/v3/categories").json()) == 50


@SIZES
@pytest.mark.parametrize(
    ("path", "attribute", "wrapper"),
    [
        ("/v3/marketing/lists", "mc_lists", "result"),
        ("/v3/marketing/singlesends", "mc_single_sends", "result"),
        ("/v3/marketing/stats/singlesends", "mc_single_send_stats", "results"),
        ("/v3/marketing/stats/automations", "mc_automation_stats", "results"),
    ],
)
def test_by_token(serve: Serve, account: Account, path: str, attribute: str, wrapper: str, rows: int) -> None:
    getattr(account, attribute)[:] = [{"id": number} for number in range(rows)]
    client = serve(account)
    pages, query = [], {"page_size": ["3"]}
    while True:
        body = client.get(path, params=query).json()
        pages.append([row["id"] for row in body[wrapper]])
        assert body["_metadata"]["count"] == rows
        if "next" not in body["_metadata"]:
            break
        link = urlsplit(body["_metadata"]["next"])
        assert (link.scheme, link.netloc, link.path) == ("https", "api.sendgrid.com", path)
        query = parse_qs(link.query)
    assert pages == {0: [[]], 1: [[0]], 3: [[0, 1, 2]], 4: [[0, 1, 2], [3]]}[rows]


def test_first_page_shows_an_empty_token(serve: Serve, account: Account) -> None:
    metadata = serve(account).get("/v3/marketing/lists").json()["_metadata"]
    assert metadata["self"] == "https://api.sendgrid.com/v3/marketing/lists?page_size=100&page_token="


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/v3/marketing/lists", 1000),
        ("/v3/marketing/singlesends", 100),
        ("/v3/marketing/stats/singlesends", 50),
        ("/v3/marketing/stats/automations", 50),
        ("/v3/templates", 200),
    ],
)
def test_page_size_is_bounded(serve: Serve, account: Account, path: str, most: int) -> None:
    client = serve(account)
    assert client.get(path, params={"page_size": most}).status_code == 200
    for size in (0, most + 1, "many"):
        refused = client.get(path, params={"page_size": size})
        assert refused.status_code == 400
        error = refused.json()["errors"][0]
        assert "page_size" in (error.get("parameter"), error.get("field"))
    assert client.get(path, params={"page_size": 1, "page_token": "?"}).status_code == 400


@SIZES
def test_by_last_seen(serve: Serve, account: Account, rows: int) -> None:
    account.verified_senders[:] = [{"id": 70 - 7 * number} for number in range(rows)]
    client, pages, seen = serve(account), [], 0
    while page := client.get(f"/v3/verified_senders?limit=3&lastSeenID={seen}").json()["results"]:
        pages.append([row["id"] for row in page])
        seen = pages[-1][-1]
    assert pages == {0: [], 1: [[70]], 3: [[56, 63, 70]], 4: [[49, 56, 63], [70]]}[rows]
    assert len(client.get("/v3/verified_senders").json()["results"]) == rows


@SIZES
def test_by_number(serve: Serve, account: Account, rows: int) -> None:
    account.recipients[:] = [{"id": str(number)} for number in range(rows)]
    client, pages = serve(account), []
    while True:
        answer = client.get("/v3/contactdb/recipients", params={"page": len(pages) + 1, "page_size": 3})
        if answer.status_code == 404:
            break
        pages.append(len(answer.json()["recipients"]))
    assert answer.json()["errors"] == [{"field": "page", "message": "No more pages"}]
    assert pages == {0: [], 1: [1], 3: [3], 4: [3, 1]}[rows]


@pytest.mark.parametrize("query", ["page_size=1001", "page_size=0", "page=0", "page=one"])
def test_recipients_refuse_pages_out_of_bounds(serve: Serve, account: Account, query: str) -> None:
    assert serve(account).get(f"/v3/contactdb/recipients?{query}").status_code == 400


def test_recipients_refuse_unknown_parameters(serve: Serve, account: Account) -> None:
    refused = serve(account).get("/v3/contactdb/recipients?page=1&limit=10")
    assert refused.status_code == 400
    assert "not custom fields or reserved fields" in refused.json()["errors"][0]["message"]


def test_upgraded_legacy_account_shows_the_last_fifty(serve: Serve, account: Account) -> None:
    account.upgraded = True
    client = serve(account)
    first, second = (client.get(f"/v3/contactdb/recipients?page={page}").json() for page in (1, 2))
    assert first == second == {"recipients": account.recipients[-50:]}


def test_whole_collections(serve: Serve, account: Account) -> None:
    client = serve(account)
    for path, wrapper, rows in (
        ("/v3/contactdb/lists", "lists", account.lists),
        ("/v3/contactdb/segments", "segments", account.segments),
        ("/v3/contactdb/custom_fields", "custom_fields", account.custom_fields),
        ("/v3/contactdb/reserved_fields", "reserved_fields", account.reserved_fields),
        ("/v3/marketing/segments/2.0", "results", account.mc_segments),
        ("/v3/marketing/senders", "results", account.mc_senders),
    ):
        assert client.get(path).json() == {wrapper: rows}
        rows.clear()
        assert client.get(path).json() == {wrapper: []}
    assert client.get("/v3/asm/groups").json() == account.asm_groups
