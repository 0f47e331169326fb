import string
from typing import Any

import httpx
import pytest

from sendgrid_assets.simulator.account import Account

from .conftest import Serve

NOW = "2027-01-15T08:00:00Z"
BEGIN = "2026-12-16T08:00:00Z"
WINDOW = f'last_event_time BETWEEN TIMESTAMP "{BEGIN}" AND TIMESTAMP "{NOW}"'


@pytest.fixture
def client(serve: Serve, account: Account) -> httpx.Client:
    return serve(account, limits={"/v3/messages": (1000, 60)})


def _ask(client: httpx.Client, query: str | None, limit: int | None = 1000) -> httpx.Response:
    asked: dict[str, Any] = {"query": query, "limit": limit}
    return client.get("/v3/messages", params={name: value for name, value in asked.items() if value})


def _rows(client: httpx.Client, query: str, limit: int | None = 1000) -> list[dict]:
    return _ask(client, query, limit).raise_for_status().json()["messages"]


def _message(id_: str, at: str) -> dict[str, Any]:
    return {
        "from_email": "shop1@example.com",
        "msg_id": id_,
        "subject": "",
        "to_email": "a@example.com",
        "status": "processed",
        "opens_count": 0,
        "clicks_count": 0,
        "last_event_time": at,
    }


def test_newest_first_and_none_older_than_thirty_days(client: httpx.Client, account: Account) -> None:
    everything = 'last_event_time>=TIMESTAMP "2000-01-01T00:00:00Z"'
    times = [row["last_event_time"] for row in _rows(client, everything)]
    assert times == sorted(times, reverse=True)
    assert len(times) == 60 == len(account.messages) - 3
    assert min(times) >= BEGIN
    account.messages[:] = [_message("edge", BEGIN), _message("old", "2026-12-16T07:59:59Z")]
    assert [row["msg_id"] for row in _rows(client, everything)] == ["edge"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('last_event_time BETWEEN TIMESTAMP "{1}" AND TIMESTAMP "{3}"', "cba"),
        ('last_event_time>=TIMESTAMP "{1}" AND last_event_time<=TIMESTAMP "{3}"', "cba"),
        ('last_event_time > TIMESTAMP "{1}" AND last_event_time < TIMESTAMP "{3}"', "b"),
        ('last_event_time = TIMESTAMP "{2}"', "b"),
        ('last_event_time between timestamp "{2}" and timestamp "{2}"', "b"),
        ('last_event_time BETWEEN TIMESTAMP "{0}" AND TIMESTAMP "{2}" AND msg_id LIKE "b%"', "b"),
        ('msg_id LIKE "c%" AND last_event_time>=TIMESTAMP "{0}"', "c"),
        ('last_event_time BETWEEN TIMESTAMP "{3}" AND TIMESTAMP "{1}"', ""),
        ('last_event_time>=TIMESTAMP "{0}" AND msg_id LIKE "B%"', ""),
        ('last_event_time>=TIMESTAMP "{0}" AND msg_id LIKE "_"', "cba"),
        ('last_event_time>=TIMESTAMP "{0}" AND msg_id LIKE ""', ""),
    ],
)
def test_windows_are_met(client: httpx.Client, account: Account, query: str, expected: str) -> None:
    instants = [f"2027-01-14T00:00:0{second}Z" for second in range(5)]
    account.messages[:] = [_message(id_, instants[at]) for at, id_ in enumerate("abc", start=1)]
    assert "".join(row["msg_id"] for row in _rows(client, query.format(*instants))) == expected


@pytest.mark.parametrize(
    "query",
    [
        None,
        "last_event_time",
        'last_event_time >= "2027-01-01T00:00:00Z"',
        'last_event_time >= TIMESTAMP "yesterday"',
        'status="delivered"',
        f"{WINDOW} OR {WINDOW}",
        f"{WINDOW} AND",
        f"{WINDOW} AND status=1",
        f'{WINDOW} AND msg_id LIKE "a%',
        f"{WINDOW}; DROP",
    ],
)
def test_other_queries_are_refused(client: httpx.Client, query: str | None) -> None:
    refused = _ask(client, query)
    assert refused.status_code == 400
    assert refused.json() == {"errors": [{"field": "query", "message": "invalid query"}]}


def test_ten_by_default_a_thousand_at_most_and_no_further_page(
    client: httpx.Client, account: Account
) -> None:
    account.messages[:] = [_message(f"m{number}", "2027-01-14T00:00:00Z") for number in range(1001)]
    assert len(_rows(client, WINDOW, None)) == 10
    body = _ask(client, WINDOW).json()
    assert set(body) == {"messages"}
    assert len(body["messages"]) == 1000
    assert _ask(client, WINDOW, 1001).status_code == 400


def test_first_letters_part_the_messages(client: httpx.Client, account: Account) -> None:
    letters = string.ascii_letters + string.digits + "-"
    parts = [_rows(client, f'{WINDOW} AND msg_id LIKE "{letter}%"') for letter in letters]
    found = [row["msg_id"] for part in parts for row in part]
    whole = [row["msg_id"] for row in _rows(client, WINDOW)]
    assert sorted(found) == sorted(id_ for id_ in whole if not id_.startswith("_"))


def test_without_the_add_on_nobody_is_authorized(client: httpx.Client, account: Account) -> None:
    account.email_activity = False
    refused = _ask(client, WINDOW)
    assert refused.status_code == 400
    assert refused.json() == {"errors": [{"field": None, "message": "authorization required"}]}


def test_messages_are_sent_and_opened(client: httpx.Client, account: Account) -> None:
    before = {row["msg_id"]: dict(row) for row in account.messages}
    account.advance()
    newest = _rows(client, WINDOW, 2)
    assert {row["last_event_time"] for row in newest} == {NOW}
    (sent,) = (row for row in newest if row["msg_id"] not in before)
    (opened,) = (row for row in newest if row["msg_id"] in before)
    assert opened["opens_count"] == before[opened["msg_id"]]["opens_count"] + 1
    assert opened["status"] == "delivered"
    assert sent["to_email"]
