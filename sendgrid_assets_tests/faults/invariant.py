"""What must hold once everything was started again, drained and published: nothing lost, nothing twice.

Belongs here: counting what was acknowledged against what is stored and published, and what a kill may leave before
anything was started again. Does not: bringing that about (`tasks`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .plant import Plant
    from .traffic import Key

ROWS = """
SELECT sg_event_id, event FROM sendgrid.activity
UNION ALL SELECT '', raw FROM _sendgrid_assets.rejected_events
"""
LEDGER = "SELECT file, size, sha256 FROM _sendgrid_assets.loaded_files"
BY_FILE = """
SELECT source_file, count(*) FROM sendgrid.activity GROUP BY ALL
UNION ALL SELECT file, count(*) FROM _sendgrid_assets.rejected_events GROUP BY ALL
"""


@dataclass
class Told:
    """What was sent, and which of it was acknowledged, as often as it was."""

    sent: Counter[Key] = field(default_factory=Counter)
    acknowledged: Counter[Key] = field(default_factory=Counter)

    def send(self, keys: Iterable[Key]) -> None:
        self.sent.update(keys)

    def acknowledge(self, keys: Iterable[Key]) -> None:
        self.acknowledged.update(keys)

    def put(self, keys: Iterable[Key]) -> None:
        """A file that stands in `new/`: sent and acknowledged in one."""
        kept = list(keys)
        self.send(kept)
        self.acknowledge(kept)


@dataclass(frozen=True)
class Verdict:
    """What was found, in numbers, and every way in which it is wrong."""

    acknowledged: int
    rows: int
    lost: int
    doubled: int
    rejected: int
    unacknowledged: int
    strays: int
    wrong: tuple[str, ...]

    def line(self, kills: int) -> str:
        """The figures as one line."""
        return (
            f"kills {kills} · acknowledged {self.acknowledged} · rows {self.rows} · lost {self.lost} · doubled"
            f" {self.doubled} · rejected {self.rejected} · unacknowledged yet stored {self.unacknowledged}"
        )


def judge(plant: Plant, told: Told) -> Verdict:
    """Looks at a plant that was settled: started again, drained and published."""
    table: Counter[Key] = Counter(plant.query(ROWS))
    snapshot: Counter[Key] = Counter(plant.query(ROWS, published=True))
    ledger = Counter(plant.query(LEDGER))
    lost = [key for key in told.acknowledged if key not in table]
    doubled = [key for key, times in table.items() if times > 1]
    invented = [key for key in table if key not in told.sent]
    strays = _strays(plant)
    wrong = {
        "lost": lost,
        "doubled": doubled,
        "invented": invented,
        "published otherwise than committed": [*(table - snapshot), *(snapshot - table)],
        "files twice in the ledger": [entry for entry, times in ledger.items() if times > 1],
        "still waiting": plant.waiting(),
        "left over": strays,
    }
    return Verdict(
        len(told.acknowledged),
        table.total(),
        len(lost),
        len(doubled),
        sum(times for key, times in table.items() if not key[0]),
        sum(key not in told.acknowledged for key in table),
        len(strays),
        tuple(f"{len(what)} {how}: {what[:3]}" for how, what in wrong.items() if what),
    )


def _strays(plant: Plant) -> list[str]:
    """What a kill may leave and the next start must have removed."""
    found = [*plant.landing.tmp.iterdir(), *plant.folder.glob(".*.part*"), *plant.folder.glob(".*.new")]
    return [str(path.relative_to(plant.folder)) for path in found]


def torn(plant: Plant, whole: dict[str, int]) -> list[str]:
    """What a kill left in part: a file's rows without its entry in the ledger, or the entry without all rows.

    Args:
        plant: before anything was started again.
        whole: how many rows each file brings, rejects included.
    """
    entered = {file for file, _, _ in plant.query(LEDGER)}
    rows: Counter[str] = Counter()
    for file, count in plant.query(BY_FILE):
        rows[file] += count
    return [
        f"{file}: {rows[file]} of {count} rows, {'in' if file in entered else 'not in'} the ledger"
        for file, count in whole.items()
        if rows[file] != (count if file in entered else 0)
    ]
