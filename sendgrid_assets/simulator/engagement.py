"""What became of single sends and automations: mails delivered, opened and clicked in total.

Belongs here: rows in the shape that `/v3/marketing/stats` sends, how they grow, how they are handed out. Does
not: statistics by day (`stats`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/single-sends-stats/get-all-single-sends-stats
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from .paging import by_token, held, page
from .refusal import not_found

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from random import Random

    from starlette.requests import Request
    from starlette.responses import Response

    from .account import Account, Row
    from .paging import Handler

PATH = "/v3/marketing/stats"

_PAGE = {"default": 25, "most": 50}
_AUTOMATION_STEPS = (3, 2, 4)
_LINKS = (
    ("https://shop.example.com/", 0),
    ("https://shop.example.com/", 1),
    ("https://shop.example.com/products?id=17&ref=mail", 2),
    ("https://blog.example.org/news#latest", 3),
)
"""Where links lead, and their place in the mail: one link comes twice."""


def fill(account: Account) -> None:
    """Puts the numbers of all that a fresh account has sent in place; at least one send has variations."""
    dice = account.dice("engagement")
    triggered = [row for row in account.mc_single_sends if row["status"] == "triggered"]
    if not any(row["is_abtest"] for row in triggered):
        test = {"type": "subject", "winner_criteria": "open", "test_percentage": 20, "duration": "4h"}
        test |= {"winning_template_id": account.uuid(dice), "winner_selected_at": triggered[0]["send_at"]}
        triggered[0] |= {"is_abtest": True, "abtest": test | {"expiration_date": None}}
    _follow(account, dice)
    for steps in _AUTOMATION_STEPS:
        id_ = account.uuid(dice)
        account.mc_automation_stats.extend(
            {"id": id_, "aggregation": "total", "step_id": account.uuid(dice), "stats": _numbers(dice)}
            for _ in range(steps)
        )


def step(account: Account) -> None:
    """What was sent since gets its numbers, and some mail is opened and clicked."""
    dice = account.dice("engagement")
    _follow(account, dice)
    for rows in (account.mc_single_send_stats, account.mc_automation_stats):
        for row in dice.sample(rows, min(2, len(rows))):
            stats = row["stats"]
            stats |= {"opens": stats["opens"] + 1, "clicks": stats["clicks"] + 1}
            for unique in ("unique_opens", "unique_clicks"):
                stats[unique] = min(stats["delivered"], stats[unique] + 1)
            if rows is account.mc_single_send_stats:
                _click(account, row, dice)


def _follow(account: Account, dice: Random) -> None:
    """Adds the numbers of every single send that is sent and has none yet."""
    known = {row["id"] for row in account.mc_single_send_stats}
    for send in account.mc_single_sends:
        if send["status"] != "triggered" or send["id"] in known:
            continue
        for variation, phase in _parts(account, send, dice):
            row = {
                "id": send["id"],
                "aggregation": "total",
                "ab_variation": variation,
                "ab_phase": phase,
                "stats": _numbers(dice),
            }
            account.mc_single_send_stats.append(row)
            for _ in range(row["stats"]["clicks"]):
                _click(account, row, dice)


def _parts(account: Account, send: Row, dice: Random) -> Iterator[tuple[str, str]]:
    """Variation and phase: of a test two and the winner's, else one for all."""
    if not send["is_abtest"]:
        yield "all", "all"
        return
    winner = send["abtest"]["winning_template_id"]
    yield winner, "test"
    yield account.uuid(dice), "test"
    yield winner, "send"


def _numbers(dice: Random) -> dict[str, int]:
    requests = dice.randrange(60, 900)
    lost = {name: dice.randrange(requests // 30) for name in ("bounces", "bounce_drops", "spam_report_drops")}
    delivered = requests - sum(lost.values()) - 1
    opened = dice.randrange(delivered // 2)
    clicked = dice.randrange(opened // 4 + 1)
    return {
        **lost,
        "requests": requests,
        "delivered": delivered,
        "opens": opened + dice.randrange(20),
        "unique_opens": opened,
        "clicks": clicked + dice.randrange(10),
        "unique_clicks": clicked,
        "invalid_emails": 1,
        "spam_reports": dice.randrange(3),
        "unsubscribes": dice.randrange(8),
    }


def _click(account: Account, row: Row, dice: Random) -> None:
    """Counts a click at some link of the part of a single send that the row is about."""
    url, location = dice.choice(_LINKS)
    part = {key: row[key] for key in ("ab_variation", "ab_phase")}
    link = {"url": url, "url_location": location, **part}
    links = account.mc_single_send_links.setdefault(row["id"], [])
    for clicked in links:
        if link.items() <= clicked.items():
            clicked["clicks"] += 1
            return
    links.append(link | {"clicks": 1})


def _links(account: Account, request: Request) -> Response:
    """Clicks at each link of one single send, and at all of them."""
    id_ = request.path_params["id"]
    if not any(row["id"] == id_ for row in account.mc_single_sends):
        raise not_found()
    links = account.mc_single_send_links.get(id_, [])
    total = sum(row["clicks"] for row in links)
    return JSONResponse(page(links, request, "results", **_PAGE) | {"total_clicks": total})


ENDPOINTS: Mapping[str, Handler] = {
    f"{PATH}/singlesends": by_token(held("mc_single_send_stats"), wrapper="results", **_PAGE),
    f"{PATH}/singlesends/{{id}}/links": _links,
    f"{PATH}/automations": by_token(held("mc_automation_stats"), wrapper="results", **_PAGE),
}
