"""Email Activity: a window of time is halved until all of its messages fit one answer.

Belongs here: windows and the query language. Does not: the add-on's refusal (`api.client`), its six requests a
minute (`api.throttle`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/email-activity/filter-all-messages
"""

from __future__ import annotations

import datetime as dt
import string
from typing import TYPE_CHECKING

from .body import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendgrid_assets.catalog.collection import ObjectCollection
    from sendgrid_assets.catalog.paging import ByActivity

    from .block import Rows
    from .client import Client
    from .evidence import Evidence
    from .known import Known
    from .paging import Page

_FIRST_LETTERS = string.ascii_letters + string.digits + "-"


def activity_pages(
    client: Client, collection: ObjectCollection, style: ByActivity, known: Known, evidence: Evidence
) -> Iterator[Rows]:
    """The messages, window by window, the oldest first.

    Raises:
        SendGridError: an answer could not be had, or is none.
    """
    end = int(client.now())
    begin = end - style.days * 86_400
    if known.since:
        begin = max(begin, int(known.since.replace(tzinfo=dt.UTC).timestamp()))
    windows = [(min(begin, end), end)]

    def ask(first: int, last: int, further: str = "") -> Page:
        query = (
            f'{style.member} BETWEEN TIMESTAMP "{_instant(first)}" AND TIMESTAMP "{_instant(last)}"{further}'
        )
        body = client.get(collection.path, {"query": query, "limit": style.limit})
        return read_rows(body, collection.wrapper, collection.path)

    while windows:
        first, last = windows.pop()
        rows = ask(first, last)
        if len(rows) < style.limit:
            yield rows
        elif first < last:
            middle = (first + last) // 2
            windows += [(middle + 1, last), (first, middle)]
        else:
            apart = [ask(first, last, f' AND msg_id LIKE "{letter}%"') for letter in _FIRST_LETTERS]
            yield rows
            yield from apart
            evidence.crowded |= any(len(some) >= style.limit for some in apart)
            evidence.crowded |= not {*rows} <= {row for some in apart for row in some}


def _instant(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
