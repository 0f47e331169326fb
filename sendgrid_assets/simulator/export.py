"""Contact exports: the job, its files, and the storage they are downloaded from.

Belongs here: `/v3/marketing/contacts/exports` and the presigned links it hands out. Does not: the contacts.
Source: https://www.twilio.com/docs/sendgrid/api-reference/contacts/export-contacts
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from .instant import DAY, iso
from .paging import REAL_HOST
from .refusal import Refusal, not_found

if TYPE_CHECKING:
    from starlette.requests import Request

    from .account import Account, Row

PATH = "/v3/marketing/contacts/exports"
STORAGE = "/contact-exports"
"""Path of the download links, outside `/v3`: the real ones lead to another host."""

_LINK_SECONDS = 3600
_COLUMNS = (
    "email", "first_name", "last_name", "address_line_1", "address_line_2", "city", "state_province_region",
    "postal_code", "country", "alternate_emails", "phone_number", "whatsapp", "line", "facebook",
    "unique_name", "created_at", "updated_at", "contact_id",
)  # fmt: skip


@dataclass(slots=True)
class Export:
    """One job.

    Attributes:
        id: its id.
        list_ids: the lists asked for; empty for all contacts.
        segment_ids: the segments asked for.
        created: unix seconds.
        contact_count: contacts in the files.
        files: their bytes, by name.
        polls_left: looks that will still find it pending.
    """

    id: str
    list_ids: tuple[str, ...]
    segment_ids: tuple[str, ...]
    created: int
    contact_count: int
    files: dict[str, bytes]
    polls_left: int

    def status(self, base_url: str) -> Row:
        """What SendGrid says of the job; links lead to `base_url`, which ends in a slash."""
        ready = self.polls_left <= 0
        row: Row = {
            "id": self.id,
            "status": "ready" if ready else "pending",
            "created_at": iso(self.created),
            "updated_at": iso(self.created),
            "expires_at": iso(self.created + _LINK_SECONDS),
            "urls": [self.link(base_url, name) for name in self.files] if ready else [],
            "_metadata": {"self": f"{REAL_HOST}{PATH}/{self.id}"},
        }
        if ready:
            row |= {"completed_at": iso(self.created), "contact_count": self.contact_count}
        return row

    @property
    def kind(self) -> str:
        """SendGrid's word for what was asked for."""
        if self.list_ids:
            return "list_export"
        return "segment_export" if self.segment_ids else "contacts_export"

    def link(self, base_url: str, name: str) -> str:
        """A presigned link to one file."""
        return (
            f"{base_url.rstrip('/')}{STORAGE}/{self.id}/{name}?X-Amz-Algorithm=AWS4-HMAC-SHA256"
            f"&X-Amz-Date={self.created}&X-Amz-Expires={_LINK_SECONDS}&X-Amz-Signature={self.signature}"
        )

    @property
    def signature(self) -> str:
        """What the links are signed with."""
        return self.id.replace("-", "") * 2


def start(account: Account, request: Request) -> Response:
    """`POST exports`: begins a job on the contacts as they are now."""
    asked = _body(request.state.body)
    file_type = asked.get("file_type", "csv")
    if file_type not in ("csv", "json"):
        raise Refusal(400, "file_type must be csv or json", "file_type")
    lists, segments = (tuple(asked.get(name) or ()) for name in ("list_ids", "segment_ids"))
    for names, rows, words in (
        (lists, account.mc_lists, "List ID does not exist"),
        (segments, account.mc_segments, "Segment ID does not exist"),
    ):
        if not {row["id"] for row in rows}.issuperset(names):
            raise Refusal(404, words)
    wanted: set[str] = set().union(*(account.members.get(id_, set()) for id_ in lists + segments))
    contacts = [row for row in account.mc_contacts if not lists + segments or row["contact_id"] in wanted]
    job = Export(
        id=account.uuid(),
        list_ids=lists,
        segment_ids=segments,
        created=account.now(),
        contact_count=len(contacts),
        files=_files(account, contacts, file_type),
        polls_left=account.export_polls,
    )
    account.exports[job.id] = job
    return JSONResponse({"id": job.id, "_metadata": {"self": f"{REAL_HOST}{PATH}/{job.id}"}}, 202)


def look(account: Account, request: Request) -> Response:
    """`GET exports/{id}`: pending for a few looks, then ready with its links."""
    job = account.exports.get(request.path_params["id"])
    if job is None:
        raise not_found()
    status = job.status(str(request.base_url))
    job.polls_left -= 1
    return JSONResponse(status)


def recent(account: Account, request: Request) -> Response:
    """`GET exports`: the jobs of the last days; lists and segments with capital keys, as SendGrid does."""
    names = {row["id"]: row["name"] for row in (*account.mc_lists, *account.mc_segments)}
    rows = []
    for job in account.exports.values():
        if job.created < account.now() - 3 * DAY:
            continue
        row = job.status(str(request.base_url)) | {
            "user_id": "12345678",
            "export_type": job.kind,
            "lists": [{"ID": id_, "Name": names.get(id_, "")} for id_ in job.list_ids],
            "segments": [{"ID": id_, "Name": names.get(id_, "")} for id_ in job.segment_ids],
        }
        rows.append({key: value for key, value in row.items() if key not in ("updated_at", "contact_count")})
    return JSONResponse({"result": rows, "_metadata": {"self": f"{REAL_HOST}{PATH}"}})


def download(account: Account, request: Request) -> Response:
    """One file; as S3 does, it refuses a second way of authorising beside the link's own."""
    if "authorization" in request.headers:
        return _storage_error(400, "InvalidArgument", "Only one auth mechanism allowed")
    job = account.exports.get(request.path_params["id"])
    name = request.path_params["name"]
    if job is None or name not in job.files:
        return _storage_error(404, "NoSuchKey", "The specified key does not exist.")
    if request.query_params.get("X-Amz-Signature") != job.signature:
        return _storage_error(403, "SignatureDoesNotMatch", "The request signature does not match.")
    if account.now() > job.created + _LINK_SECONDS:
        return _storage_error(403, "AccessDenied", "Request has expired")
    return Response(job.files[name], media_type="application/octet-stream")


def _storage_error(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, status, media_type="application/xml")


def _body(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise Refusal(400, "request body is not valid JSON")
    return asked


def _files(account: Account, contacts: list[Row], file_type: str) -> dict[str, bytes]:
    """The files: gzip, but for the last of several and that of no contacts, which are plain now and then."""
    size = max(1, account.export_file_rows)
    parts = [contacts[at : at + size] for at in range(0, len(contacts), size)] or [[]]
    write = _csv if file_type == "csv" else _ndjson
    files = {}
    for number, part in enumerate(parts, start=1):
        data = write(account, part) if part else b""
        plain = not part or 1 < number == len(parts)
        # The name promises gzip even where the bytes are none, as has been seen: readers must look.
        files[f"contacts_{number}.{file_type}.gzip"] = data if plain else gzip.compress(data, mtime=0)
    return files


def _ndjson(_account: Account, contacts: list[Row]) -> bytes:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in contacts).encode()


def _csv(account: Account, contacts: list[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    custom = [field["name"] for field in account.mc_custom_fields]
    writer.writerow([*(name.upper() for name in _COLUMNS), *custom])
    for row in contacts:
        values = [*(row.get(name) for name in _COLUMNS), *(row["custom_fields"].get(name) for name in custom)]
        writer.writerow(",".join(value) if isinstance(value, list) else value for value in values)
    return text.getvalue().encode()
