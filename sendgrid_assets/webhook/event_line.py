"""One line of a landing file: a clean event, or rejected with a reason.

Belongs here: what an event must be for DuckDB's JSON parser, and how near misses are mended without touching
any other byte. Does not: files, nor what the event means.
"""

from __future__ import annotations

import re
from collections import deque
from itertools import count
from typing import TYPE_CHECKING

import msgspec

from sendgrid_assets import surrogates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_LINE = 16 * 1024 * 1024
MAX_DEPTH = 200
BOM = b"\xef\xbb\xbf"
WHITE = b" \t\r\n"
STRING = rb'"[^"\\]*+(?:\\[\x00-\xff][^"\\]*+)*+"'
# After `STRING` in a pattern: one that never ends is passed at once, where a search would begin anew at each quote.
UNENDED = rb'"(?s:.*)'

NOT_JSON, NOT_AN_OBJECT = "not_json", "not_an_object"
TOO_DEEP, LINE_TOO_LONG = "too_deep", "line_too_long"

_OBJECT = msgspec.json.Decoder(msgspec.defstruct("_Object", []))
_ANY = msgspec.json.Decoder(msgspec.Raw)
_STRING = re.compile(STRING + rb"|" + UNENDED)
_BRACKETS = re.compile(STRING + rb"|" + UNENDED + rb"|[\[{]+|[\]}]+")
_CONTROL = re.compile(rb"[\x00-\x1f]")
_CONTROLS = [bytes([code]) for code in range(0x20)]
_FEW = 4096
_PIECE = 1024 * 1024


class Event(msgspec.Struct, frozen=True, gc=False):
    """A JSON object on a single line of sound UTF-8, at most `MAX_DEPTH` deep; `line` counts from 1."""

    line: int
    json: bytes


class Run(msgspec.Struct, frozen=True, gc=False):
    """Events on lines that follow one another.

    Attributes:
        line: the first one's number, from 1.
        count: how many lines.
        text: the lines, each with its end.
        longest: bytes of the longest, without its end.
    """

    line: int
    count: int
    text: bytes
    longest: int


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """What is no event, kept as it came; bytes that are no UTF-8 as `\\xNN`."""

    line: int
    reason: str
    raw: str


def judge(number: int, line: bytes) -> Event | Rejected | None:
    """The event or the reject of one line; None where it is blank.

    Lone surrogates and bytes that are no UTF-8 become U+FFFD, control characters inside strings escapes.
    """
    if len(line) > MAX_LINE:
        return rejected(number, LINE_TOO_LONG, line)
    text = line.strip(WHITE)
    if _brackets(text) > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        return rejected(number, TOO_DEEP, line)
    if not (text.isascii() or _is_utf8(text)):
        text = text.decode("utf-8", "replace").encode()
    try:
        _OBJECT.decode(text)
    except msgspec.DecodeError:
        text = _mended(text.removeprefix(BOM).strip(WHITE))
        if not text:
            return None
        try:
            _OBJECT.decode(text)
        except msgspec.DecodeError:
            return rejected(number, _reason(text), line)
    if len(text) > MAX_LINE:
        # Escapes take more than what they stand for.
        return rejected(number, LINE_TOO_LONG, line)
    if b"\r" in text:
        text = text.replace(b"\r", b" ")
    return Event(number, text)


def judge_all(first: int, lines: list[bytes], block: bytes) -> Iterator[Run | Rejected]:
    """The events and rejects of many lines.

    Args:
        first: number of the first line.
        lines: the lines, without their ends.
        block: the same bytes in one piece; looking at these at once is what makes ordinary files fast.
    """
    if _all_sound(lines, block):
        text = block if block.endswith(b"\n") else block + b"\n"
        return iter([Run(first, len(lines), text, max(map(len, lines)))])
    return in_runs(filter(None, map(judge, count(first), lines)))


def in_runs(verdicts: Iterable[Event | Rejected]) -> Iterator[Run | Rejected]:
    """The same, with events on lines that follow one another in pieces of some size."""
    events: list[Event] = []
    size = 0
    for verdict in verdicts:
        follows = isinstance(verdict, Event) and events and verdict.line == events[-1].line + 1
        if events and not (follows and size < _PIECE):
            yield _run(events)
            events, size = [], 0
        if isinstance(verdict, Event):
            events.append(verdict)
            size += len(verdict.json)
        else:
            yield verdict
    if events:
        yield _run(events)


def _run(events: list[Event]) -> Run:
    texts = [event.json for event in events]
    return Run(events[0].line, len(events), b"\n".join([*texts, b""]), max(map(len, texts)))


def rejected(number: int, reason: str, line: bytes) -> Rejected:
    """The reject of a line, without its end; of a longer one than `MAX_LINE` so many bytes."""
    kept = line.rstrip(b"\r\n")[:MAX_LINE]
    return Rejected(number, reason, kept.decode("utf-8", "backslashreplace"))


def _all_sound(lines: list[bytes], block: bytes) -> bool:
    if b"\r" in block or not _is_utf8(block):
        return False
    # Each level takes at least an opening and a closing bracket, so short lines need no count.
    if any(len(line) > 2 * MAX_DEPTH and _brackets(line) > MAX_DEPTH for line in lines):
        return False
    try:
        deque(map(_OBJECT.decode, lines), maxlen=0)
    except msgspec.DecodeError:
        return False
    return True


def _brackets(text: bytes) -> int:
    return text.count(b"{") + text.count(b"[")


def _depth(text: bytes) -> int:
    depth = deepest = 0
    for token in _BRACKETS.finditer(text):
        first = token[0][:1]
        if first in b"[{":
            depth += len(token[0])
            deepest = max(deepest, depth)
        elif first in b"]}":
            depth -= len(token[0])
    return deepest


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _mended(text: bytes) -> bytes:
    text = _STRING.sub(lambda found: _escaped(found[0]), text)
    return surrogates.replaced(text)


def _escaped(string: bytes) -> bytes:
    # Character by character a line of nothing else would take seconds.
    for character in set(_CONTROL.findall(string)) if len(string) <= _FEW else _CONTROLS:
        string = string.replace(character, b"\\u%04x" % character[0])
    return string


def _reason(text: bytes) -> str:
    try:
        _ANY.decode(text)
    except msgspec.DecodeError:
        return NOT_JSON
    return NOT_AN_OBJECT
