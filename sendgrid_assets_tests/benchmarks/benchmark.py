"""A benchmark as data: the same work done in several ways, and how these are to compare.

Belongs here: what a benchmark, its variants and its targets are. Does not: running them (`rounds`, `child`), any one
benchmark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from .run import Run

Facts = dict[str, Any]
"""What a variant is told of the inputs, as JSON: addresses, files, how many rows there are."""

Role = Literal["ours", "limit", "reference", "peer"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a variant did.

    Attributes:
        rows: rows handled; speed is these by the time.
        content: a digest of the rows that are there afterwards, alike for variants that hold the same; None
            where nothing is kept.
        figures: what else is worth showing, by name with its unit.
    """

    rows: int
    content: str | None = None
    figures: dict[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of doing the work.

    Attributes:
        name: its name in reports.
        role: ours, the limit that ours is held against, a reference for information, or a peer.
        what: what it does, in a few words.
        work: does it, once, in a process of its own.
        share: the share of the rows it is given, where all would take too long.
        needs: the module that must be installed for it.
    """

    name: str
    role: Role
    what: str
    work: Callable[[Run], Outcome]
    share: float = 1.0
    needs: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What one figure of ours should be.

    Attributes:
        against: the variant whose figure ours is divided by; None where ours is taken as it is.
        figure: the figure: `rows/s`, `peak MB`, `seconds` or one of the outcome's.
        least: the least it should be, or None.
        most: the most it should be, or None.
    """

    against: str | None
    figure: str = "rows/s"
    least: float | None = None
    most: float | None = None

    def met_by(self, value: float) -> bool:
        """Whether a value is as it should be."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    @property
    def bound(self) -> str:
        """What it should be, in a few characters."""
        parts = [f">= {self.least:g}"] if self.least is not None else []
        parts += [f"<= {self.most:g}"] if self.most is not None else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The same work on the same bytes, done in several ways.

    Attributes:
        name: its name on the command line.
        what: the work, in a sentence.
        prepare: makes the inputs in a folder, for a scale (1 is full size), and yields what tells a variant of its
            share of them.
        variants: the ways, ours first.
        targets: how ours should compare.
    """

    name: str
    what: str
    prepare: Callable[[Path, float], AbstractContextManager[Callable[[float], Facts]]]
    variants: tuple[Variant, ...]
    targets: tuple[Target, ...]

    def variant(self, name: str) -> Variant:
        """The variant of that name.

        Raises:
            KeyError: there is none.
        """
        return {variant.name: variant for variant in self.variants}[name]
