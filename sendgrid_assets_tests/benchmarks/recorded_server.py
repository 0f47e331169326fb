"""A recorded account on loopback, in a process of its own that does as little as can be for an answer.

Belongs here: which file answers what, and the process. Does not: what is in the files (`recorded_account`).

An address begins with the share of the account that is meant: `/1/v3/...` for all of it, `/0.1/v3/...` for a tenth.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager, suppress
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from sendgrid_assets_tests.processes import ROOT, environment

from .recorded_account import RecordedAccount

if TYPE_CHECKING:
    from collections.abc import Iterator

JOB = "/v3/marketing/contacts/exports"
"""Where the export is asked for."""

_ID = "5f0c2c1e-4b57-4e8c-9d0a-6f7f3b1f2a10"
_STORAGE = f"/contact-exports/{_ID}/"
_MADE = "2027-01-15T08:00:00Z"
_SIGNED = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=1800000000&X-Amz-Expires=3600&X-Amz-Signature=" + "0" * 64
)


@contextmanager
def serving(account: RecordedAccount) -> Iterator[str]:
    """Serves the account from another process; yields the address, to be followed by a share."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(account.folder)],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        # It lives as long as its input is open: however this process ends, it does not outlive it.
        process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        process.stdout.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else a small answer waits for the acknowledgement of its header.
    disable_nagle_algorithm = True

    def __init__(self, whole: RecordedAccount, *arguments: Any) -> None:
        self._whole = whole
        super().__init__(*arguments)

    def do_GET(self) -> None:
        account, path, query = self._asked()
        if path == "/v3/contactdb/recipients":
            number = int(query.get("page", ["1"])[0])
            if number > len(account.pages):
                self._refuse(404, "No more pages", "page")
            else:
                self._send_file(account.folder / account.pages[number - 1].name, "application/json")
        elif path.startswith(_STORAGE):
            self._send_file(account.folder / path.removeprefix(_STORAGE), "application/octet-stream")
        elif path == f"{JOB}/{_ID}":
            self._answer(200, self._job(account))
        elif path == "/v3/marketing/contacts/count":
            self._answer(200, {"contact_count": account.contacts, "billable_count": account.contacts})
        elif path == "/v3/contactdb/recipients/count":
            self._answer(200, {"recipient_count": account.recipients})
        elif path == "/v3/contactdb/exports":
            self._refuse(403, "access forbidden")
        elif path == "/v3/scopes":
            self._answer(200, {"scopes": ["marketing_campaigns.read", "marketing.read"]})
        else:
            self._refuse(404, "not found")

    def do_POST(self) -> None:
        _, path, _ = self._asked()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if path == JOB:
            self._answer(202, {"id": _ID, "_metadata": {"self": f"https://api.sendgrid.com{JOB}/{_ID}"}})
        else:
            self._refuse(404, "not found")

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def _asked(self) -> tuple[RecordedAccount, str, dict[str, list[str]]]:
        address = urlsplit(self.path)
        _, share, rest = address.path.split("/", 2)
        self._share = share
        return _part(self._whole, float(share)), f"/{rest}", parse_qs(address.query)

    def _job(self, account: RecordedAccount) -> dict[str, Any]:
        base = f"http://{self.headers['Host']}/{self._share}{_STORAGE}"
        return {
            "id": _ID,
            "status": "ready",
            "created_at": _MADE,
            "updated_at": _MADE,
            "expires_at": _MADE,
            "urls": [f"{base}{file.name}?{_SIGNED}" for file in account.files],
            "_metadata": {"self": f"https://api.sendgrid.com{JOB}/{_ID}"},
            "completed_at": _MADE,
            "contact_count": account.contacts,
        }

    def _refuse(self, status: int, message: str, field: str | None = None) -> None:
        self._answer(status, {"errors": [{"message": message, "field": field}]})

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body, separators=(",", ":")).encode()
        self._head(status, len(data), "application/json")
        self.wfile.write(data)

    def _send_file(self, file: Path, content_type: str) -> None:
        with file.open("rb") as source:
            self._head(200, file.stat().st_size, content_type)
            self.connection.sendfile(source)

    def _head(self, status: int, length: int, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length))
        self.end_headers()


@cache
def _part(account: RecordedAccount, share: float) -> RecordedAccount:
    return account.share(share)


def main(folder: str) -> None:
    """Serves until the input ends."""
    account = RecordedAccount.load(Path(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, account))
    Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
