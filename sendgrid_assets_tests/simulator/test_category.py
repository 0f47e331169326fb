import httpx
import pytest

from sendgrid_assets.simulator.account import Account

from .conftest import Serve


def _stats(client: httpx.Client, *names: str) -> httpx.Response:
    query = [("start_date", "2027-01-01"), *(("categories", name) for name in names)]
    return client.get("/v3/categories/stats", params=query)


def _names(account: Account) -> list[str]:
    return [row["category"] for row in account.categories]


def test_there_are_more_than_one_request_may_name(serve: Serve, account: Account) -> None:
    names = [row["category"] for row in serve(account).get("/v3/categories").json()]
    assert names == _names(account)
    assert len(set(names)) == 12
    assert any("," in name for name in names)
    assert any(not name.isascii() for name in names)


@pytest.mark.parametrize("name", ["password, reset", "événement"])
def test_each_parameter_names_one(serve: Serve, account: Account, name: str) -> None:
    days = _stats(serve(account), "shop", name).raise_for_status().json()
    assert len(days) == 15
    entries = [[(entry["type"], entry["name"]) for entry in day["stats"]] for day in days]
    assert entries == [[("category", "shop"), ("category", name)]] * 15


def test_numbers_do_not_depend_on_what_else_is_asked(serve: Serve, account: Account) -> None:
    client = serve(account)
    alone, together = (_stats(client, *names).json() for names in (["survey"], ["shop", "survey"]))
    assert [day["stats"][0] for day in alone] == [day["stats"][1] for day in together]
    assert [day["stats"][0]["metrics"] for day in together] != [
        day["stats"][1]["metrics"] for day in together
    ]


def test_ten_at_most_and_one_at_least(serve: Serve, account: Account) -> None:
    client, names = serve(account), _names(account)
    assert [len(day["stats"]) for day in _stats(client, *names[:10]).json()] == [10] * 15
    for refused in (_stats(client), _stats(client, *names[:11])):
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["field"] == "categories"


def test_an_unknown_one_does_not_exist(serve: Serve, account: Account) -> None:
    # Seen where a list was sent as one name: github.com/sendgrid/sendgrid-ruby/issues/145.
    unknown = _stats(serve(account), "shop", "receipts,shop")
    assert unknown.status_code == 404
    assert unknown.json() == {"errors": [{"field": "categories", "message": "category does not exist"}]}


def test_new_ones_come_and_none_for_ever(account: Account) -> None:
    before = _names(account)
    account.advance(4)
    assert _names(account)[:-1] == before
    account.advance(100)
    assert len(set(_names(account))) == len(_names(account)) == 16
