"""An object collection: one table that is pulled from SendGrid's API and upserted.

Belongs here: the entry's shape. Does not: the entries (one module a group of tables).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .column import Column, added
from .paging import ByActivity, ByDay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .paging import Paging
    from .reading import Details, Each, Since

Group = Literal["legacy_marketing", "marketing", "suppressions", "account"]

DOCS = "https://www.twilio.com/docs/sendgrid/api-reference/"

KEEPING_COLUMNS = (
    added("first_synced_at", "TIMESTAMP", "When this row was first seen by a sync (UTC)."),
    added("synced_at", "TIMESTAMP", "When a sync last saw this row at SendGrid (UTC)."),
    added("changed_at", "TIMESTAMP", "When a sync last found any of SendGrid's values changed (UTC)."),
    added(
        "deleted_at",
        "TIMESTAMP",
        "When a complete listing no longer had this row (UTC); NULL while SendGrid has it.",
    ),
    added("extra", "JSON", "Fields SendGrid sent that have no column here, or whose value did not fit it."),
)
"""What every object table adds to SendGrid's own columns."""


@dataclass(frozen=True, slots=True)
class Count:
    """An endpoint that says how many rows the collection has."""

    path: str
    field: str


@dataclass(frozen=True, slots=True)
class ObjectCollection:
    """One object collection.

    Attributes:
        table: table and asset name.
        group: the group of tables it is shown in.
        row: what one row is, to follow "One row per".
        path: endpoint, from `/v3` on.
        paging: how SendGrid hands it out.
        wrapper: names of the key that holds the rows, any of them; empty where the body is a bare array.
        also_in: names of further keys that hold rows, and may be absent.
        bare_too: whether the body may also be the bare array of rows, though there is a `wrapper`.
        key: columns that identify a row.
        sent_columns: the columns SendGrid sends.
        scopes: API key permissions, any of which lets us read it.
        docs: address of SendGrid's reference page.
        params: fixed query parameters.
        count: where SendGrid says how many rows there are.
        newest_by: column that tells which of several rows of one key is kept; else the last one sent.
        ignored: fields left out for good.
        each: the parent that it is asked for by, one request or more for each of its rows.
        details: what the listing leaves out.
        nested: member of the listing's rows that is an array of this collection's rows.
        since: how SendGrid is asked for what is new alone; None where it cannot.
        lasting: whether a row stays when SendGrid no longer shows it: statistics, and what it keeps for days only.
        history: whether changes are kept in `_sendgrid_assets.changes`.
        costly: whether it is synced only where it is named.
        note: what a user should know beside the row.
    """

    table: str
    group: Group
    row: str
    path: str
    paging: Paging
    wrapper: tuple[str, ...]
    key: tuple[str, ...]
    sent_columns: tuple[Column, ...]
    scopes: tuple[str, ...]
    docs: str
    params: Mapping[str, str] = field(default_factory=dict)
    count: Count | None = None
    newest_by: str | None = None
    also_in: tuple[str, ...] = ()
    bare_too: bool = False
    ignored: tuple[str, ...] = ("_metadata",)
    each: Each | None = None
    details: Details | None = None
    nested: str | None = None
    since: Since | None = None
    lasting: bool = False
    history: bool = True
    costly: bool = False
    note: str = ""

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns of the table, in order."""
        return (*self.sent_columns, *KEEPING_COLUMNS)

    @property
    def remembers(self) -> bool:
        """Whether what the table holds already decides what is asked for."""
        return bool(self.since or self.details or self.each or isinstance(self.paging, ByDay | ByActivity))

    @property
    def description(self) -> str:
        """One sentence on what a row is, and the note."""
        sentence = f"One row per {self.row}."
        return f"{sentence} {self.note}" if self.note else sentence
