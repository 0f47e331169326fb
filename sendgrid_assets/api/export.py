"""The export job: ask for it, wait until it is ready, download every file, hand out its rows.

Belongs here: the job's life. Does not: what is in a file (`api.export_file`), pages of listings (`api.paging`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/contacts/export-contacts
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from .errors import BadAnswerError, NotThereError, RefusedError, UnavailableError
from .export_file import ExportFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sendgrid_assets.catalog.collection import ObjectCollection
    from sendgrid_assets.catalog.paging import ByExport

    from .block import Rows
    from .client import Client
    from .evidence import Evidence

LONGEST_JOB_SECONDS = 3600.0
"""How long a job may stay pending."""


def export_pages(
    client: Client,
    collection: ObjectCollection,
    style: ByExport,
    scratch: Path,
    evidence: Evidence,
    parent: str | None = None,
) -> Iterator[Rows]:
    """The rows of a new export, a page at a time; all files are here before the first row is.

    Args:
        client: whom to ask.
        collection: what to ask for.
        style: how.
        scratch: an existing folder.
        evidence: told how many rows the job says it wrote.
        parent: the id of whose rows alone are wanted, where the style narrows the export.

    Raises:
        SendGridError: the job failed, stayed pending, or a file could not be had whole.
    """
    path = style.path or collection.path
    asked: dict[str, Any] = {"file_type": "json"}
    if style.narrowed_by and parent is not None:
        asked[style.narrowed_by] = [int(parent) if style.numeric and parent.isdigit() else parent]
    answer = _decoded(client.post(path, asked), path)
    ready = _awaited(client, f"{path}/{answer.get('id')}")
    count = ready.get(style.count_field)
    evidence.count = int(count) if isinstance(count, int | str) and str(count).isdigit() else None
    urls = ready.get("urls") or []
    if not isinstance(urls, list):
        raise BadAnswerError(f"{path}: the export's urls are no JSON array.")
    files = [_downloaded(client, url, scratch / f"export-{number}") for number, url in enumerate(urls)]
    for file in files:
        yield from ExportFile(file, path, collection, style, client).pages()
        file.unlink()


def is_upgraded(client: Client, style: ByExport) -> bool:
    """Whether the account has this export: legacy accounts moved to SendGrid's 2025 back end do.

    Raises:
        SendGridError: the answer says neither.
    """
    try:
        client.get(style.path)
    except (RefusedError, NotThereError):
        return False
    return True


def _awaited(client: Client, path: str) -> dict[str, Any]:
    begun = client.now()
    pause = 0.2
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
    return file


def _decoded(body: bytes, path: str) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswerError(f"{path}: the answer is no JSON object.") from error
    return answer
