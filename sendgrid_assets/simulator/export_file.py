"""The files of an export, as SendGrid writes them.

Belongs here: NDJSON, CSV, compression, names. Does not: jobs and downloads (`export`), the shape of a row
(`marketing`, `legacy_marketing`).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .account import Row


def written(
    rows: Sequence[Row], *, file_type: str, size: int, columns: Sequence[str], custom: Sequence[str]
) -> dict[str, bytes]:
    """The files by name: gzip, but for the last of several and that of no contacts, which are plain now and then.

    Args:
        rows: the contacts.
        file_type: `csv` or `json`.
        size: how many contacts fill one file.
        columns: a CSV's columns before the custom fields.
        custom: names of the custom fields.
    """
    size = max(1, size)
    parts = [rows[at : at + size] for at in range(0, len(rows), size)] or [[]]
    files = {}
    for number, part in enumerate(parts, start=1):
        data = b""
        if part:
            data = _csv(part, columns, custom) if file_type == "csv" else _ndjson(part)
        plain = not part or 1 < number == len(parts)
        # The name promises gzip even where the bytes are none, as has been seen: readers must look.
        files[f"contacts_{number}.{file_type}.gzip"] = data if plain else gzip.compress(data, mtime=0)
    return files


def _ndjson(rows: Sequence[Row]) -> bytes:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()


def _csv(rows: Sequence[Row], columns: Sequence[str], custom: Sequence[str]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([*(name.upper() for name in columns), *custom])
    for row in rows:
        fields = row.get("custom_fields", {})
        values = [*(row.get(name) for name in columns), *(fields.get(name) for name in custom)]
        writer.writerow(",".join(value) if isinstance(value, list) else value for value in values)
    return text.getvalue().encode()
