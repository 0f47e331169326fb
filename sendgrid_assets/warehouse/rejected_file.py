"""A file of which nothing was loaded, as a row of `rejected_events`.

Belongs here: that row. Does not: moving the file (`webhook.landing`), nor rejected lines (`warehouse.append`).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from .event_fate import REJECTED
from .file import transaction
from .sync_log import utc_now

if TYPE_CHECKING:
    from sendgrid_assets.webhook.landing import LandingFile

    from .file import Warehouse

PROCESS_ENDED = "process_ended"
"""The reason of a file over which the process that read it died."""


def reject_file(warehouse: Warehouse, source: str, file: LandingFile, reason: str) -> int:
    """Notes the file and why, without a line; the same content for the same reason is noted once.

    Args:
        warehouse: where to.
        source: whose file it is.
        file: the file, still where it was listed.
        reason: why nothing of it was loaded.

    Returns:
        How many rows were added.
    """
    with warehouse.open() as connection, transaction(connection):
        added = connection.execute(
            f"INSERT INTO {REJECTED} BY NAME SELECT * FROM (SELECT ? AS source, ? AS file, NULL::BIGINT AS line,"
            " ? AS reason, ? AS raw, ?::TIMESTAMP AS rejected_at) n"
            f" ANTI JOIN (FROM {REJECTED} WHERE line IS NULL) USING (source, file, reason, raw)",
            [source, file.name, reason, _identity(file), utc_now()],
        ).fetchone()
    return int(added[0]) if added else 0


def _identity(file: LandingFile) -> str:
    try:
        with file.path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        return f"{file.size} bytes, not readable ({error.strerror})"
    return f"{file.size} bytes, SHA-256 {digest}"
