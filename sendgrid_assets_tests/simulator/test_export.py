import csv
import gzip
import io
import json
from urllib.parse import urlsplit

import httpx
import pytest

from sendgrid_assets.simulator.account import Account

from .conftest import Serve

PATH = "/v3/marketing/contacts/exports"


def _export(client: httpx.Client, **asked: object) -> dict:
    started = client.post(PATH, json=asked)
    assert started.status_code == 202
    for _ in range(5):
        job = client.get(f"{PATH}/{started.json()['id']}").json()
        if job["status"] == "ready":
            return job
        assert job["urls"] == []
    raise AssertionError("never ready")


def _files(job: dict) -> list[bytes]:
    return [httpx.get(url).raise_for_status().content for url in job["urls"]]


def _unpacked(data: bytes) -> str:
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()


def test_job_is_pending_for_a_while(serve: Serve, account: Account) -> None:
    account.export_polls = 3
    client = serve(account)
    id_ = client.post(PATH).json()["id"]
    states = [client.get(f"{PATH}/{id_}").json()["status"] for _ in range(5)]
    assert states == ["pending", "pending", "pending", "ready", "ready"]


@pytest.mark.parametrize(
    ("contacts", "files"), [(0, [0]), (1, [1]), (20, [20]), (21, [20, 1]), (60, [20, 20, 20])]
)
def test_json_lines_in_as_many_files_as_needed(serve: Serve, contacts: int, files: list[int]) -> None:
    account = Account(contacts=contacts)
    account.export_file_rows = 20
    job = _export(serve(account), file_type="json")
    assert job["contact_count"] == contacts
    lines = [_unpacked(data).splitlines() for data in _files(job)]
    assert [len(part) for part in lines] == files
    assert [json.loads(line) for part in lines for line in part] == account.mc_contacts


def test_files_are_gzip_but_the_last_of_several_and_an_empty_one(serve: Serve, account: Account) -> None:
    client = serve(account)
    account.export_file_rows = 25
    assert [data[:2] == b"\x1f\x8b" for data in _files(_export(client))] == [True, True, False]
    account.export_file_rows = 100
    assert [data[:2] == b"\x1f\x8b" for data in _files(_export(client))] == [True]
    account.mc_contacts.clear()
    assert _files(_export(client)) == [b""]


def test_csv_has_a_quoted_header_and_the_custom_fields(serve: Serve, account: Account) -> None:
    text = _unpacked(_files(_export(serve(account)))[0])
    assert text.startswith('"EMAIL","FIRST_NAME","LAST_NAME","ADDRESS_LINE_1"')
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["CONTACT_ID"] for row in rows] == [row["contact_id"] for row in account.mc_contacts]
    assert rows[0]["plan"] == account.mc_contacts[0]["custom_fields"]["plan"]


def test_lists_and_segments_narrow_the_export(serve: Serve, account: Account) -> None:
    client = serve(account)
    for asked, id_ in (
        ("list_ids", account.mc_lists[1]["id"]),
        ("segment_ids", account.mc_segments[0]["id"]),
        ("list_ids", account.mc_lists[4]["id"]),
    ):
        job = _export(client, file_type="json", **{asked: [id_]})
        lines = [json.loads(line) for data in _files(job) for line in _unpacked(data).splitlines()]
        assert {row["contact_id"] for row in lines} == account.members[id_]
    assert client.post(PATH, json={"list_ids": ["none"]}).status_code == 404
    kinds = [job["export_type"] for job in client.get(PATH).json()["result"]]
    assert kinds == ["list_export", "segment_export", "list_export"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"file_type": "xml"}'])
def test_bad_job_is_refused(serve: Serve, account: Account, body: bytes) -> None:
    refused = serve(account).post(PATH, content=body)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["message"]


def test_contacts_are_those_of_the_job_s_start(serve: Serve, account: Account) -> None:
    client = serve(account)
    id_ = client.post(PATH, json={"file_type": "json"}).json()["id"]
    account.advance(3)
    for _ in range(3):
        job = client.get(f"{PATH}/{id_}").json()
    assert job["contact_count"] == 60
    assert len(_unpacked(_files(job)[0]).splitlines()) == 60


def test_download_takes_the_link_alone(serve: Serve, account: Account) -> None:
    client = serve(account)
    url = _export(client)["urls"][0]
    account.request_headers.clear()
    refused = client.get(url)
    assert refused.status_code == 400
    assert "Only one auth mechanism allowed" in refused.text
    assert httpx.get(url).status_code == 200
    assert httpx.get(url.replace("Signature=", "Signature=0")).status_code == 403
    assert httpx.get(url.replace("contacts_1", "contacts_9")).status_code == 404
    assert ["authorization" in headers for headers in account.request_headers] == [True, False, False, False]
    assert not urlsplit(url).path.startswith("/v3")


def test_download_expires(serve: Serve) -> None:
    seconds = [1_800_000_000.0]
    account = Account(contacts=1, clock=lambda: seconds[0])
    url = _export(serve(account))["urls"][0]
    seconds[0] += 3601
    expired = httpx.get(url)
    assert expired.status_code == 403
    assert "Request has expired" in expired.text


def test_unknown_job_is_not_found(serve: Serve, account: Account) -> None:
    assert serve(account).get(f"{PATH}/none").status_code == 404
