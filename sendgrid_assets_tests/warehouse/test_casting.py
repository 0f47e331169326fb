"""Values as SendGrid sends them become typed values; one that does not fit stays in the left-over object."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from sendgrid_assets.catalog.column import Column, sent

from .conftest import Row, at

Cast = Callable[..., Row]

KEPT = object()
"""The column is NULL and the value is left over."""
BIG = 2**63


def check(cast: Cast, column: Column, raw: str, expected: Any) -> None:
    row = cast([column], f'{{"x": {raw}}}')
    if expected is KEPT:
        assert row == {"x": None, "extra": {"x": json.loads(raw)}}
    else:
        assert row == {"x": expected, "extra": None}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("1719000000", at(2024, 6, 21, 20)),
        ('"1719000000"', at(2024, 6, 21, 20)),
        ("1719000000372", at(2024, 6, 21, 20, 0, 0, 372000)),
        ('"1719000000372"', at(2024, 6, 21, 20, 0, 0, 372000)),
        ("1719000000372001", at(2024, 6, 21, 20, 0, 0, 372001)),
        ("1719000060.03746", at(2024, 6, 21, 20, 1, 0, 37460)),
        ('"1719000060.5"', at(2024, 6, 21, 20, 1, 0, 500000)),
        ('" 1719000000 "', at(2024, 6, 21, 20)),
        ('"2024-06-21T20:00:00Z"', at(2024, 6, 21, 20)),
        ('"2024-06-21T20:00:00.25Z"', at(2024, 6, 21, 20, 0, 0, 250000)),
        ('"2024-06-21T20:00:00"', at(2024, 6, 21, 20)),
        ('"2024-06-21T20:00:00+02:00"', at(2024, 6, 21, 18)),
        ('"2024-06-21T20:00:00.25-07:00"', at(2024, 6, 22, 3, 0, 0, 250000)),
        ('"2024-06-21T20:00:00+0530"', at(2024, 6, 21, 14, 30)),
        ('"2024-06-21 20:00:00-02"', at(2024, 6, 21, 22)),
        ('"2024-06-21 20:00:00"', at(2024, 6, 21, 20)),
        ('"2024-06-21"', at(2024, 6, 21)),
        ("253402300799", at(9999, 12, 31, 23, 59, 59)),
        ('"9999-12-31T23:59:59Z"', at(9999, 12, 31, 23, 59, 59)),
        ("0", None),
        ('"0"', None),
        ('""', None),
        ("null", None),
        ('"garbage"', KEPT),
        ("253402300800", KEPT),
        ("1719000000372000000", KEPT),
        ('"10000-01-01"', KEPT),
        ('"0044-03-15 BC"', KEPT),
        ('"2024-02-30"', KEPT),
        ('"2024-02-30T20:00:00Z"', KEPT),
        ('"2024-06-21T20:00:00+02:00Z"', KEPT),
        ('"0000-06-21T20:00:00Z"', KEPT),
        ('"infinity"', KEPT),
        ('"-infinity"', KEPT),
        ('"nan"', KEPT),
        ("1e300", KEPT),
        ("-1", KEPT),
        ('"-1719000000"', KEPT),
        ("true", KEPT),
        ('{"a": 1}', KEPT),
    ],
)
def test_an_instant_is_read_from_every_shape(cast: Cast, raw: str, expected: Any) -> None:
    check(cast, sent("x", "TIMESTAMP", "x"), raw, expected)


def test_an_instant_does_not_depend_on_the_machines_time_zone() -> None:
    script = (
        "import duckdb; from sendgrid_assets.warehouse.casting import MACROS\n"
        "connection = duckdb.connect(); connection.execute(MACROS)\n"
        "for text in ('2024-06-21 20:00:00', '2024-06-21T20:00:00Z', '2024-06-21T22:00:00+02:00', '1719000000'):\n"
        "    print(connection.execute('SELECT sg_instant(?)', [text]).fetchone()[0])\n"
    )
    environment = os.environ | {"TZ": "Asia/Tokyo"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
    assert done.stdout.decode().split("\n")[:-1] == ["2024-06-21 20:00:00"] * 4


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ('"2024-06-21"', dt.date(2024, 6, 21)),
        ('"2024-06-21T23:00:00Z"', dt.date(2024, 6, 21)),
        ('"2024-06-21 23:00:00"', dt.date(2024, 6, 21)),
        ('""', None),
        ("0", None),
        ("null", None),
        ('"2024-02-30"', KEPT),
        ('"garbage"', KEPT),
        ("20240621", KEPT),
        ("true", KEPT),
        ("[1]", KEPT),
    ],
)
def test_a_day_is_read_from_a_date_or_an_instant(cast: Cast, raw: str, expected: Any) -> None:
    check(cast, sent("x", "DATE", "x"), raw, expected)


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        ('{"x": "a", "y": "b"}', None),
        ('{"x": "a"}', None),
        ("{}", None),
        ('{"x": "a", "z": "b"}', {"z": "b"}),
        ('{"x": "a", "z": null}', {"z": None}),
        ('{"x": null, "z": "b"}', {"z": "b"}),
        ('{"x": "a", "x": "b"}', None),
        ('{"x": "a", "gone": 1}', None),
        ('{"x": "a", "gone": 1, "z": 2}', {"z": 2}),
        ('{"x": "a", "n": "many"}', {"n": "many"}),
    ],
)
def test_what_no_column_holds_is_left_over(cast: Cast, raw: str, left: Any) -> None:
    columns = [sent("x", "VARCHAR", "x"), sent("y", "VARCHAR", "y"), sent("n", "BIGINT", "n")]
    assert cast(columns, raw, ["gone"])["extra"] == left


@pytest.mark.parametrize(
    "columns",
    [
        [sent("a", "VARCHAR", "a", path=("x",)), sent("b", "VARCHAR", "b", path=("x",))],
        [sent("a", "VARCHAR", "a", path=("x", "a")), sent("b", "VARCHAR", "b", path=("x", "b"))],
    ],
    ids=["one member in two columns", "two members of one"],
)
def test_members_are_not_counted_where_columns_are_not_members(cast: Cast, columns: list[Column]) -> None:
    assert cast(columns, '{"x": {"a": 1, "b": 2}, "z": 3}')["extra"] == {"z": 3}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ('"5"', 5),
        ("5.0", 5),
        ("-7", -7),
        (str(BIG - 1), BIG - 1),
        (f'"{BIG - 1}"', BIG - 1),
        (str(-BIG), -BIG),
        ('"9007199254740993"', 2**53 + 1),
        ("null", None),
        ("1.5", KEPT),
        ('"1.5"', KEPT),
        ('"abc"', KEPT),
        ('""', KEPT),
        (str(BIG), KEPT),
        (str(-BIG - 1), KEPT),
        ("true", KEPT),
        ("[1]", KEPT),
    ],
)
def test_a_whole_number_is_read_exactly_or_kept(cast: Cast, raw: str, expected: Any) -> None:
    check(cast, sent("x", "BIGINT", "x"), raw, expected)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("true", True),
        ("1", True),
        ('"1"', True),
        ('"true"', True),
        ("false", False),
        ("0", False),
        ('"0"', False),
        ("null", None),
        ('"maybe"', KEPT),
        ("2", KEPT),
        ('""', KEPT),
        ("[true]", KEPT),
    ],
)
def test_a_truth_value_is_read_from_every_shape(cast: Cast, raw: str, expected: Any) -> None:
    check(cast, sent("x", "BOOLEAN", "x"), raw, expected)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ('"a"', ["a"]),
        ('["a", "b"]', ["a", "b"]),
        ("[]", []),
        ("null", None),
        ('"offers, summer"', ["offers, summer"]),
        ('["offers, summer", "it\\"s"]', ["offers, summer", 'it"s']),
        ('["null", null]', ["null", None]),
        ("[1, true]", ["1", "true"]),
        ("5", ["5"]),
    ],
)
def test_a_list_is_a_list_whether_sent_as_text_or_array(cast: Cast, raw: str, expected: Any) -> None:
    check(cast, sent("x", "VARCHAR[]", "x", shape="text_or_list"), raw, expected)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ('"a"', "a"),
        ('""', ""),
        ("12345678901234567890123", "12345678901234567890123"),
        ("null", None),
        ('"a\\u0000b"', "a\0b"),
        ('"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        ('{"a": [1]}', '{"a":[1]}'),
    ],
)
def test_a_text_is_kept_as_sent(cast: Cast, raw: str, expected: Any) -> None:
    check(cast, sent("x", "VARCHAR", "x"), raw, expected)


@pytest.mark.parametrize("raw", ['{"a": {"b": [1, null]}}', "[]", '"t"', "12345678901234567890123", "null"])
def test_json_is_kept_whole(cast: Cast, raw: str) -> None:
    check(cast, sent("x", "JSON", "x"), raw, json.loads(raw))


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("pet", "text", "cat")], {"pet": "cat"}),
        ([("age", "number", "42"), ("n", "number", 4.5)], {"age": 42, "n": 4.5}),
        ([("big", "number", "12345678901234567890")], {"big": 12345678901234567890}),
        ([("zip", "number", "043"), ("code", "text", "43")], {"zip": "043", "code": "43"}),
        ([("n", "number", "1,5"), ("m", "number", None)], {"n": "1,5", "m": None}),
        ([('it"s', "text", 'a"b'), ("größe", "text", "\\")], {'it"s': 'a"b', "größe": "\\"}),
        ([], {}),
    ],
)
def test_legacy_custom_fields_become_one_object(
    cast: Cast, pairs: list[tuple[Any, ...]], expected: Row
) -> None:
    raw = json.dumps([dict(zip(("name", "type", "value"), pair, strict=True)) for pair in pairs])
    check(cast, sent("x", "JSON", "x", shape="typed_pairs"), raw, expected)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("null", None),
        ('{"a": 1}', {"a": 1}),
        ('"text"', KEPT),
        ('["a"]', KEPT),
        ("[null]", KEPT),
        ('[{"name": "a", "value": "1"}, {"nome": "b", "value": "2"}]', KEPT),
    ],
)
def test_custom_fields_of_another_shape_are_not_lost(cast: Cast, raw: str, expected: Any) -> None:
    check(cast, sent("x", "JSON", "x", shape="typed_pairs"), raw, expected)
