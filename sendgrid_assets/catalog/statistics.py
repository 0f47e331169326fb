"""Statistics by day: how mails did, of the whole account and by what received or read them.

Belongs here: the shape all daily statistics share, and those that need no names. Does not: those of categories
and subusers (beside what lists them), of single sends and automations (`marketing_statistics`).
"""

from __future__ import annotations

from .collection import DOCS, ObjectCollection
from .column import Column, sent
from .metric import ALL, CLICKS, OPENS, counts
from .paging import ByDay, Names

_BY_MAILBOX = (
    "requests", "processed", "delivered", "deferred", "drops", "bounces", "blocks", *OPENS, *CLICKS, "spam_reports",
)  # fmt: skip
_DATE = sent("date", "DATE", "The day, in the account's time zone.")


def daily(
    table: str,
    *,
    path: str,
    row: str,
    counted: tuple[str, ...],
    scopes: tuple[str, ...],
    page: str,
    name: str | None = None,
    names: Names | None = None,
    note: str = "",
) -> ObjectCollection:
    """A table of statistics by day.

    Args:
        table: its name.
        path: the endpoint.
        row: what one row is.
        counted: what is counted, among `metric`'s.
        scopes: permissions, any of which lets us read it.
        page: SendGrid's reference page.
        name: what the name a day is broken down by means; None where it is not.
        names: the names that must be asked for.
        note: what a user should know beside the row.
    """
    parts: tuple[Column, ...] = ()
    if name:
        parts = (
            sent("name", "VARCHAR", name),
            sent("type", "VARCHAR", "SendGrid's word for what `name` is."),
        )
    return ObjectCollection(
        table=table,
        group="account",
        row=row,
        path=path,
        paging=ByDay(names=names),
        wrapper=(),
        key=("date", "name") if name else ("date",),
        sent_columns=(_DATE, *parts, *counts("metrics", counted)),
        scopes=scopes,
        docs=DOCS + page,
        params={"aggregated_by": "day"},
        lasting=True,
        history=False,
        note=note,
    )


STATS = daily(
    "stats",
    path="/v3/stats",
    row="day, with SendGrid's counts of the whole account",
    counted=ALL,
    scopes=("stats.global.read", "stats.read"),
    page="stats/retrieve-global-email-statistics",
)

MAILBOX_PROVIDER_STATS = daily(
    "mailbox_provider_stats",
    path="/v3/mailbox_providers/stats",
    row="day and mailbox provider",
    name="The mailbox provider, such as `Gmail`.",
    counted=_BY_MAILBOX,
    scopes=("mailbox_providers.stats.read", "stats.read"),
    page="stats/retrieve-email-statistics-by-mailbox-provider",
)

DEVICE_STATS = daily(
    "device_stats",
    path="/v3/devices/stats",
    row="day and kind of device",
    name="The kind of device, such as `Phone` or `Webmail`.",
    counted=OPENS,
    scopes=("devices.stats.read", "stats.read"),
    page="stats/retrieve-email-statistics-by-device-type",
)

CLIENT_STATS = daily(
    "client_stats",
    path="/v3/clients/stats",
    row="day and mail program",
    name="The mail program, such as `Gmail`.",
    counted=OPENS,
    scopes=("clients.stats.read", "stats.read"),
    page="stats/retrieve-email-statistics-by-client-type",
)

BROWSER_STATS = daily(
    "browser_stats",
    path="/v3/browsers/stats",
    row="day and browser",
    name="The browser, such as `Chrome`.",
    counted=CLICKS,
    scopes=("browsers.stats.read", "stats.read"),
    page="stats/retrieve-email-statistics-by-browser",
)

GEO_STATS = daily(
    "geo_stats",
    path="/v3/geo/stats",
    row="day and country or province",
    name="The country or province; `type` says which.",
    counted=(*OPENS, *CLICKS),
    scopes=("geo.stats.read", "stats.read"),
    page="stats/retrieve-email-statistics-by-country-and-stateprovince",
    note="SendGrid has none for subusers in the EU.",
)
