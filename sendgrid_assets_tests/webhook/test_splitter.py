"""Splitting: whole neighbours, one line each, and the same values as before."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendgrid_assets.webhook.splitter import lines, split

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.lists(st.dictionaries(st.text(), VALUES, max_size=5), max_size=6)
GOOD = b'{"a":1}'
BROKEN = {
    "lone surrogate": rb'{"x":"\ud800"}',
    "control character": b'{"x":"\x01\t"}',
    "bad UTF-8": b'{"x":"\xff\xfe"}',
    "NUL": b'{"x":"\x00"}',
    "bad escape": rb'{"x":"\q\"]}"}',
    "bare word": b"{x: nope}",
    "brackets in text": rb'{"x":"]},{[\ud800"}',
    "bomb": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "bomb of lists": b"[" * 100_000 + b"]" * 100_000,
}


@settings(max_examples=150, deadline=None)
@given(events=EVENTS, indent=st.sampled_from([None, 1]), ascii_only=st.booleans(), broken=st.booleans())
def test_any_array_keeps_its_values(events: list, indent: int | None, ascii_only: bool, broken: bool) -> None:
    body = json.dumps(events, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    if broken:
        # One poisoned neighbour sends all through the tolerant scanner.
        body = body.removesuffix(b"]") + (b"," if events else b"") + b'{"x":"\x01"}]'
    elements = split(body)
    assert elements is not None
    assert lines(body) == (len(elements), b"".join(element + b"\n" for element in elements))
    if broken:
        assert elements.pop() == b'{"x":"\x01"}'
    assert [json.loads(element.decode("utf-8", "surrogatepass")) for element in elements] == events
    assert not any(b"\n" in element for element in elements)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='[]{},:"\\a1 \n', max_size=60))
def test_nothing_is_dropped_from_any_text(text: str) -> None:
    elements = split(b"[" + text.encode())
    assert elements is not None

    def kept(piece: str) -> str:
        return "".join(character for character in piece if character in '{:"a1')

    found = b"".join(elements).decode()
    assert kept(found.replace("\\n", "")) == kept(text)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_element_costs_only_itself(name: str) -> None:
    elements = split(b"[" + b",\r\n".join([GOOD, BROKEN[name], GOOD]) + b"]\r\n")
    assert elements == [GOOD, BROKEN[name], GOOD]


def test_no_line_has_a_nul() -> None:
    assert lines(b'[{"a":"x\0"},{"b":\0}]') == (2, b'{"a":"x\\u0000"}\n{"b":\\u0000}\n')


def test_line_breaks_in_a_string_that_never_ends_are_its_own() -> None:
    assert split(b'[{"a":\n1},{"b":\n"x\ny') == [b'{"a": 1}', rb'{"b": "x\ny']
    assert split(b'[{"a":\n"') == [b'{"a": "']


def test_elements_stand_on_one_line_each() -> None:
    assert split(b'[{"a":\r\n1},\n\n{"b":"\n"}]') == [b'{"a":\r 1}', rb'{"b":"\n"}']


def test_layouts_of_real_bodies() -> None:
    two = b'{"a":1}', b'{"b":[1,{"c":"],["}]}'
    assert split(b"[" + b",".join(two) + b"]") == [*two]
    assert split(b"[" + b",\r\n".join(two) + b"]\r\n") == [*two]
    assert split(b"\xef\xbb\xbf[" + b",".join(two) + b"]") == [*two]


def test_a_single_object_is_one_element_and_nothing_is_none() -> None:
    assert split(b' {"a":\n1} ') == [b'{"a": 1}']
    assert split(b"[]") == split(b" [ ] \r\n") == []


@pytest.mark.parametrize(
    "body", [b"", b" ", b"garbage", b'"text"', b"42", b"null", b"\x1f\x8b\x08", b'{"a":']
)
def test_what_is_no_array_is_none(body: bytes) -> None:
    assert split(body) is None
    assert lines(body) is None


def test_a_cut_body_keeps_its_whole_events_and_its_stump() -> None:
    assert split(b'[{"a":1},{"b":"xy') == [b'{"a":1}', b'{"b":"xy']
    assert split(b'[{"a":1},{"b":2}] trailing') == [b'{"a":1}', b'{"b":2}', b"trailing"]


@pytest.mark.parametrize("piece", [b"[", b"[]", b'"', rb"\"", b"{", b'["a', b"[a"])
def test_no_body_takes_long(piece: bytes) -> None:
    started = time.perf_counter()
    split(b"[" + piece * (1_000_000 // len(piece)))
    split(b'[{"a":\n"' + piece * (100_000 // len(piece)))
    assert time.perf_counter() - started < 3
