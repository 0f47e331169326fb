"""How values are written in the notebooks' tables.

Belongs here: which columns are rates, days and instants, and their text. Does not: charts (`charts`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_float_dtype, is_list_like, is_string_dtype

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

_LEFT, _UNBROKEN = "text-align: left", "white-space: nowrap"


def styled(rows: pd.DataFrame) -> Styler:
    """The rows as Jupyter shows them. Texts are others' words, so nothing in them is taken for HTML."""
    told = formats(rows)
    styles: Any = {
        column: [{"selector": "", "props": _LEFT if told[column] is _text else _UNBROKEN}] for column in told
    }
    return rows.style.format(told, escape="html").hide(axis="index").set_table_styles(styles)


def formats(rows: pd.DataFrame) -> dict[str, Any]:
    """By column, for those whose values are not written as they are, the function that makes them text.

    Rates (`*_rate`, `of_*`) become percent, columns called `day` days, other instants stop at the second, other
    fractions at the hundredth; nothing becomes an empty text. Both pandas' `Styler.format` and marimo's
    `format_mapping` take it.
    """
    told: dict[str, Any] = {}
    for column in map(str, rows.columns):
        if column.endswith("_rate") or column.startswith("of_"):
            told[column] = _percent
        elif column == "day":
            told[column] = _day
        elif is_datetime64_any_dtype(rows[column]):
            told[column] = _instant
        elif is_float_dtype(rows[column]):
            told[column] = _amount
        elif rows[column].dtype == object or is_string_dtype(rows[column]):
            told[column] = _text
    return told


def _percent(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:.2%}"


def _amount(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:,.2f}"


def _day(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:%Y-%m-%d}"


def _instant(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:%Y-%m-%d %H:%M:%S}"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if is_list_like(value):
        return ", ".join(map(str, value))
    return "" if pd.isna(value) else str(value)
