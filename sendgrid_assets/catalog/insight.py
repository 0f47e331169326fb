"""An insight: a view that answers a question people ask of their mail.

Belongs here: the entry's shape. Does not: the entries (`insights`), nor their SQL (`warehouse/insights`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .column import Column


@dataclass(frozen=True, slots=True)
class Insight:
    """One insight.

    Attributes:
        view: the view's and the asset's name; its SQL is `warehouse/insights/<view>.sql`.
        row: what one row is, to follow "One row per".
        key: columns that identify a row; any of them may be NULL.
        columns: all columns, in the view's order.
        reads: tables, and insights that come before it, of the same source: what the view is made from.
        note: definitions and limits, in full sentences; empty if the columns say it all.
    """

    view: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    reads: tuple[str, ...]
    note: str = ""

    @property
    def description(self) -> str:
        """What a row is, and what must be known of the numbers."""
        return f"One row per {self.row}." + (f" {self.note}" if self.note else "")
