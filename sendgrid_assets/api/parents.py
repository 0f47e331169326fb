"""The rows of a collection that others are asked by: lists for their members, categories for their statistics.

Belongs here: reading such a parent once a run. Does not: asking for what belongs to it (`api.each`, `api.days`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from .errors import BadAnswerError
from .evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sendgrid_assets.catalog.collection import ObjectCollection

    from .block import Rows

    Read = Callable[[ObjectCollection, Evidence], Iterator[Rows]]


@dataclass(frozen=True, slots=True)
class Parents:
    """One collection's rows, and what their reading said beside them."""

    rows: tuple[dict[str, Any], ...]
    evidence: Evidence


class Family:
    """The parents read so far, for as long as a run: two collections of one parent ask for it once."""

    def __init__(self) -> None:
        self._read: dict[str, Parents] = {}

    def of(self, collection: ObjectCollection, read: Read) -> Parents:
        """The collection's rows.

        Args:
            collection: the parent.
            read: how its pages are had.

        Raises:
            SendGridError: it could not be read to its end.
        """
        known = self._read.get(collection.table)
        if known is None:
            evidence = Evidence()
            rows = tuple(
                _decoded(row, collection.path) for page in read(collection, evidence) for row in page
            )
            known = self._read[collection.table] = Parents(rows, evidence)
        return known


def _decoded(row: bytes, path: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(row, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswerError(f"{path}: the answer has a row that cannot be read.") from error
