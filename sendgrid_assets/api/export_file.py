"""A downloaded export file: gzip or not, one JSON object a line or CSV, whatever its name says.

Belongs here: from the file's bytes to rows as a listing has them. Does not: the job (`api.export`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/contacts/export-contacts
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import msgspec

from .block import Block
from .body import sound
from .errors import BadAnswerError, SendGridError
from .members import members

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sendgrid_assets.catalog.collection import ObjectCollection
    from sendgrid_assets.catalog.paging import ByExport

    from .block import Rows
    from .client import Client

_ROWS_A_PAGE = 10_000
_BLOCK_BYTES = 4 * 1024 * 1024
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_LONGEST_FIELD = 64 * 1024 * 1024
_DEFINITIONS = "/v3/marketing/field_definitions"


@dataclass(frozen=True)
class ExportFile:
    """One file.

    Attributes:
        file: where it is.
        path: named in errors.
        collection: whose rows it holds.
        style: how its members are renamed.
        client: asked for the custom fields' types where the file is CSV, which has none.
    """

    file: Path
    path: str
    collection: ObjectCollection
    style: ByExport
    client: Client

    def pages(self) -> Iterator[Rows]:
        """Its rows.

        Raises:
            BadAnswerError: it is cut short, damaged, or none of these forms.
        """
        with ExitStack() as files:
            raw = files.enter_context(self.file.open("rb"))
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            plain = raw
            if packed:
                plain = io.BufferedReader(cast("io.RawIOBase", files.enter_context(gzip.open(raw))), 1 << 20)
            try:
                yield from self._forms(plain)
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise BadAnswerError("An export file is cut short or damaged.") from error

    def _forms(self, plain: io.BufferedReader) -> Iterator[Rows]:
        start = plain.peek(64).removeprefix(_BOM).lstrip()[:1]
        if start == b'"' or start.isalpha():
            yield from _paged(self._of_csv(plain))
            return
        plain.read(len(_BOM) if plain.peek(3).startswith(_BOM) else 0)
        while lines := plain.readlines(_BLOCK_BYTES):
            block = None if self.style.renamed else Block.read(b"".join(lines))
            yield block or [row for line in lines for row in self._of_line(line)]

    def _of_line(self, line: bytes) -> Iterator[bytes]:
        row = line.strip()
        if not row:
            return
        if not row.startswith(b"{"):
            raise BadAnswerError(f"{self.path}: the export has a line that is no JSON object.")
        row = sound(row, f"{self.path}: the export has a line that is no JSON.")
        yield self._renamed(row) if self.style.renamed else row

    def _renamed(self, row: bytes) -> bytes:
        named = {name.lower(): raw for name, raw in members(row, self.path).items()}
        return msgspec.json.encode({self.style.renamed.get(name, name): raw for name, raw in named.items()})

    def _of_csv(self, plain: io.BufferedReader) -> Iterator[bytes]:
        csv.field_size_limit(_LONGEST_FIELD)
        with io.TextIOWrapper(plain, encoding="utf-8-sig", errors="replace", newline="") as text:
            reader = csv.reader(text, strict=True)
            try:
                header = next(reader, [])
                if not {name.lower() for name in header} & {"contact_id", "id", *self.style.renamed}:
                    raise BadAnswerError(
                        f"{self.path}: the export is neither JSON lines nor CSV with its header."
                    )
                for fields in reader:
                    if len(fields) != len(header):
                        raise BadAnswerError(
                            f"{self.path}: the export has a line that does not fit its header."
                        )
                    yield msgspec.json.encode(self._row(dict(zip(header, fields, strict=True))))
            except csv.Error as error:
                raise BadAnswerError(f"{self.path}: the export is CSV that cannot be read.") from error

    def _row(self, fields: dict[str, str]) -> dict[str, Any]:
        """As the JSON form has it: empty fields left out, custom ones apart and typed."""
        row: dict[str, Any] = {}
        custom: dict[str, Any] = {}
        for name, text in fields.items():
            if not text:
                continue
            known = self.style.renamed.get(name.lower(), name.lower())
            if known in self._lists:
                row[known] = [part.strip() for part in text.split(",")]
            elif known in self._own:
                row[known] = text
            else:
                custom[name] = self._number(text) if name.lower() in self._numeric else text
        return row | ({"custom_fields": custom} if custom else {})

    @cached_property
    def _own(self) -> frozenset[str]:
        return frozenset(column.path[0] for column in self.collection.sent_columns)

    @cached_property
    def _lists(self) -> frozenset[str]:
        return frozenset(
            column.path[0] for column in self.collection.sent_columns if column.type == "VARCHAR[]"
        )

    @cached_property
    def _numeric(self) -> frozenset[str]:
        """Names of the custom fields that are numbers; none where the key may not read the definitions."""
        try:
            answer = msgspec.json.decode(self.client.get(_DEFINITIONS), type=dict[str, Any])
            defined = answer.get("custom_fields") or []
            return frozenset(str(one["name"]).lower() for one in defined if one.get("field_type") == "Number")
        except (SendGridError, msgspec.DecodeError, KeyError, AttributeError, TypeError):
            return frozenset()

    @staticmethod
    def _number(text: str) -> Any:
        try:
            number = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
        return number if isinstance(number, int | float) and not isinstance(number, bool) else text


def _paged(rows: Iterator[bytes]) -> Iterator[Rows]:
    page: list[bytes] = []
    for row in rows:
        page.append(row)
        if len(page) == _ROWS_A_PAGE:
            yield page
            page = []
    if page:
        yield page
