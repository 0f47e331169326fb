"""The export job: its files come whole or not at all, and none is left behind."""

import gzip
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sendgrid_assets.api.errors import BadAnswerError, UnavailableError
from sendgrid_assets.api.export import LONGEST_JOB_SECONDS
from sendgrid_assets.api.listing import Listing
from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.server import create_app

from .conftest import API_KEY, FakeTime, MakeClient, Script, Stage, raw_server

CONTACTS = BY_TABLE["mc_contacts"]
LINES = b"".join(b'{"contact_id":"%d","first_name":"Zo\xc3\xab"}\n' % n for n in range(2_000))
PACKED = gzip.compress(LINES, mtime=0)


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def job(urls: object, **more: object) -> Script:
    """An account whose export is ready at once, with these links."""
    ready = {"id": "job", "status": "ready", "urls": urls, "contact_count": 2_000, **more}
    return Script(JSONResponse({"id": "job"}, 202), JSONResponse(ready))


def read(
    make_client: MakeClient, stage: Stage, files: Sequence[Response], **more: object
) -> tuple[Listing, list[bytes]]:
    """A listing of an export whose files are those, and its rows."""
    stage.app = Script(*files)
    links = [f"{stage.url}/{n}?X-Amz-Signature=1" for n in range(len(files))]
    listing = Listing(make_client(job(links, **more)), CONTACTS)
    return listing, list(listing)


def test_every_contact_comes_once_over_several_files(
    make_client: MakeClient, fake_time: FakeTime, scratch: Path
) -> None:
    account = Account(contacts=101, clock=fake_time.clock)
    account.export_file_rows, account.export_polls = 25, 4
    listing = Listing(make_client(create_app(account, api_key=API_KEY)), CONTACTS)
    assert [json.loads(row) for row in listing] == account.mc_contacts
    assert listing.whole
    assert (listing.fetched, listing.expected) == (101, 101)
    downloads = [path for _, path in account.requests if path.startswith("/contact-exports")]
    assert len(downloads) == 5
    assert listing.requests == len(account.requests) == 1 + 5 + 5
    assert listing.waited_seconds == sum(fake_time.waits) > 0
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("files", "rows"),
    [
        ([Response(PACKED)], 2_000),
        ([Response(LINES)], 2_000),
        ([Response(LINES.rstrip(b"\n"))], 2_000),
        ([Response(LINES.replace(b"\n", b"\r\n\r\n"))], 2_000),
        ([Response(PACKED), Response(LINES)], 4_000),
        ([Response(PACKED + PACKED)], 4_000),
        ([Response(PACKED, headers={"Content-Encoding": "gzip"})], 2_000),
        ([Response(gzip.compress(PACKED), headers={"Content-Encoding": "gzip"})], 2_000),
        ([Response(b"")], 0),
        ([Response(gzip.compress(b""))], 0),
        ([Response(b"\n \n")], 0),
        ([], 0),
    ],
    ids=[
        "gzip", "plain", "no end of line", "blank lines", "both", "two in one", "encoded", "encoded twice",
        "empty", "empty gzip", "blank", "no file",
    ],
)  # fmt: skip
def test_files_are_read_whatever_their_form(
    make_client: MakeClient, other_stage: Stage, scratch: Path, files: list[Response], rows: int
) -> None:
    listing, found = read(make_client, other_stage, files, contact_count=rows)
    assert found == (LINES.splitlines() * 2)[:rows]
    assert (listing.fetched, listing.expected, listing.whole) == (rows, rows, True)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("urls", [None, [], ""])
def test_export_without_links_is_empty_but_still_counted(make_client: MakeClient, urls: object) -> None:
    listing = Listing(make_client(job(urls)), CONTACTS)
    assert list(listing) == []
    assert (listing.fetched, listing.expected) == (0, 2_000)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"contact_count": 7}, 7),
        ({"contact_count": "7"}, 7),
        ({"contact_count": None}, 9),
        ({"contact_count": -1}, 9),
    ],
)
def test_account_is_counted_where_the_job_does_not_say(
    make_client: MakeClient, more: dict[str, object], expected: int
) -> None:
    script = job([], **more)
    script.answers = (*script.answers, JSONResponse({"contact_count": 9}))
    listing = Listing(make_client(script), CONTACTS)
    list(listing)
    assert listing.expected == expected


def test_missing_file_shows_in_the_count(make_client: MakeClient, other_stage: Stage) -> None:
    listing, _ = read(make_client, other_stage, [Response(PACKED)], contact_count=4_000)
    assert (listing.fetched, listing.expected) == (2_000, 4_000)


@pytest.mark.parametrize("status", ["failure", "failed", "timeout", "", None, 5])
def test_failed_job_fails_the_listing(make_client: MakeClient, scratch: Path, status: object) -> None:
    with pytest.raises(BadAnswerError, match="export ended as"):
        Listing(make_client(job([], status=status)), CONTACTS)
    assert list(scratch.iterdir()) == []


