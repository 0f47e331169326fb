"""An answer's body, cut into raw rows without re-serialising them.

Belongs here: telling rows from everything else a server may send with status 200. Does not: what is in a row.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from sendgrid_assets import surrogates

from .errors import BadAnswerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendgrid_assets.catalog.collection import ObjectCollection

_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder(msgspec.Raw)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_object(body: bytes, path: str) -> dict[str, msgspec.Raw]:
    """The members of an object, each still raw.

    Raises:
        BadAnswerError: it is no JSON object.
    """
    try:
        return _OBJECT.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswerError(f"{path}: the answer is no JSON object.") from error


def sound(text: bytes, complaint: str) -> bytes:
    """The JSON text as it is, or without the half emojis that made it unsound.

    Raises:
        BadAnswerError: it is no JSON all the same; says `complaint`.
    """
    # Looking for half emojis costs far more than reading, so only what cannot be read is searched.
    for mended in (bytes, surrogates.replaced):
        candidate = mended(text)
        with suppress(msgspec.DecodeError, RecursionError):
            _ANY.decode(candidate)
            return candidate
    raise BadAnswerError(complaint)


def rows_of(collection: ObjectCollection, body: bytes) -> list[bytes]:
    """The rows of one of the collection's pages, each on one line.

    Raises:
        BadAnswerError: the rows are not where they must be.
    """
    return read_rows(
        body,
        collection.wrapper,
        collection.path,
        also_in=collection.also_in,
        bare_too=collection.bare_too,
    )


def read_rows(
    body: bytes,
    wrapper: Sequence[str],
    path: str,
    *,
    also_in: Sequence[str] = (),
    bare_too: bool = False,
) -> list[bytes]:
    """The rows of a page, each on one line.

    Args:
        body: the answer.
        wrapper: names the key may have that holds the rows; empty where the body is the array itself.
        path: named in errors.
        also_in: further keys that hold rows, to follow the others, and may be absent.
        bare_too: whether the body may be the array itself although there is a wrapper.

    Raises:
        BadAnswerError: the rows are not where they must be. An empty table is an empty array, nothing less.
    """
    body = sound(body, f"{path}: the answer is no JSON.")
    arrays: list[bytes | msgspec.Raw] = [body]
    if wrapper and not (bare_too and body.lstrip().startswith(b"[")):
        members = read_object(body, path)
        found = [members[name] for name in wrapper if name in members]
        if len(found) != 1:
            raise BadAnswerError(f"{path}: the answer lacks {' or '.join(wrapper)}.")
        arrays = [*found, *(members[name] for name in also_in if name in members)]
    try:
        rows = [row for array in arrays for row in _ROWS.decode(array)]
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswerError(f"{path}: the answer's rows are no JSON array.") from error
    page = [one_line(bytes(row)) for row in rows]
    if not all(row.startswith(b"{") for row in page):
        raise BadAnswerError(f"{path}: the answer has a row that is no JSON object.")
    return page


def one_line(row: bytes) -> bytes:
    """The row without line ends: in valid JSON they stand between tokens only."""
    return row.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in row or b"\r" in row else row
