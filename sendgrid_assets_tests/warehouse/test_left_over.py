"""What no column holds is left over exactly as sent, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sendgrid_assets.catalog.column import sent

from .conftest import Row

Cast = Callable[..., Row]

POOL = (
    sent("pool_name", "VARCHAR", "x", path=("pool", "name")),
    sent("pool_id", "BIGINT", "x", path=("pool", "id")),
)
ODD_KEYS = ('it"s', "it's", "a.b", "a/b", "a~b", "~1", "größe", "", "$", "*", "[0]", "a\\b", "a b", "\n")


@pytest.mark.parametrize(
    ("pool", "row"),
    [
        ({"name": "a", "id": 1}, ("a", 1, None)),
        ({"name": "a", "id": "1"}, ("a", 1, None)),
        (None, (None, None, None)),
        ({"name": None, "id": None}, (None, None, None)),
        ({"name": "a", "id": "x"}, ("a", None, {"pool": {"id": "x"}})),
        ({"name": "a", "id": 1, "new": None}, ("a", 1, {"pool": {"new": None}})),
        ({"id": 1.5, "new": [1]}, (None, None, {"pool": {"id": 1.5, "new": [1]}})),
        ("text", (None, None, {"pool": "text"})),
        ([{"name": "a"}], (None, None, {"pool": [{"name": "a"}]})),
        (5, (None, None, {"pool": 5})),
    ],
)
def test_a_flattened_object_leaves_what_its_columns_do_not_hold(cast: Cast, pool: Any, row: Any) -> None:
    cells = cast(POOL, json.dumps({"pool": pool}))
    assert tuple(cells.values()) == row


def test_an_absent_object_leaves_nothing(cast: Cast) -> None:
    assert cast(POOL, "{}") == {"pool_name": None, "pool_id": None, "extra": None}


@pytest.mark.parametrize("known", ["1", '"does not fit"'])
@pytest.mark.parametrize(
    "unknown",
    [
        '{"u": null}',
        '{"u": {"a": null, "b": [null, {"c": null}]}}',
        '{"u": 123456789012345678901234567890, "v": -9223372036854775809}',
        '{"u": "{\\"k\\": [1, 2]}"}',
        '{"u": "a\\u0000b \\u2028 <"}',
        '{"u": [], "v": {}, "w": ""}',
        json.dumps(dict.fromkeys(ODD_KEYS, None)),
    ],
)
def test_unknown_fields_are_left_over_exactly(cast: Cast, known: str, unknown: str) -> None:
    row = cast([sent("x", "BIGINT", "x")], f'{{"x": {known}, {unknown[1:]}')
    expected = json.loads(unknown) | ({} if known == "1" else {"x": "does not fit"})
    assert row == {"x": 1 if known == "1" else None, "extra": expected}


@pytest.mark.parametrize("key", ODD_KEYS)
def test_a_known_field_may_have_any_name(cast: Cast, key: str) -> None:
    columns = [
        sent("x", "BIGINT", "x", path=(key,)),
        sent("y", "BIGINT", "x", path=("object", key)),
    ]
    fitting, other = {key: 5, "object": {key: 6}}, {key: "q", "object": {key: "r"}}
    assert cast(columns, json.dumps(fitting)) == {"x": 5, "y": 6, "extra": None}
    assert cast(columns, json.dumps(other)) == {"x": None, "y": None, "extra": other}


def test_ignored_members_are_left_out_for_good(cast: Cast) -> None:
    columns = [sent("x", "BIGINT", "x")]
    for value in (1, "does not fit"):
        row = cast(
            columns, json.dumps({"x": value, "_metadata": {"self": "s"}, "y": 2}), ignored=("_metadata",)
        )
        assert "_metadata" not in row["extra"]
        assert row["extra"]["y"] == 2


KNOWN = (
    sent("t", "VARCHAR", "x"),
    sent("n", "BIGINT", "x"),
    sent("b", "BOOLEAN", "x"),
    sent("i", "TIMESTAMP", "x"),
    sent("l", "VARCHAR[]", "x", shape="text_or_list"),
    sent("j", "JSON", "x"),
    sent("p", "JSON", "x", shape="typed_pairs"),
    *POOL,
)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | TEXT
    | st.sampled_from(["5", "1719000000", "2024-06-21T20:00:00Z", "true", "0", ""])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
PAIRS = st.lists(st.fixed_dictionaries({"name": TEXT, "type": st.just("text"), "value": TEXT}), max_size=2)
OBJECTS = st.dictionaries(
    TEXT | st.sampled_from(["t", "n", "b", "i", "l", "j", "p", "pool"]), VALUES | PAIRS, max_size=8
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent_object=OBJECTS)
def test_every_value_is_in_its_column_or_left_over(cast: Cast, sent_object: Row) -> None:
    row = cast(KNOWN, json.dumps(sent_object))
    extra = row["extra"] or {}
    for key, value in sent_object.items():
        if key in extra:
            # Of a flattened object, what the columns hold is taken out.
            assert extra[key] == value or key == "pool"
        elif key == "pool":
            assert value is None or set(value) <= {"name", "id"}
        else:
            assert _holds(row, key, value)
    assert set(extra) <= set(sent_object)


def _holds(row: Row, key: str, value: Any) -> bool:
    held = row.get(key)
    if value is None:
        return held is None
    match key:
        case "n":
            return float(held) == float(value)
        case "i":
            return held is not None or value in ("", "0", 0)
        case "j":
            return bool(held == value)
        case "t":
            return held == value if isinstance(value, str) else held is not None
        case _:
            return held is not None
