"""Who of contactdb is on a list or in a segment.

Belongs here: finding their rows without a look at all recipients for every page. Does not: who they are
(`Account.members`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .account import Row


class Membership:
    """The members' rows, remembered from one page to the next."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, int, list[Row]]] = {}

    def rows(
        self, id_: str, recipients: Sequence[Row], members: Collection[str], *, anew: bool
    ) -> Sequence[Row]:
        """The members' rows in the order of all recipients.

        Args:
            id_: the list's or segment's.
            recipients: all there are.
            members: the ids of those asked for.
            anew: whether to look again though neither number has changed, as on a first page.
        """
        sizes = (len(recipients), len(members))
        if anew or self._found.get(id_, (-1, -1))[:2] != sizes:
            self._found[id_] = (*sizes, [row for row in recipients if row["id"] in members])
        return self._found[id_][2]
