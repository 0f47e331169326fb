"""The page "from Segment": its tables of what is called what, from the catalog.

Belongs here: what Segment calls its collections and columns, and the tables made of it. Does not: the page's prose
(`from_segment.md`). `python -m sendgrid_assets.docs.from_segment` writes them into the page; a test tells when that is
due. Source: https://www.twilio.com/docs/segment/connections/sources/catalog/cloud-apps/sendgrid
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sendgrid_assets.catalog.events import EVENT_COLLECTIONS
from sendgrid_assets.catalog.insights import INSIGHTS
from sendgrid_assets.catalog.objects import BY_TABLE, OBJECT_COLLECTIONS

from .dictionary import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FILE = Path(__file__).with_name("from_segment.md")

COLLECTIONS = {
    "activity": "activity",
    "_open": "open",
    **{
        name: name
        for name in (
            *(
                "click",
                "bounce",
                "delivered",
                "processed",
                "dropped",
                "deferred",
                "unsubscribe",
                "spam_report",
            ),
            *("lists", "segments", "recipients", "campaigns"),
        )
    },
}
"""Segment's collections, in its order, and the tables that stand for them here."""

_NOTES = {
    "activity": "The union of the event tables in both; here of more of them.",
    "_open": "`open` needs no underscore here; `_open` is a view with `SEGMENT_VIEWS`.",
    "recipients": "Legacy contacts in both. Those of today's Marketing Campaigns are `mc_contacts`.",
    "lists": "Legacy lists in both; today's are `mc_lists`.",
    "segments": "Legacy segments in both; today's are `mc_segments`.",
    "campaigns": "Legacy campaigns in both; today's are `mc_single_sends`.",
}

_PLACE = re.compile(r"(<!-- (\w+): .*?-->\n).*?(<!-- end of \2 -->)", re.DOTALL)


def filled_in(page: str) -> str:
    """The page with today's tables between its marks."""
    tables = {"collections": _collections, "beyond": _beyond}
    return _PLACE.sub(lambda marks: "\n".join((marks[1], *tables[marks[2]](), "", marks[3])), page)


def _collections() -> Iterator[str]:
    yield "| Segment | kind | here | with `<S>_SEGMENT_VIEWS=true` also | to know |"
    yield "|---|---|---|---|---|"
    for theirs, ours in COLLECTIONS.items():
        kind = "object" if ours in BY_TABLE else "event"
        views = [f"{ours}_view", *(["_open"] if theirs == "_open" else ())]
        yield f"| `{theirs}` | {kind} | {_linked([ours])} | {_named(views)} | {_NOTES.get(theirs, '')} |"


def _beyond() -> Iterator[str]:
    yield "| | tables |"
    yield "|---|---|"
    known = set(COLLECTIONS.values())
    for group, title in GROUPS.items():
        tables = [one.table for one in OBJECT_COLLECTIONS if one.group == group and one.table not in known]
        yield f"| {title} | {_linked(tables)} |"
    yield f"| Events | {_linked(one.table for one in EVENT_COLLECTIONS if one.table not in known)} |"
    yield f"| Insights | {_linked(one.view for one in INSIGHTS)} |"


def _linked(tables: Iterable[str]) -> str:
    return " ".join(f"[`{table}`](data_dictionary.md#{table})" for table in tables)


def _named(views: Iterable[str]) -> str:
    return ", ".join(f"`{view}`" for view in views)


if __name__ == "__main__":
    FILE.write_text(filled_in(FILE.read_text(encoding="utf-8")), encoding="utf-8")
