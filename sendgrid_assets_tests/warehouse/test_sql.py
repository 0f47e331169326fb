"""What is written into a statement comes out of it as it was."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendgrid_assets.warehouse.sql import literal, name, text


@pytest.mark.parametrize(
    "value",
    [
        None,
        0,
        -7,
        2**62,
        0.1,
        1e-9,
        1e300,
        "",
        "it's",
        "a \\' b -- c; $1 ? {x}\n",
        "é 🎉",
        dt.datetime.fromisoformat("2026-11-28T12:30:15.000007"),
        dt.datetime.fromisoformat("2026-11-28"),
        dt.datetime.fromisoformat("0001-01-01"),
        dt.datetime.fromisoformat("9999-12-31T23:59:59.999999"),
    ],
)
def test_a_literal_is_the_value(value: str | float | dt.datetime | None) -> None:
    assert duckdb.sql(f"SELECT {literal(value)}").fetchone() == (value,)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=100, max_size=200))
def test_every_number_comes_out_to_its_last_digit(values: list[float]) -> None:
    assert duckdb.sql(f"SELECT {', '.join(map(literal, values))}").fetchone() == tuple(values)


@pytest.mark.parametrize("value", ["plain", "it's", '"', "a.b", "é 🎉"])
def test_a_name_is_one_name(value: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE {name(value)} AS SELECT {text(value)} AS {name(value)}")
        assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchone() == (value,)
        assert connection.execute(f"SELECT {name(value, value)} FROM {name(value)}").fetchone() == (value,)
