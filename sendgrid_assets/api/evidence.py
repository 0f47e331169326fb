"""What a reading learns beside the rows, and what proves or disproves that it saw them all.

Belongs here: the record. Does not: judging it (`warehouse.upsert`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Evidence:
    """Filled in by a pager while it reads.

    Attributes:
        count: rows an export job says it wrote; None if there is no job or it does not say.
        moved: whether rows moved between two pages, so that some may have been passed over.
        withheld: whether SendGrid sent the first page again in place of the second.
        uncounted: whether the endpoint that counts the rows gave no count.
    """

    count: int | None = None
    moved: bool = False
    withheld: bool = False
    uncounted: bool = False

    @property
    def doubt(self) -> str | None:
        """Why rows may be missing; None where nothing says so."""
        if self.moved:
            return "Rows moved while the pages were read"
        if self.withheld:
            return "SendGrid shows this account the first page only"
        if self.uncounted:
            return "SendGrid's own count could not be read"
        return None
