"""Quarantine: files over which a process died are loaded apart, so that one that ends processes stops nothing else.

Belongs here: which files are suspect, and finding those to blame. Does not: a process for them (`trial`), what becomes
of them (`drain`).

Whoever dies over files may have been killed for other reasons: only a file over which a process of its own dies, that
did nothing else, is to blame.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from .trial import Brought, tried

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sendgrid_assets.webhook.landing import Landing, LandingFile

    from .file import Warehouse
    from .progress import Progress

log = logging.getLogger(__name__)


def suspects(landing: Landing, progress: Progress) -> list[LandingFile]:
    """The files that a process was at when it died, as far as they still wait, in name order."""
    named = set(progress.attempt or ())
    return [file for file in landing.in_order() if (file.name, file.size) in named] if named else []


def sorted_out(
    warehouse: Warehouse, source: str, files: Sequence[LandingFile], scratch: Path
) -> Iterator[tuple[list[LandingFile], Brought | None]]:
    """The files in groups, in order: each with what loading it apart brought, or None where it ends processes.

    A group that does is halved until a single file is left, so such a one costs two trials for each doubling.

    Args:
        warehouse: where to.
        source: whose events they are.
        files: the suspects.
        scratch: folder for staging files.

    Raises:
        WarehouseBusyError: somebody else holds the warehouse.
    """
    log.warning("A process died while it loaded %d files: they are loaded apart", len(files))
    rest, blameless = [list(files)], False
    while rest:
        group = rest.pop()
        brought = tried(warehouse, source, group, scratch)
        if brought is None and not blameless:
            # Once: where even no file ends a process, the files are not to blame.
            blameless = tried(warehouse, source, [], scratch) is not None
            if not blameless:
                log.error("A process that only opens %s dies too: no file is to blame", warehouse.path)
                return
        if brought is not None or len(group) == 1:
            yield group, brought
        else:
            middle = (len(group) + 1) // 2
            rest += [group[middle:], group[:middle]]
