"""Subusers of the account, and their statistics."""

from __future__ import annotations

from .collection import DOCS, ObjectCollection
from .column import sent
from .metric import ALL
from .paging import ByOffset, Names
from .statistics import daily

SUBUSERS = ObjectCollection(
    table="subusers",
    group="account",
    row="subuser of the account",
    path="/v3/subusers",
    paging=ByOffset(limit=100, short_page_ends=False),
    wrapper=(),
    key=("id",),
    sent_columns=(
        sent("id", "BIGINT", "The subuser's id."),
        sent("username", "VARCHAR", "The name it signs in with, `name` in `subuser_stats`."),
        sent("email", "VARCHAR", "The address of whoever runs it.", personal=True),
        sent("disabled", "BOOLEAN", "Whether it is barred from sending."),
        sent("region", "VARCHAR", "`global` or `eu`."),
    ),
    scopes=("subusers.read",),
    docs=DOCS + "subusers-api/list-all-subusers",
    # SendGrid leaves the region out unasked.
    params={"include_region": "true"},
)

SUBUSER_STATS = daily(
    "subuser_stats",
    path="/v3/subusers/stats",
    row="day and subuser",
    name="The subuser, `username` in `subusers`.",
    names=Names(parent=SUBUSERS, member="username", parameter="subusers"),
    counted=ALL,
    scopes=("subusers.stats.read", "subusers.read"),
    page="subuser-statistics/retrieve-email-statistics-for-your-subuser",
    note="SendGrid has none for subusers in the EU.",
)
