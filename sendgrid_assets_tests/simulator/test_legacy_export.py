import csv
import gzip
import io
import json

import httpx
import pytest

from sendgrid_assets.simulator.account import Account

from .conftest import Serve

PATH = "/v3/contactdb/exports"
NEWER = "/v3/marketing/contacts/exports"


@pytest.fixture
def account() -> Account:
    account = Account(contacts=60, clock=lambda: 1_800_000_000.5)
    account.upgraded, account.export_polls = True, 1
    return account


def _export(client: httpx.Client, path: str = PATH, **asked: object) -> dict:
    started = client.post(path, json=asked)
    assert started.status_code == 202
    looks = [client.get(f"{path}/{started.json()['id']}").json() for _ in range(2)]
    assert looks[0]["status"] == "pending"
    assert "recipient_count" not in looks[0]
    return looks[1]


def _text(job: dict) -> str:
    (url,) = job["urls"]
    data = httpx.get(url).raise_for_status().content
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()


def test_there_are_none_before_the_upgrade(serve: Serve, account: Account) -> None:
    account.upgraded = False
    client = serve(account)
    answers = [client.get(PATH), client.post(PATH), client.get(f"{PATH}/any")]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert answers[0].json() == {"errors": [{"field": None, "message": "not found"}]}
    assert account.exports == {}


@pytest.mark.parametrize("key", ["contact_id", "recipient_id", "id"])
def test_rows_are_recipients_under_another_key(serve: Serve, account: Account, key: str) -> None:
    if key != "contact_id":
        account.legacy_export_id_key = key
    job = _export(serve(account), file_type="json")
    assert job["recipient_count"] == 60
    assert "contact_count" not in job
    rows = [json.loads(line) for line in _text(job).splitlines()]
    assert [row[key] for row in rows] == [row["id"] for row in account.recipients]
    for row, recipient in zip(rows, account.recipients, strict=True):
        assert {"id", "recipient_id", "contact_id"} & set(row) == {key}
        assert row["created_at"] == recipient["created_at"]
        assert row.get("last_opened") == recipient["last_opened"]
        assert None not in row.values()
        values = {field["name"]: field["value"] for field in recipient["custom_fields"]}
        assert row["custom_fields"] == {name: value for name, value in values.items() if value is not None}


def test_csv_has_the_id_after_the_fields_and_before_custom_ones(serve: Serve, account: Account) -> None:
    account.legacy_export_id_key = "recipient_id"
    text = _text(_export(serve(account)))
    header = text.partition("\n")[0]
    assert header.startswith('"EMAIL","FIRST_NAME","LAST_NAME","CREATED_AT"')
    assert header.endswith('"RECIPIENT_ID","age","country","customer_since"')
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["RECIPIENT_ID"] for row in rows] == [row["id"] for row in account.recipients]
    assert [row["age"] for row in rows] == [
        row["custom_fields"][0]["value"] or "" for row in account.recipients
    ]


def test_lists_and_segments_narrow_it(serve: Serve, account: Account) -> None:
    client = serve(account)
    for asked, id_ in (("list_ids", 4102), ("segment_ids", 5301), ("list_ids", 4105)):
        job = _export(client, file_type="json", **{asked: [id_]})
        assert {json.loads(line)["contact_id"] for line in _text(job).splitlines()} == account.members[
            str(id_)
        ]
    for unknown in (
        {"list_ids": [1]},
        {"list_ids": ["4102"]},
        {"segment_ids": [account.mc_segments[0]["id"]]},
    ):
        assert client.post(PATH, json=unknown).status_code == 404


def test_segments_hold_those_who_meet_their_conditions() -> None:
    account = Account(contacts=1500)
    young, customers = set(), set()
    for row in account.recipients:
        values = {field["name"]: field["value"] for field in row["custom_fields"]}
        age = int(values["age"] or 0)
        if values["age"] and age < 25:
            young.add(row["id"])
        if values["country"] == "Norland" and age > 18 and row["id"] in account.members["4102"]:
            customers.add(row["id"])
    assert (account.members["5301"], account.members["5302"]) == (young, customers)


def test_jobs_of_the_products_are_kept_apart(serve: Serve, account: Account) -> None:
    client = serve(account)
    legacy, newer = _export(client, list_ids=[4101]), _export(client, NEWER)
    assert [job["id"] for job in client.get(NEWER).json()["result"]] == [newer["id"]]
    (listed,) = client.get(PATH).json()["result"]
    assert listed["id"] == legacy["id"]
    assert listed["lists"] == [{"ID": 4101, "Name": "Newsletter"}]
    assert listed["_metadata"]["self"] == f"https://api.sendgrid.com{PATH}/{legacy['id']}"
    assert "recipient_count" not in listed
    assert client.get(f"{NEWER}/{legacy['id']}").status_code == 404
    assert client.get(f"{PATH}/{newer['id']}").status_code == 404


@pytest.mark.parametrize("path", [PATH, NEWER])
def test_a_job_may_fail(serve: Serve, account: Account, path: str) -> None:
    client, account.export_failure = serve(account), "failure"
    failed = _export(client, path)
    assert (failed["status"], failed["urls"]) == ("failure", [])
    assert failed["message"]
    account.export_failure = None
    assert client.get(f"{path}/{failed['id']}").json()["status"] == "failure", "it stays so"
    assert _export(client, path)["status"] == "ready"


@pytest.mark.parametrize("path", [PATH, NEWER])
def test_csv_may_come_unasked(serve: Serve, account: Account, path: str) -> None:
    client, account.export_forces_csv = serve(account), True
    assert _text(_export(client, path, file_type="json")).startswith('"EMAIL"')
    assert client.post(path, json={"file_type": "xml"}).status_code == 400
