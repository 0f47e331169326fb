"""Exports that come as CSV though JSON was asked for, and the legacy product's."""

import gzip
import json
import tempfile
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sendgrid_assets.api.errors import BadAnswerError
from sendgrid_assets.api.listing import Listing
from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.server import create_app

from .conftest import API_KEY, FakeTime, MakeClient, Script, Stage

CONTACTS = BY_TABLE["mc_contacts"]
HEADER = b'"EMAIL","FIRST_NAME","ALTERNATE_EMAILS","CREATED_AT","CONTACT_ID","Plan","loyalty_points"\n'
DEFINITIONS = {
    "custom_fields": [
        {"id": "e1_N", "name": "loyalty_points", "field_type": "Number"},
        {"id": "e2_T", "name": "Plan", "field_type": "Text"},
    ],
    "reserved_fields": [],
}


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def read(
    make_client: MakeClient, storage: Stage, file: bytes, definitions: Response | None = None
) -> list[dict[str, object]]:
    """The rows of an export with that one file."""
    storage.app = Script(Response(file))

    def answer(request: Request) -> Response:
        if request.url.path.endswith("field_definitions"):
            return definitions or JSONResponse(DEFINITIONS)
        ready = {"id": "job", "status": "ready", "urls": [f"{storage.url}/1?X=1"], "contact_count": 1}
        return JSONResponse(ready if request.method == "GET" else {"id": "job"})

    return [json.loads(row) for row in Listing(make_client(Script(answer)), CONTACTS)]


LINE = (
    b'"a@example.com","Zo\xc3\xab, the ""first""\nof two","b@example.com, c@example.com",'
    b'"2026-01-02T03:04:05Z","c-1","12","12.50"\n'
)
ROW = {
    "email": "a@example.com",
    "first_name": 'Zoë, the "first"\nof two',
    "alternate_emails": ["b@example.com", "c@example.com"],
    "created_at": "2026-01-02T03:04:05Z",
    "contact_id": "c-1",
    "custom_fields": {"Plan": "12", "loyalty_points": 12.5},
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda data: b"\xef\xbb\xbf" + data])
def test_csv_gives_the_rows_that_json_would(
    make_client: MakeClient, other_stage: Stage, pack: object
) -> None:
    assert read(make_client, other_stage, pack(HEADER + LINE)) == [ROW]  # type: ignore[operator]


def test_empty_fields_are_left_out(make_client: MakeClient, other_stage: Stage) -> None:
    rows = read(make_client, other_stage, HEADER + b'"","","","","c-2","",""\n')
    assert rows == [{"contact_id": "c-2"}]


def test_a_header_alone_is_no_contact(make_client: MakeClient, other_stage: Stage) -> None:
    assert read(make_client, other_stage, HEADER) == []


def test_a_five_megabyte_field_comes_whole(make_client: MakeClient, other_stage: Stage) -> None:
    name = "x" * 5_000_000
    (row,) = read(make_client, other_stage, HEADER + b'"","%s","","","c-2","",""\n' % name.encode())
    assert row["first_name"] == name


@pytest.mark.parametrize(
    "definitions",
    [JSONResponse({}, 403), Response(b"<html>"), JSONResponse([]), JSONResponse({"custom_fields": [{}]})],
)
def test_without_definitions_custom_fields_stay_text(
    make_client: MakeClient, other_stage: Stage, definitions: Response
) -> None:
    (row,) = read(make_client, other_stage, HEADER + LINE, definitions)
    assert row["custom_fields"] == {"Plan": "12", "loyalty_points": "12.50"}


@pytest.mark.parametrize(
    "file",
    [
        HEADER + LINE[: len(LINE) // 2],
        HEADER + b'"a@example.com","x"\n',
        b"something else\nentirely\n",
        b'"COLUMN"\n"value"\n',
        HEADER + b'"a@example.com"x,"","","","c-1","",""\n',
    ],
    ids=["cut within quotes", "too few fields", "prose", "no id", "quote inside"],
)
def test_csv_that_is_damaged_fails_the_listing(
    make_client: MakeClient, other_stage: Stage, file: bytes
) -> None:
    with pytest.raises(BadAnswerError):
        read(make_client, other_stage, file)


def test_a_simulated_account_that_sends_csv_has_the_same_contacts(
    make_client: MakeClient, fake_time: FakeTime
) -> None:
    account = Account(contacts=60, clock=fake_time.clock)
    account.export_forces_csv = True
    rows = [json.loads(row) for row in Listing(make_client(create_app(account, api_key=API_KEY)), CONTACTS)]
    by_id = {contact["contact_id"]: contact for contact in account.mc_contacts}
    assert len(rows) == len(by_id) == 60
    for row in rows:
        contact = by_id[row["contact_id"]]
        assert row.get("email") == contact.get("email")
        assert row.get("custom_fields", {}) == contact["custom_fields"]


RECIPIENTS = BY_TABLE["recipients"]


def upgraded(fake_time: FakeTime, contacts: int = 120) -> Account:
    account = Account(contacts=contacts, clock=fake_time.clock)
    account.upgraded = True
    return account


@pytest.mark.parametrize("key", ["id", "recipient_id", "contact_id"])
def test_an_upgraded_legacy_account_is_exported(
    make_client: MakeClient, fake_time: FakeTime, key: str
) -> None:
    account = upgraded(fake_time)
    account.legacy_export_id_key = key
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), RECIPIENTS)
    rows = [json.loads(row) for row in listing]
    assert {row["id"] for row in rows} == {row["id"] for row in account.recipients}
    assert (listing.fetched, listing.expected, listing.whole) == (120, 120, True)
    assert ("POST", "/v3/contactdb/exports") in account.requests
    assert not [path for _, path in account.requests if path.startswith("/v3/contactdb/recipients?")]


def test_an_account_that_pages_is_paged(make_client: MakeClient, account: Account) -> None:
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), RECIPIENTS)
    assert len(list(listing)) == len(account.recipients)
    assert not [path for method, path in account.requests if method == "POST"]


def test_fifty_rows_and_no_export_prove_nothing(make_client: MakeClient, fake_time: FakeTime) -> None:
    account = upgraded(fake_time)

    def shut(request: Request) -> Response | None:
        return JSONResponse({"errors": []}, 403) if "exports" in request.url.path else None

    listing = Listing(make_client(create_app(account, api_key=API_KEY, intercept=shut)), RECIPIENTS)
    assert len(list(listing)) == 50
    assert listing.expected == 120
    assert not listing.whole
