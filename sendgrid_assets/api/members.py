"""A row's members, each still raw, so that values are handed on as they came.

Belongs here: taking a row apart. Does not: what its members mean.
"""

from __future__ import annotations

from typing import Any

import msgspec

from .errors import BadAnswerError

Members = dict[str, msgspec.Raw]

_MEMBERS = msgspec.json.Decoder(Members)
_NESTED = msgspec.json.Decoder(list[Members])


def members(row: bytes, path: str) -> Members:
    """A row's members.

    Args:
        row: a JSON object.
        path: named in errors.

    Raises:
        BadAnswerError: they cannot be told apart.
    """
    try:
        return _MEMBERS.decode(row)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswerError(f"{path}: the answer has a row that cannot be read.") from error


def nested(row: Members, member: str, path: str) -> list[Members]:
    """The rows that a row holds in one of its members; none where it has no such member.

    Raises:
        BadAnswerError: the member is no array of objects.
    """
    if member not in row:
        return []
    try:
        return _NESTED.decode(row[member])
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswerError(f"{path}: a row's {member} are no JSON array of objects.") from error


def value(raw: msgspec.Raw | None) -> Any:
    """A member's value; None where there is none."""
    return None if raw is None else msgspec.json.decode(raw)
