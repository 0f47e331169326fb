"""How the mails of Marketing Campaigns did: single sends, automations, and the links in single sends."""

from __future__ import annotations

from .collection import DOCS, ObjectCollection
from .column import Column, sent
from .marketing_contacts import SCOPES
from .metric import counts
from .paging import ByToken
from .reading import Each
from .single_sends import SINGLE_SENDS

_PAGES = DOCS + "marketing-campaign-stats/"
_PAGE_SIZE = 50
_COUNTED = (
    "requests", "delivered", "bounces", "bounce_drops", "invalid_emails", "opens", "unique_opens", "clicks",
    "unique_clicks", "spam_reports", "spam_report_drops", "unsubscribes",
)  # fmt: skip
_VARIATION = sent("ab_variation", "VARCHAR", "The A/B variation, a UUID, or `all`.", absent="all")
_PHASE = sent("ab_phase", "VARCHAR", "The A/B phase: `test`, `send` or `all`.", absent="all")


def _statistics(
    table: str, row: str, path: str, page: str, *parts: Column, scopes: tuple[str, ...] = SCOPES
) -> ObjectCollection:
    span = sent("aggregation", "VARCHAR", "The span that is counted; `total` is all time.", absent="total")
    identity = (*parts, span)
    return ObjectCollection(
        table=table,
        group="marketing",
        row=row,
        path=f"/v3/marketing/stats/{path}",
        paging=ByToken(page_size=_PAGE_SIZE),
        wrapper=("results",),
        key=tuple(column.name for column in identity),
        sent_columns=(*identity, *counts("stats", _COUNTED, prefix="stats_")),
        scopes=scopes,
        docs=_PAGES + page,
        history=False,
    )


SINGLE_SEND_STATS = _statistics(
    "mc_single_send_stats",
    "single send, with SendGrid's counts",
    "singlesends",
    "get-all-single-sends-stats",
    sent("id", "VARCHAR", "The single send, `id` in `mc_single_sends`."),
    _VARIATION,
    _PHASE,
)

AUTOMATION_STATS = _statistics(
    "mc_automation_stats",
    "automation, with SendGrid's counts",
    "automations",
    "get-all-automation-stats",
    sent("id", "VARCHAR", "The automation's id, a UUID."),
    sent("step_id", "VARCHAR", "The automation's step, a UUID, or `all`.", absent="all"),
    scopes=(*SCOPES, "marketing.automation.read"),
)

SINGLE_SEND_LINKS = ObjectCollection(
    table="mc_single_send_links",
    group="marketing",
    row="link in a single send that was clicked",
    path="/v3/marketing/stats/singlesends/{id}/links",
    paging=ByToken(page_size=_PAGE_SIZE),
    wrapper=("results",),
    key=("id", "url", "url_location", "ab_variation", "ab_phase"),
    sent_columns=(
        sent("id", "VARCHAR", "The single send, `id` in `mc_single_sends`."),
        sent("url", "VARCHAR", "The link's address."),
        sent(
            "url_location",
            "BIGINT",
            "Its place among the mail's links, from 0; -1 where it is not told.",
            absent=-1,
        ),
        _VARIATION,
        _PHASE,
        sent("clicks", "BIGINT", "How often it was clicked."),
    ),
    scopes=SCOPES,
    docs=_PAGES + "get-single-send-click-tracking-stats-by-id",
    each=Each(parent=SINGLE_SENDS, into="id", where=("status", "triggered")),
    history=False,
    costly=True,
    note="Synced only where it is named: it takes a request or more per single send each time.",
)
