import httpx
import pytest

from sendgrid_assets.simulator.account import Account

from .conftest import Serve

NEWSLETTER = "4101"


def _page(client: httpx.Client, list_: str, **query: int) -> httpx.Response:
    return client.get(f"/v3/contactdb/lists/{list_}/recipients", params=query)


def _ids(answer: httpx.Response) -> list[str]:
    return [row["id"] for row in answer.raise_for_status().json()["recipients"]]


def _all(client: httpx.Client, list_: str, size: int) -> list[list[str]]:
    pages: list[list[str]] = []
    while (answer := _page(client, list_, page=len(pages) + 1, page_size=size)).status_code != 404:
        pages.append(_ids(answer))
    assert answer.json()["errors"] == [{"field": "page", "message": "No more pages"}]
    return pages


def _members(account: Account, list_: str) -> list[str]:
    return [row["id"] for row in account.recipients if row["id"] in account.members[list_]]


def test_recipients_of_a_list_come_in_pages(serve: Serve, account: Account) -> None:
    client, members = serve(account), _members(account, NEWSLETTER)
    assert 20 < len(members) < 60
    pages = _all(client, NEWSLETTER, 20)
    assert [len(page) for page in pages[:-1]] == [20] * (len(pages) - 1)
    assert [id_ for page in pages for id_ in page] == members
    assert _page(client, NEWSLETTER).json()["recipients"][0] == next(
        row for row in account.recipients if row["id"] == members[0]
    )
    assert _all(client, "4105", 20) == []


@pytest.mark.parametrize("list_", ["4199", "none"])
@pytest.mark.parametrize("upgraded", [False, True])
def test_an_unknown_list_is_told_from_the_last_page(
    serve: Serve, account: Account, list_: str, upgraded: bool
) -> None:
    account.upgraded = upgraded
    unknown = _page(serve(account), list_, page=1)
    assert unknown.status_code == 404
    assert unknown.json()["errors"] == [{"field": "list_id", "message": "List ID does not exist"}]


def test_an_upgraded_account_shows_the_last_fifty_of_a_list(serve: Serve) -> None:
    account = Account(contacts=200)
    account.upgraded = True
    client = serve(account)
    shown = [_ids(_page(client, NEWSLETTER, page=page, page_size=20)) for page in (1, 2)]
    assert shown[0] == shown[1] == _members(account, NEWSLETTER)[-50:]


def test_no_other_parameter_is_taken(serve: Serve, account: Account) -> None:
    client = serve(account)
    assert _page(client, NEWSLETTER, page=1, limit=10).status_code == 400
    assert _page(client, NEWSLETTER, page_size=1001).status_code == 400


def test_members_who_come_and_go_while_paging_are_seen(serve: Serve, account: Account) -> None:
    client, members = serve(account), _members(account, NEWSLETTER)
    assert _ids(_page(client, NEWSLETTER, page=1, page_size=10)) == members[:10]
    account.members[NEWSLETTER].remove(members[0])
    assert _ids(_page(client, NEWSLETTER, page=2, page_size=10)) == members[11:21]
    outside = next(row["id"] for row in account.recipients if row["id"] not in account.members[NEWSLETTER])
    account.members[NEWSLETTER] ^= {outside, members[1]}
    shown = [id_ for page in _all(client, NEWSLETTER, 10) for id_ in page]
    assert shown == _members(account, NEWSLETTER)
    assert outside in shown, "a first page looks again though the number of members is the same"
