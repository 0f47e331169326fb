"""Collections that are asked for parent by parent: the members of each list, the links of each single send.

Belongs here: which parents are asked for, and what is taken of their rows. Does not: paging (`api.paging`,
`api.export`), which collections these are (`catalog`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from sendgrid_assets.catalog.paging import ByExport

from .block import Block
from .errors import BadAnswerError, NotThereError
from .evidence import Evidence
from .members import members
from .prefetch import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sendgrid_assets.catalog.collection import ObjectCollection
    from sendgrid_assets.catalog.reading import Each

    from .block import Rows
    from .known import Known
    from .parents import Parents

    ReadOne = Callable[[ObjectCollection, str, Path, Evidence], Iterator[Rows]]

EXPORTS_AT_ONCE, PARENTS_AT_ONCE = 2, 4
"""How many parents are read side by side; how many export jobs SendGrid allows is not documented."""

_BLOCK_BYTES = 4 * 1024 * 1024


@dataclass(slots=True)
class _Read:
    """One parent's rows, in a file so that memory stays flat whatever their number."""

    file: Path
    evidence: Evidence


def each_pages(
    collection: ObjectCollection,
    each: Each,
    parents: Parents,
    known: Known,
    scratch: Path,
    evidence: Evidence,
    read: ReadOne,
) -> Iterator[Rows]:
    """The rows of every parent, with the parent's id in each.

    Args:
        collection: what to ask for.
        each: by what.
        parents: the parent's rows.
        known: parents whose count stands are not asked for.
        scratch: an existing folder.
        evidence: filled in.
        read: reads one parent's rows, given the collection with the parent's path, the parent's id, a folder of
            its own, and where to fill in what it learns.

    Raises:
        SendGridError: a parent could not be read to its end.
    """
    evidence.add(parents.evidence)
    asked = []
    for row in parents.rows:
        id_, count = _id(row, each), _count(row, each)
        if id_ is None:
            raise BadAnswerError(f"{each.parent.path}: a row has no {each.parent_id}.")
        if (each.where and row.get(each.where[0]) != each.where[1]) or count == 0:
            continue
        if count is not None and known.counts.get(id_) == count:
            evidence.standing.append(id_)
            continue
        asked.append(id_)

    def reading(number: int, id_: str) -> _Read:
        one = replace(collection, path=collection.path.format(**{each.into: quote(id_, safe="")}), each=None)
        folder = scratch / f"parent-{number}"
        folder.mkdir()
        found = Evidence()
        file = folder / "rows.ndjson"
        with file.open("wb") as out:
            try:
                for page in read(one, id_, folder, found):
                    out.writelines(_taken(row, each, id_, one.path) + b"\n" for row in page)
            except NotThereError as error:
                if error.path not in (one.path, collection.path):
                    raise
                # The parent went while its siblings were read: what it had proves nothing about the others.
                found.gone = True
        return _Read(file, found)

    width = EXPORTS_AT_ONCE if isinstance(collection.paging, ByExport) else PARENTS_AT_ONCE
    calls = (partial(reading, number, id_) for number, id_ in enumerate(asked))
    for one in in_order(calls, width):
        evidence.add(one.evidence)
        with one.file.open("rb") as lines:
            while page := lines.readlines(_BLOCK_BYTES):
                yield Block(b"".join(page).removesuffix(b"\n"), len(page))
        one.file.unlink()


def _id(row: dict[str, Any], each: Each) -> str | None:
    id_ = row.get(each.parent_id)
    return None if id_ is None else str(id_)


def _count(row: dict[str, Any], each: Each) -> int | None:
    count = row.get(each.count) if each.count else None
    return count if isinstance(count, int) else None


def _taken(row: bytes, each: Each, parent: str, path: str) -> bytes:
    taken: dict[str, Any] = {**members(row, path)}
    if each.members:
        taken = {name: taken[name] for name in each.members if name in taken}
    return msgspec.json.encode({**taken, each.into: parent})