def test_case_of_the_status_does_not_matter(make_client: MakeClient) -> None:
    script = job([], contact_count=0, status="READY")
    script.answers = (script.answers[0], JSONResponse({"status": "Pending"}), script.answers[1])
    assert list(Listing(make_client(script), CONTACTS)) == []


def test_job_that_stays_pending_is_given_up(
    make_client: MakeClient, account: Account, fake_time: FakeTime
) -> None:
    account.export_polls = 10**9
    with pytest.raises(UnavailableError, match="pending"):
        Listing(make_client(create_app(account, api_key=API_KEY)), CONTACTS)
    assert LONGEST_JOB_SECONDS < sum(fake_time.waits) < LONGEST_JOB_SECONDS + 60
    assert len(account.requests) < 400


@pytest.mark.parametrize(
    "answer",
    [
        Response(b""),
        Response(b"<html>"),
        JSONResponse([]),
        JSONResponse(None),
        Response(b'{"a":' + b"[" * 100_000),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_job_that_cannot_be_read_fails_the_listing(
    make_client: MakeClient, answer: Response, first: bool
) -> None:
    script = Script(answer) if first else Script(JSONResponse({"id": "job"}, 202), answer)
    with pytest.raises(BadAnswerError, match=CONTACTS.path):
        Listing(make_client(script), CONTACTS)


@pytest.mark.parametrize("urls", ["https://127.0.0.1/file", {"url": 1}, 5, [None], [{}], [["a"]]])
def test_links_that_are_none_fail_the_listing(make_client: MakeClient, scratch: Path, urls: object) -> None:
    with pytest.raises(BadAnswerError):
        Listing(make_client(job(urls)), CONTACTS)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    "file",
    [
        PACKED[:-1],
        PACKED[: len(PACKED) // 2],
        PACKED[:2],
        PACKED[:-8] + b"\0" * 8,
        PACKED[:40] + bytes(byte ^ 0xFF for byte in PACKED[40:60]) + PACKED[60:],
        PACKED + b"rubbish",
        LINES + b'{"contact_id":"cut',
        LINES + b"[]\n",
        LINES + b"null\n",
        LINES + b'"contact"\n',
        LINES + b"{} {}\n",
        LINES + b'{"a":1}}\n',
        b"<?xml version='1.0'?><Error/>",
        gzip.compress(LINES + b'{"contact_id":'),
        LINES + b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    ],
    ids=[
        "gzip without its last byte", "half a gzip", "head of a gzip", "wrong digest", "damaged gzip",
        "gzip and more", "line cut", "array", "null", "text", "two in a line", "brace too many", "XML",
        "line cut in a gzip", "deep",
    ],
)  # fmt: skip
def test_damaged_file_fails_the_listing(
    make_client: MakeClient, other_stage: Stage, scratch: Path, file: bytes
) -> None:
    with pytest.raises(BadAnswerError):
        read(make_client, other_stage, [Response(PACKED), Response(file)], contact_count=4_000)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("status", [302, 400, 403, 404, 410])
def test_expired_link_fails_the_listing_before_any_row(
    make_client: MakeClient, other_stage: Stage, scratch: Path, status: int
) -> None:
    with pytest.raises(BadAnswerError, match=f"{status}.*expired"):
        read(make_client, other_stage, [Response(PACKED), Response(b"<Error/>", status)])
    assert list(scratch.iterdir()) == []


def test_link_of_an_account_expires(make_client: MakeClient, account: Account, fake_time: FakeTime) -> None:
    def late(request: Request) -> None:
        if request.url.path.startswith("/contact-exports"):
            fake_time.now += 7_200

    with pytest.raises(BadAnswerError, match="403"):
        Listing(make_client(create_app(account, api_key=API_KEY, intercept=late)), CONTACTS)


def test_download_that_breaks_off_is_begun_anew(
    make_client: MakeClient, other_stage: Stage, scratch: Path
) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(PACKED)}\r\nConnection: close\r\n\r\n".encode()
    with raw_server(head + PACKED[:500], b"HTTP/1.1 503 Busy\r\n\r\n", head + PACKED) as url:
        listing = Listing(make_client(job([f"{url}/file"])), CONTACTS)
        assert list(listing) == LINES.splitlines()
    assert listing.requests == 5
    with raw_server(head + PACKED[:500]) as url, pytest.raises(UnavailableError, match="export file"):
        Listing(make_client(job([f"{url}/file"])), CONTACTS)
    assert list(scratch.iterdir()) == []


def test_full_disk_is_not_taken_for_a_bad_download(make_client: MakeClient, other_stage: Stage) -> None:
    def full(_piece: bytes) -> None:
        raise OSError(28, "No space left on device")

    script = other_stage.app = Script(Response(PACKED))
    with pytest.raises(OSError, match="No space"):
        make_client().download(f"{other_stage.url}/1?X=1", full, lambda: None)
    assert len(script.requests) == 1
