"""The charts that both notebooks draw of the answers to their queries.

Belongs here: one function a chart, from a query's rows. Does not: the queries, which stand in the notebooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

Chart = alt.TopLevelMixin

BLUE, GREEN, VIOLET, ORANGE, RED, GREY = "#2a78a8", "#4c9f70", "#8265a7", "#e08a3c", "#b5383c", "#b9c0c7"

FATES = {"delivered": BLUE, "blocks": ORANGE, "bounces": RED, "dropped": GREY}
WELL = {"delivery_rate": BLUE, "unique_human_open_rate": GREEN, "unique_human_click_rate": VIOLET}
WRONG = {"bounce_rate": RED, "block_rate": ORANGE, "spam_report_rate": "#5d5d5d"}
REFUSALS = {"bounce_rate": RED, "block_rate": ORANGE}
ENGAGEMENT = {"unique_human_open_rate": GREEN, "unique_human_click_rate": VIOLET}
CAUSES = {"bounce": RED, "blocked": ORANGE, "expired": VIOLET, "dropped": GREY}
"""Which columns or values a chart shows, in which colours."""

_STEPS = (
    "processed", "dropped", "deferred", "bounce", "delivered", "open by a machine", "open", "click", "spamreport",
    "unsubscribe", "group_unsubscribe", "group_resubscribe",
)  # fmt: skip
_DAYS = "%-d %b"


def daily(rows: pd.DataFrame) -> Chart:
    """Volumes and rates by day, from `day`, the counts of `FATES` and the rates of `WELL` and `WRONG`."""
    volumes = (
        alt.Chart(rows, title="Delivered, refused and dropped, by day", width=930, height=200)
        .transform_fold(list(FATES), as_=["fate", "messages"])
        .mark_bar()
        .encode(
            x=alt.X(
                "yearmonthdate(day):O",
                title=None,
                axis=alt.Axis(format=_DAYS, labelAngle=0, labelOverlap=True, ticks=False),
            ),
            y=_count("messages"),
            color=_coloured("fate", FATES),
            tooltip=["day:T", "fate:N", "messages:Q"],
        )
    )
    rates = _rates_by_day(rows, "Delivered, opened, clicked", WELL) | _rates_by_day(
        rows, "Refused, reported as spam", WRONG
    )
    return _finished((volumes & rates.resolve_scale(color="independent")).resolve_scale(color="independent"))


def _rates_by_day(rows: pd.DataFrame, title: str, rates: Mapping[str, str]) -> alt.Chart:
    chart: alt.Chart = (
        alt.Chart(rows, title=title, width=430, height=160)
        .transform_fold(list(rates), as_=["rate", "value"])
        .mark_line(point=True)
        .encode(
            x=alt.X("yearmonthdate(day):T", title=None, axis=alt.Axis(format=_DAYS, grid=False, tickCount=6)),
            y=alt.Y("value:Q", title=None, axis=_percents()),
            color=_coloured("rate", rates),
            tooltip=["day:T", "rate:N", alt.Tooltip("value:Q", format=".2%")],
        )
    )
    return chart


def funnel(rows: pd.DataFrame) -> Chart:
    """The steps, from `step`, `messages` and `of_processed`."""
    steps = (
        alt.Chart(rows, title="Messages that came so far", width=780, height=170)
        .transform_calculate(said="format(datum.messages, ',') + ' · ' + format(datum.of_processed, '.1%')")
        .encode(
            x=alt.X("messages:Q", axis=None),
            y=_names("step", None),
            tooltip=["step:N", "messages:Q", alt.Tooltip("of_processed:Q", format=".1%")],
        )
    )
    return _finished(steps.mark_bar(color=BLUE) + steps.mark_text(align="left", dx=6).encode(text="said:N"))


def domains(rows: pd.DataFrame) -> Chart:
    """Refusals and opens side by side, worst delivered first, from `domain`, `delivery_rate` and the rates shown."""
    worst = alt.EncodingSortField("delivery_rate", op="max", order="ascending")
    refused = (
        alt.Chart(rows, title="Refused, of processed", width=360, height=alt.Step(24))
        .transform_fold(list(REFUSALS), as_=["rate", "value"])
        .mark_bar()
        .encode(
            x=alt.X("value:Q", title=None, axis=_percents()),
            y=_names("domain", worst),
            color=_coloured("rate", REFUSALS),
            tooltip=["domain:N", "mailbox_provider:N", "rate:N", alt.Tooltip("value:Q", format=".2%")],
        )
    )
    opened = (
        alt.Chart(rows, title="Opened by a person, of delivered", width=360, height=alt.Step(24))
        .mark_bar(color=GREEN)
        .encode(
            x=alt.X("unique_human_open_rate:Q", title=None, axis=_percents()),
            y=_names("domain", worst).axis(None),
            tooltip=[
                "domain:N",
                "mailbox_provider:N",
                alt.Tooltip("unique_human_open_rate:Q", format=".1%"),
                "processed:Q",
            ],
        )
    )
    return _finished(refused | opened)


def causes(rows: pd.DataFrame) -> Chart:
    """Messages by reason, most first, from `reason`, `kind` and `messages`."""
    return _finished(
        alt.Chart(rows, title="Messages refused or dropped, by reason", width=640, height=alt.Step(22))
        .mark_bar()
        .encode(
            x=alt.X("messages:Q", title=None, axis=alt.Axis(tickMinStep=1, domain=False)),
            y=_names("reason", "-x"),
            color=_coloured("kind", CAUSES),
            tooltip=["reason:N", "kind:N", "messages:Q", "example:N"],
        )
    )


def compared(sends: pd.DataFrame, categories: pd.DataFrame) -> Chart:
    """Single sends and categories by the rates of `ENGAGEMENT`, most opened first."""
    return _finished(
        _compared(sends, "single_send", "The last single sends")
        | _compared(categories, "category", "Categories")
    )


def _compared(rows: pd.DataFrame, of: str, title: str) -> alt.Chart:
    best = alt.EncodingSortField("unique_human_open_rate", op="max", order="descending")
    chart: alt.Chart = (
        alt.Chart(rows, title=title, width=340, height=alt.Step(12))
        .transform_fold(list(ENGAGEMENT), as_=["rate", "value"])
        .mark_bar()
        .encode(
            x=alt.X("value:Q", title=None, axis=_percents()),
            y=_names(of, best),
            yOffset=alt.YOffset("rate:N", sort=list(ENGAGEMENT)),
            color=_coloured("rate", ENGAGEMENT),
            tooltip=[f"{of}:N", "rate:N", alt.Tooltip("value:Q", format=".1%"), "delivered:Q"],
        )
    )
    return chart


def timeline(rows: pd.DataFrame) -> Chart:
    """One recipient's events, from `timestamp`, `event` and `detail`."""
    return _finished(
        alt.Chart(rows, title="What happened, and when", width=780, height=alt.Step(24))
        .mark_circle(size=80, opacity=0.7)
        .encode(
            x=alt.X(
                "timestamp:T",
                title=None,
                axis=alt.Axis(format=_DAYS, tickCount=8),
                scale=alt.Scale(padding=12),
            ),
            y=_names("event", list(_STEPS)),
            color=alt.Color("event:N", legend=None, scale=alt.Scale(scheme="tableau10")),
            tooltip=[alt.Tooltip("timestamp:T", format="%Y-%m-%d %H:%M:%S"), "event:N", "detail:N"],
        )
    )


