"""The export job: ask for it, wait until it is ready, download every file, hand out its lines.

Belongs here: the job's life and its files' forms. Does not: pages of listings (`api.paging`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/contacts/export-contacts
"""

from __future__ import annotations

import gzip
import shutil
import zlib
from typing import TYPE_CHECKING, Any

import msgspec

from .body import sound
from .errors import BadAnswerError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sendgrid_assets.catalog.collection import ObjectCollection
    from sendgrid_assets.catalog.paging import ByExport

    from .client import Client
    from .evidence import Evidence

LONGEST_JOB_SECONDS = 3600.0
"""How long a job may stay pending."""

_LINES_A_PAGE = 10_000
_GZIP = b"\x1f\x8b"


def export_pages(
    client: Client, collection: ObjectCollection, style: ByExport, scratch: Path, evidence: Evidence
) -> Iterator[list[bytes]]:
    """The rows of a new export, a page at a time; all files are here before the first row is.

    Raises:
        SendGridError: the job failed, stayed pending, or a file could not be had whole.
    """
    answer = _decoded(client.post(collection.path, {"file_type": "json"}), collection.path)
    ready = _awaited(client, f"{collection.path}/{answer.get('id')}")
    count = ready.get(style.count_field)
    evidence.count = int(count) if isinstance(count, int | str) and str(count).isdigit() else None
    urls = ready.get("urls") or []
    if not isinstance(urls, list):
        raise BadAnswerError(f"{collection.path}: the export's urls are no JSON array.")
    files = [_downloaded(client, url, scratch / f"export-{number}") for number, url in enumerate(urls)]
    for file in files:
        yield from _pages(file, collection.path)
        file.unlink()


def _awaited(client: Client, path: str) -> dict[str, Any]:
    begun = client.now()
    pause = 0.5
    while True:
        answer = _decoded(client.get(path), path)
        status = str(answer.get("status", "")).lower()
        if status == "ready":
            return answer
        if status != "pending":
            raise BadAnswerError(f"{path}: SendGrid's export ended as {status or 'nothing'}.")
        if client.now() - begun > LONGEST_JOB_SECONDS:
            raise UnavailableError(f"{path}: SendGrid's export stayed pending for an hour.")
        client.pause(pause)
        pause = min(pause * 1.5, 15.0)


def _downloaded(client: Client, url: str, file: Path) -> Path:
    with file.open("wb") as out:
        client.download(url, out.write, lambda: (out.seek(0), out.truncate()))
    with file.open("rb") as start:
        packed = start.read(2) == _GZIP
    if not packed:
        return file
    plain = file.with_suffix(".plain")
    try:
        with gzip.open(file) as source, plain.open("wb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadAnswerError("An export file is cut short or damaged.") from error
    file.unlink()
    return plain


def _pages(file: Path, path: str) -> Iterator[list[bytes]]:
    page: list[bytes] = []
    with file.open("rb") as lines:
        for line in lines:
            row = line.strip()
            if not row:
                continue
            if not row.startswith(b"{"):
                raise BadAnswerError(f"{path}: the export has a line that is no JSON object.")
            page.append(sound(row, f"{path}: the export has a line that is no JSON."))
            if len(page) == _LINES_A_PAGE:
                yield page
                page = []
    if page:
        yield page


def _decoded(body: bytes, path: str) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswerError(f"{path}: the answer is no JSON object.") from error
    return answer
