"""An account's answers, rendered once to files in the simulator's shapes.

Belongs here: making the bytes, and what is known of them. Does not: serving them (`recorded_server`).
"""

from __future__ import annotations

import gzip
import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from sendgrid_assets.simulator import legacy_marketing, marketing
from sendgrid_assets.simulator.account import Account

if TYPE_CHECKING:
    from pathlib import Path

_NOW = 1_800_000_000.0
_PAGE = 1000
_FILES = 10
_INDEX = "account.json"


@dataclass(frozen=True, slots=True)
class Part:
    """A file that is one answer.

    Attributes:
        name: its name.
        rows: the rows in it.
        size: its bytes.
    """

    name: str
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class RecordedAccount:
    """Contacts as export files, and recipients as pages.

    Attributes:
        folder: where the files are.
        files: the export's.
        pages: the recipients'.
    """

    folder: Path
    files: tuple[Part, ...]
    pages: tuple[Part, ...]

    @classmethod
    def load(cls, folder: Path) -> RecordedAccount:
        """The account that was recorded there."""
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        files, pages = (tuple(Part(**part) for part in index[key]) for key in ("files", "pages"))
        return cls(folder, files, pages)

    def share(self, share: float) -> RecordedAccount:
        """Its first files and pages."""
        files, pages = (parts[: max(1, round(len(parts) * share))] for parts in (self.files, self.pages))
        return RecordedAccount(self.folder, files, pages)

    @property
    def contacts(self) -> int:
        """Rows in the export."""
        return sum(part.rows for part in self.files)

    @property
    def recipients(self) -> int:
        """Rows on the pages."""
        return sum(part.rows for part in self.pages)

    @property
    def size(self) -> int:
        """Bytes of all."""
        return sum(part.size for part in (*self.files, *self.pages))


def record(folder: Path, *, contacts: int, recipients: int) -> RecordedAccount:
    """Renders an account, the same for the same numbers."""
    each = -(-contacts // _FILES)
    sizes = [min(each, contacts - start) for start in range(0, contacts, each)]
    workers = min(os.cpu_count() or 1, _FILES + 1)
    # Not forked: this process may have threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        pages = pool.submit(_pages, folder, recipients)
        files = [
            # A simulated export's last file is not packed.
            pool.submit(_file, folder, number, rows, packed=number < len(sizes))
            for number, rows in enumerate(sizes, 1)
        ]
        account = RecordedAccount(folder, tuple(file.result() for file in files), pages.result())
    index = {
        key: [asdict(part) for part in parts]
        for key, parts in (("files", account.files), ("pages", account.pages))
    }
    (folder / _INDEX).write_text(json.dumps(index), encoding="utf-8")
    return account


def _file(folder: Path, number: int, rows: int, *, packed: bool) -> Part:
    account = Account(seed=number, contacts=0, clock=lambda: _NOW)
    lines = []
    for _ in range(rows):
        row = marketing.contact(account, account.people.meet(), account.earlier())
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
        account.mc_contacts.clear()
    data = "".join(lines).encode()
    data = gzip.compress(data, mtime=0) if packed else data
    return _written(folder, f"contacts_{number}.json.gzip", data, rows)


def _pages(folder: Path, rows: int) -> tuple[Part, ...]:
    account = Account(contacts=0, clock=lambda: _NOW)
    for _ in range(rows):
        legacy_marketing.recipient(account, account.people.meet(), account.earlier())
    return tuple(
        _written(folder, f"page_{number}.json", _answer({"recipients": page}), len(page))
        for number, start in enumerate(range(0, rows, _PAGE), 1)
        for page in [account.recipients[start : start + _PAGE]]
    )


def _answer(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _written(folder: Path, name: str, data: bytes, rows: int) -> Part:
    (folder / name).write_bytes(data)
    return Part(name, rows, len(data))