def revenue(by_recency: pd.DataFrame, by_send: pd.DataFrame) -> Chart:
    """`revenue` by `recency_band` and by `single_send`."""
    return _finished(
        _revenue(by_recency, "recency_band", "Revenue, by the last sign of life", None)
        | _revenue(by_send, "single_send", "Revenue, by the single send clicked", "-x")
    )


def _revenue(rows: pd.DataFrame, of: str, title: str, sort: str | None) -> alt.Chart:
    chart: alt.Chart = (
        alt.Chart(rows, title=title, width=340, height=alt.Step(26))
        .mark_bar(color=BLUE)
        .encode(
            x=alt.X("revenue:Q", title=None, axis=alt.Axis(tickCount=5, domain=False)),
            y=_names(of, sort),
            tooltip=[f"{of}:N", alt.Tooltip("revenue:Q", format=",.2f")],
        )
    )
    return chart


def _names(column: str, sort: Any) -> alt.Y:
    """Bars' names, in the rows' order where `sort` is None."""
    axis = alt.Axis(ticks=False, domain=False, labelLimit=240)
    return alt.Y(f"{column}:N", sort=sort, title=None, axis=axis)


def _count(column: str) -> alt.Y:
    return alt.Y(f"{column}:Q", title=None, axis=alt.Axis(tickMinStep=1, tickCount=5, domain=False))


def _percents() -> alt.Axis:
    return alt.Axis(format="%", tickCount=5, domain=False)


def _coloured(column: str, colours: Mapping[str, str]) -> alt.Color:
    return alt.Color(
        f"{column}:N",
        title=None,
        scale=alt.Scale(domain=list(colours), range=list(colours.values())),
        legend=alt.Legend(orient="bottom", columns=4, labelLimit=240),
    )


def _finished(chart: Any) -> Chart:
    finished: Chart = chart.configure_view(stroke=None).configure_title(anchor="start", offset=12)
    return finished
