"""Names and literals in SQL text.

Belongs here: quoting. Does not: statements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def name(*parts: str) -> str:
    """A quoted name, such as `"sendgrid"."open"`."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def names(parts: Iterable[str]) -> str:
    """Quoted names, separated by commas."""
    return ", ".join(name(part) for part in parts)


def text(value: object) -> str:
    """A quoted text literal."""
    return "'" + str(value).replace("'", "''") + "'"
