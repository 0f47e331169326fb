"""Contact exports of both products: the job, and the storage its files are downloaded from.

Belongs here: `/v3/marketing/contacts/exports`, `/v3/contactdb/exports` and the presigned links they hand out.
Does not: the contacts, and what is in the files (`export_file`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/contacts/export-contacts
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from .export_file import written
from .instant import DAY, iso
from .legacy_marketing import exported
from .paging import REAL_HOST
from .refusal import Refusal, not_found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from .account import Account, Row
    from .paging import Handler

PATH = "/v3/marketing/contacts/exports"
LEGACY_PATH = "/v3/contactdb/exports"
STORAGE = "/contact-exports"
"""Path of the download links, outside `/v3`: the real ones lead to another host."""

_LINK_SECONDS = 3600
_COLUMNS = (
    "email", "first_name", "last_name", "address_line_1", "address_line_2", "city", "state_province_region",
    "postal_code", "country", "alternate_emails", "phone_number", "whatsapp", "line", "facebook",
    "unique_name", "created_at", "updated_at", "contact_id",
)  # fmt: skip
_LEGACY_COLUMNS = (
    "email", "first_name", "last_name", "created_at", "updated_at", "last_emailed", "last_clicked",
    "last_opened",
)  # fmt: skip


@dataclass(slots=True)
class Export:
    """One job.

    Attributes:
        id: its id.
        path: the endpoint it was started at, which tells the product.
        list_ids: the lists asked for; empty for all contacts.
        segment_ids: the segments asked for.
        created: unix seconds.
        contact_count: contacts in the files.
        files: their bytes, by name.
        polls_left: looks that will still find it pending.
        failure: the status it ends with instead of `ready`; None if it succeeds.
    """

    id: str
    path: str
    list_ids: tuple[str | int, ...]
    segment_ids: tuple[str | int, ...]
    created: int
    contact_count: int
    files: dict[str, bytes]
    polls_left: int
    failure: str | None

    def status(self, base_url: str) -> Row:
        """What SendGrid says of the job; links lead to `base_url`, which ends in a slash."""
        row: Row = {
            "id": self.id,
            "status": "pending",
            "created_at": iso(self.created),
            "updated_at": iso(self.created),
            "expires_at": iso(self.created + _LINK_SECONDS),
            "urls": [],
            "_metadata": {"self": f"{REAL_HOST}{self.path}/{self.id}"},
        }
        if self.polls_left > 0:
            return row
        row["completed_at"] = iso(self.created)
        if self.failure:
            return row | {"status": self.failure, "message": "The export failed."}
        count = "recipient_count" if self.path == LEGACY_PATH else "contact_count"
        links = [self.link(base_url, name) for name in self.files]
        return row | {"status": "ready", "urls": links, count: self.contact_count}

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


def _start(account: Account, request: Request) -> Response:
    """`POST exports`: begins a job on the contacts as they are now."""
    path = _path(account, request)
    asked = _body(request.state.body)
    file_type = asked.get("file_type", "csv")
    if file_type not in ("csv", "json"):
        raise Refusal(400, "file_type must be csv or json", "file_type")
    if account.export_forces_csv:
        file_type = "csv"
    lists, segments = (tuple(asked.get(name) or ()) for name in ("list_ids", "segment_ids"))
    for ids, rows, words in zip(
        (lists, segments), _narrowing(account, path), ("List", "Segment"), strict=True
    ):
        if not {row["id"] for row in rows}.issuperset(ids):
            raise Refusal(404, f"{words} ID does not exist")
    wanted = None
    if lists + segments:
        wanted = set().union(*(account.members.get(str(id_), set()) for id_ in lists + segments))
    count, files = _files(account, path, wanted, file_type)
    job = Export(
        id=account.uuid(),
        path=path,
        list_ids=lists,
        segment_ids=segments,
        created=account.now(),
        contact_count=count,
        files=files,
        polls_left=account.export_polls,
        failure=account.export_failure,
    )
    account.exports[job.id] = job
    return JSONResponse({"id": job.id, "_metadata": {"self": f"{REAL_HOST}{path}/{job.id}"}}, 202)


def _look(account: Account, request: Request) -> Response:
    """`GET exports/{id}`: pending for a few looks, then ready with its links."""
    path = _path(account, request)
    job = account.exports.get(request.path_params["id"])
    if job is None or job.path != path:
        raise not_found()
    status = job.status(str(request.base_url))
    job.polls_left -= 1
    return JSONResponse(status)


def _recent(account: Account, request: Request) -> Response:
    """`GET exports`: the jobs of the last days; lists and segments with capital keys, as SendGrid does."""
    path = _path(account, request)
    lists, segments = ({row["id"]: row["name"] for row in rows} for rows in _narrowing(account, path))
    rows = []
    for job in account.exports.values():
        if job.path != path or job.created < account.now() - 3 * DAY:
            continue
        row = job.status(str(request.base_url)) | {
            "user_id": "12345678",
            "export_type": job.kind,
            "lists": [{"ID": id_, "Name": lists.get(id_, "")} for id_ in job.list_ids],
            "segments": [{"ID": id_, "Name": segments.get(id_, "")} for id_ in job.segment_ids],
        }
        hidden = ("updated_at", "contact_count", "recipient_count", "message")
        rows.append({key: value for key, value in row.items() if key not in hidden})
    return JSONResponse({"result": rows, "_metadata": {"self": f"{REAL_HOST}{path}"}})


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


def _path(account: Account, request: Request) -> str:
    """The endpoint of the product that is asked; the legacy one has exports on SendGrid's new back end alone."""
    if not request.url.path.startswith(LEGACY_PATH):
        return PATH
    if not account.upgraded:
        raise not_found()
    return LEGACY_PATH


def _narrowing(account: Account, path: str) -> tuple[list[Row], list[Row]]:
    """The lists and segments that an export may be narrowed to."""
    if path == LEGACY_PATH:
        return account.lists, account.segments
    return account.mc_lists, account.mc_segments


def _files(
    account: Account, path: str, wanted: set[str] | None, file_type: str
) -> tuple[int, dict[str, bytes]]:
    """How many contacts there are of those wanted (None for all), and the files that hold them."""
    columns: tuple[str, ...] = _COLUMNS
    if path == LEGACY_PATH:
        key = account.legacy_export_id_key
        recipients = [row for row in account.recipients if wanted is None or row["id"] in wanted]
        rows, columns = [exported(row, key) for row in recipients], (*_LEGACY_COLUMNS, key)
        fields = account.custom_fields
    else:
        rows = [row for row in account.mc_contacts if wanted is None or row["contact_id"] in wanted]
        fields = account.mc_custom_fields
    custom = [field["name"] for field in fields]
    size = account.export_file_rows
    return len(rows), written(rows, file_type=file_type, size=size, columns=columns, custom=custom)


ENDPOINTS: Mapping[str, Handler] = {
    path: handler
    for base in (PATH, LEGACY_PATH)
    for path, handler in ((base, _recent), (f"{base}/{{id}}", _look))
}
STARTS: Mapping[str, Handler] = dict.fromkeys((PATH, LEGACY_PATH), _start)
"""What is posted to instead."""
