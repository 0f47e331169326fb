"""What a reading learns beside the rows, and what proves or disproves that it saw them all.

Belongs here: the record. Does not: judging it (`warehouse.upsert`).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Evidence:
    """Filled in by a pager while it reads.

    Attributes:
        count: rows an export job says it wrote; None if there is no job or it does not say.
        moved: whether rows moved between two pages, so that some may have been passed over.
        withheld: whether SendGrid sent the first page again in place of the second.
        uncounted: whether the endpoint that counts the rows gave no count.
        gone: whether a parent vanished while its rows were asked for.
        short: whether a parent's export had fewer rows than its job says it wrote.
        crowded: whether more rows fell into one second than SendGrid shows of it.
        standing: parents that were not asked for, since nothing says that their rows changed.
    """

    count: int | None = None
    moved: bool = False
    withheld: bool = False
    uncounted: bool = False
    gone: bool = False
    short: bool = False
    crowded: bool = False
    standing: list[str] = field(default_factory=list)

    def add(self, part: Evidence) -> None:
        """Takes over what the reading of a part, or of the parents, learnt; counts are of parts and stay there."""
        self.moved |= part.moved
        self.withheld |= part.withheld
        self.uncounted |= part.uncounted
        self.gone |= part.gone
        self.short |= part.short
        self.crowded |= part.crowded

    @property
    def doubt(self) -> str | None:
        """Why rows may be missing; None where nothing says so."""
        reasons = {
            "Rows moved while the pages were read": self.moved,
            "SendGrid shows this account the first page only": self.withheld,
            "SendGrid's own count could not be read": self.uncounted,
            "What the rows belong to vanished while they were read": self.gone,
            "An export has fewer rows than SendGrid says it wrote": self.short,
            "More rows fell into one second than SendGrid shows": self.crowded,
        }
        return next((reason for reason, holds in reasons.items() if holds), None)
