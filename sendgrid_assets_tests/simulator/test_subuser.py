import httpx

from sendgrid_assets.simulator.account import Account

from .conftest import Serve


def _stats(client: httpx.Client, *names: str) -> httpx.Response:
    query = [("start_date", "2027-01-01"), *(("subusers", name) for name in names)]
    return client.get("/v3/subusers/stats", params=query)


def test_region_is_shown_only_if_asked_for(serve: Serve, account: Account) -> None:
    client = serve(account)
    assert client.get("/v3/subusers?include_region=true").json() == account.subusers
    rows = client.get("/v3/subusers").json()
    assert rows == client.get("/v3/subusers?include_region=false").json()
    assert [set(row) for row in rows] == [{"id", "username", "email", "disabled"}] * 4
    assert {row["region"] for row in account.subusers} == {"global", "eu"}
    assert {row["disabled"] for row in rows} == {True, False}


def test_statistics_are_of_those_named(serve: Serve, account: Account) -> None:
    client = serve(account)
    for day in _stats(client, "billing", "shop").raise_for_status().json():
        assert [(entry["type"], entry["name"]) for entry in day["stats"]] == [
            ("subuser", "billing"),
            ("subuser", "shop"),
        ]
        assert all(len(entry["metrics"]) == 16 for entry in day["stats"])
    unknown = _stats(client, "nobody")
    assert unknown.status_code == 404
    assert unknown.json()["errors"][0]["field"] == "subusers"


def test_ten_at_most_and_one_at_least(serve: Serve, account: Account) -> None:
    account.subusers[:] = [account.subusers[0] | {"username": str(number)} for number in range(11)]
    client, names = serve(account), [row["username"] for row in account.subusers]
    assert len(_stats(client, *names[:10]).raise_for_status().json()[0]["stats"]) == 10
    assert [_stats(client, *asked).status_code for asked in ([], names)] == [400, 400]


def test_one_is_disabled_and_enabled_in_turn(account: Account) -> None:
    seen = []
    for _ in range(9):
        account.advance()
        seen.append(account.subusers[-1]["disabled"])
    assert seen == [True, True, False, False, False, True, True, True, False]
