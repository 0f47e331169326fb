"""Many rows as one text, for exports of millions: taking each apart in Python would cost more than all else.

Belongs here: the text with its count. Does not: files (`api.export_file`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Object(msgspec.Struct):
    """Any JSON object: its members are passed over."""


_OBJECTS = msgspec.json.Decoder(_Object)


@dataclass(frozen=True, slots=True)
class Block(Collection[bytes]):
    """Rows, each one line of JSON.

    Attributes:
        text: the lines, without the last one's end.
        rows: how many there are.
    """

    text: bytes
    rows: int

    @classmethod
    def read(cls, text: bytes) -> Block | None:
        """The text as rows; None where a line of it is blank, no JSON object, or not quite sound."""
        text = text.rstrip(b"\r\n")
        try:
            rows = len(_OBJECTS.decode_lines(text))
        except (msgspec.DecodeError, RecursionError):
            return None
        return cls(text, rows) if rows == text.count(b"\n") + 1 else None

    def __len__(self) -> int:
        return self.rows

    def __iter__(self) -> Iterator[bytes]:
        return map(bytes.strip, self.text.split(b"\n"))

    def __contains__(self, row: object) -> bool:
        return any(row == line for line in self)


Rows = list[bytes] | Block
"""A page of rows, in either form."""
