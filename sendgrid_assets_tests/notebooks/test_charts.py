"""The charts, drawn: each bar, line's point and text stands for a value of the rows."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pandas as pd

from sendgrid_assets.notebooks import charts

DAILY = pd.DataFrame(
    {
        "day": pd.to_datetime(["2026-03-11", "2026-03-10"]),
        "delivered": [90, 40],
        "bounces": [4, 5],
        "blocks": [6, 7],
        "dropped": [8, 9],
        "delivery_rate": [0.9, None],
        "unique_human_open_rate": [0.5, 0.25],
        "unique_human_click_rate": [0.1, 0.2],
        "bounce_rate": [0.04, 0.05],
        "block_rate": [0.06, 0.07],
        "spam_report_rate": [0.001, 0.0],
    }
)
FUNNEL = pd.DataFrame(
    {"step": ["processed", "delivered"], "messages": [1200, 900], "of_processed": [1.0, 0.75]}
)
DOMAINS = pd.DataFrame(
    {
        "domain": ["good.example", "bad.example"],
        "mailbox_provider": ["Other", "Gmail"],
        "processed": [10, 20],
        "delivery_rate": [0.9, 0.5],
        "bounce_rate": [0.1, 0.25],
        "block_rate": [0.0, 0.125],
        "unique_human_open_rate": [0.5, 0.75],
    }
)
CAUSES = pd.DataFrame(
    {
        "reason": ["Reputation", "Invalid Address"],
        "kind": ["blocked", "bounce"],
        "messages": [3, 7],
        "example": ["listed", "unknown"],
    }
)
SENDS = pd.DataFrame(
    {
        "single_send": ["News", "Offer"],
        "delivered": [10, 20],
        "unique_human_open_rate": [0.25, 0.75],
        "unique_human_click_rate": [0.125, 0.5],
    }
)
EVENTS = pd.DataFrame(
    {
        "timestamp": pd.to_datetime(["2026-03-10 10:00", "2026-03-11 11:00", "2026-03-11 12:00"]),
        "event": ["processed", "delivered", "click"],
        "detail": ["x", "y", "z"],
    }
)
BANDS = pd.DataFrame({"recency_band": ["0-30 days", "never"], "revenue": [500.0, 20.0]})
BY_SEND = pd.DataFrame({"single_send": ["News", "Offer"], "revenue": [30.0, 40.0]})


def _labels(chart: charts.Chart, folder: Path) -> list[str]:
    """What a screen reader is told of the drawing: a text for each axis, legend and mark."""
    file = folder / "chart.svg"
    chart.save(file)
    return [
        html.unescape(label)
        for label in re.findall(r'aria-label="([^"]*)"', file.read_text(encoding="utf-8"))
    ]


def _marks(chart: charts.Chart, folder: Path, *fields: str) -> set[tuple[str, ...]]:
    """The values of these fields of each mark that has them all."""
    told = [
        dict(part.split(": ", 1) for part in label.split("; "))
        for label in _labels(chart, folder)
        if "; " in label
    ]
    return {tuple(_short(mark[field]) for field in fields) for mark in told if set(fields) <= set(mark)}


def _short(value: str) -> str:
    """A rate without the noughts at its end."""
    return f"{float(value[:-1]):g}%" if re.fullmatch(r"[\d.]+%", value) else value


def _names(chart: charts.Chart, folder: Path) -> list[str]:
    """The names beside the bars, from the top."""
    (axis,) = (label for label in _labels(chart, folder) if label.startswith("Y-axis for a discrete"))
    return axis.partition("values: ")[2].split(", ")


def test_a_day_shows_what_became_of_its_mail(tmp_path: Path) -> None:
    marks = _marks(charts.daily(DAILY), tmp_path, "day", "fate", "messages")
    assert marks == {
        (day, fate, str(row[fate]))
        for day, row in zip(("Mar 11, 2026", "Mar 10, 2026"), DAILY.to_dict("records"), strict=True)
        for fate in ("delivered", "bounces", "blocks", "dropped")
    }


def test_a_day_shows_its_rates_and_none_that_is_missing(tmp_path: Path) -> None:
    marks = _marks(charts.daily(DAILY), tmp_path, "day", "rate", "value")
    assert {(rate, value) for day, rate, value in marks if day == "Mar 11, 2026"} == {
        ("delivery_rate", "90%"),
        ("unique_human_open_rate", "50%"),
        ("unique_human_click_rate", "10%"),
        ("bounce_rate", "4%"),
        ("block_rate", "6%"),
        ("spam_report_rate", "0.1%"),
    }
    assert not {value for day, rate, value in marks if (day, rate) == ("Mar 10, 2026", "delivery_rate")} - {
        "null"
    }


def test_the_funnel_keeps_its_order_and_says_its_numbers(tmp_path: Path) -> None:
    chart = charts.funnel(FUNNEL)
    assert _names(chart, tmp_path) == ["processed", "delivered"]
    assert _marks(chart, tmp_path, "step", "said") == {
        ("processed", "1,200 · 100.0%"),
        ("delivered", "900 · 75.0%"),
    }


def test_the_worst_domain_stands_first(tmp_path: Path) -> None:
    chart = charts.domains(DOMAINS)
    assert _names(chart, tmp_path) == ["bad.example", "good.example"]
    assert _marks(chart, tmp_path, "domain", "rate", "value") == {
        ("good.example", "bounce_rate", "10%"),
        ("good.example", "block_rate", "0%"),
        ("bad.example", "bounce_rate", "25%"),
        ("bad.example", "block_rate", "12.5%"),
    }
    assert _marks(chart, tmp_path, "domain", "unique_human_open_rate", "processed") == {
        ("good.example", "50%", "10"),
        ("bad.example", "75%", "20"),
    }


def test_the_commonest_cause_stands_first(tmp_path: Path) -> None:
    chart = charts.causes(CAUSES)
    assert _names(chart, tmp_path) == ["Invalid Address", "Reputation"]
    assert _marks(chart, tmp_path, "reason", "kind", "messages") == {
        ("Reputation", "blocked", "3"),
        ("Invalid Address", "bounce", "7"),
    }


def test_sends_and_categories_show_both_rates(tmp_path: Path) -> None:
    chart = charts.compared(SENDS, SENDS.rename(columns={"single_send": "category"}))
    expected = {
        ("News", "unique_human_open_rate", "25%"),
        ("News", "unique_human_click_rate", "12.5%"),
        ("Offer", "unique_human_open_rate", "75%"),
        ("Offer", "unique_human_click_rate", "50%"),
    }
    assert _marks(chart, tmp_path, "single_send", "rate", "value") == expected
    assert _marks(chart, tmp_path, "category", "rate", "value") == expected
    axes = [label for label in _labels(chart, tmp_path) if label.startswith("Y-axis for a discrete")]
    assert [axis.partition("values: ")[2] for axis in axes] == ["Offer, News"] * 2


def test_the_time_line_runs_through_the_steps(tmp_path: Path) -> None:
    chart = charts.timeline(EVENTS)
    assert _names(chart, tmp_path) == ["processed", "delivered", "click"]
    assert _marks(chart, tmp_path, "event", "detail") == {
        ("processed", "x"),
        ("delivered", "y"),
        ("click", "z"),
    }


def test_revenue_is_shown_by_band_and_by_send(tmp_path: Path) -> None:
    chart = charts.revenue(BANDS, BY_SEND)
    assert _marks(chart, tmp_path, "recency_band", "revenue") == {("0-30 days", "500"), ("never", "20")}
    assert _marks(chart, tmp_path, "single_send", "revenue") == {("News", "30"), ("Offer", "40")}


def test_no_rows_draw_no_marks(tmp_path: Path) -> None:
    assert _marks(charts.daily(DAILY.head(0)), tmp_path, "day") == set()
