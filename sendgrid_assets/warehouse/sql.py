"""Names and literals in SQL text.

Belongs here: quoting. Does not: statements.

A drain's statements have their values as literals: for a statement's first parameter DuckDB imports pandas, where it is
installed, which takes half a second of a process that starts every half minute.
"""

from __future__ import annotations

import datetime as dt
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


def literal(value: str | float | dt.datetime | None) -> str:
    """A value as a literal of its type.

    Args:
        value: a text without NUL, a finite number, an instant without a zone, or NULL.
    """
    if value is None:
        return "NULL"
    if isinstance(value, dt.datetime):
        return f"TIMESTAMP {text(value)}"
    if isinstance(value, float):
        # Without the quotes DuckDB reads a DECIMAL first, whose conversion is off by the last digit for some numbers.
        return f"DOUBLE '{value!r}'"
    return text(value) if isinstance(value, str) else str(value)
