"""How values are written in tables."""

from __future__ import annotations

import pandas as pd
import pytest

from sendgrid_assets.notebooks.formats import formats, styled

ROWS = pd.DataFrame(
    {
        "day": pd.to_datetime(["2026-03-10", None]),
        "seen_at": pd.to_datetime(["2026-03-10 04:05:06.789", None]),
        "bounce_rate": [0.01234, None],
        "of_processed": [1.0, None],
        "revenue": [1234.5, None],
        "kinds": [["bounces", "group:News"], None],
        "reason": ["<img src=x onerror=alert(1)>", None],
        "messages": [1234, 5],
    }
)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("day", "2026-03-10"),
        ("seen_at", "2026-03-10 04:05:06"),
        ("bounce_rate", "1.23%"),
        ("of_processed", "100.00%"),
        ("revenue", "1,234.50"),
        ("kinds", "bounces, group:News"),
        ("reason", "<img src=x onerror=alert(1)>"),
    ],
)
def test_a_value_has_its_text_and_nothing_has_none(column: str, text: str) -> None:
    written = [formats(ROWS)[column](value) for value in ROWS[column]]
    assert written == [text, ""]


def test_counts_stay_as_they_are() -> None:
    assert "messages" not in formats(ROWS)


def test_what_others_wrote_is_no_html() -> None:
    page = styled(ROWS).to_html()
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert ">1234<" in page
