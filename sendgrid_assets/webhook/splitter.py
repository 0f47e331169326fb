"""A POST body's events, as raw slices, one line each, never parsed and rebuilt.

Belongs here: where an event begins and ends. Does not: whether it is a sound one (`event_line`).
"""

from __future__ import annotations

import re

import msgspec

from .event_line import BOM, STRING, UNENDED, WHITE

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder(msgspec.Raw)
_FLAT = rb'[\[{](?:[^"\[\]{}]++|' + STRING + rb")*+[\]}]"
_TOKEN = re.compile(rb"|".join([_FLAT, STRING, UNENDED, rb"[\[{]+", rb"[\]}]+", rb","]))
_BREAK = re.compile(STRING + rb"|" + UNENDED + rb"|\n")
_OPENING, _CLOSING, _COMMA = b"[{", b"]}", b","[0]


def lines(body: bytes) -> tuple[int, bytes] | None:
    """As `split`: how many elements, and all of them as lines with their ends, without a NUL.

    A NUL becomes its escape: in a segment, zeros mean that a power cut left bytes unwritten.
    """
    body = body.replace(b"\0", rb"\u0000")
    text = body.removeprefix(BOM).strip(WHITE)
    if text[:1] == b"[":
        # The common case, in which nothing is parsed twice.
        try:
            raws = _ARRAY.decode(text)
        except (msgspec.DecodeError, RecursionError):
            pass
        else:
            # Looking for no line break in a copy takes a quarter of the time of counting them in the lines.
            if b"\n" not in b"".join(raws):
                return len(raws), b"\n".join([*raws, b""])
    elements = split(body)
    return None if elements is None else (len(elements), b"".join(element + b"\n" for element in elements))


def split(body: bytes) -> list[bytes] | None:
    """The elements of the body's array, each on one line.

    A single object is one element. What is broken inside an element stays inside it; its neighbours are
    whole. Nothing is dropped: what follows a broken end is an element of its own.

    Returns:
        None where the body is neither an array nor an object.
    """
    text = body.removeprefix(BOM).strip(WHITE)
    if text[:1] == b"{" and text[-1:] == b"}":
        return [text.replace(b"\n", b" ") if _sound(text) else _on_one_line(text)]
    if text[:1] != b"[":
        return None
    try:
        elements = [bytes(raw) for raw in _ARRAY.decode(text)]
    except (msgspec.DecodeError, RecursionError):
        return [_on_one_line(element) for element in _scan(text)]
    # In sound JSON line breaks stand outside strings only.
    return [element.replace(b"\n", b" ") for element in elements] if b"\n" in text else elements


def _sound(text: bytes) -> bool:
    try:
        _ANY.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _scan(text: bytes) -> list[bytes]:
    """The elements found by brackets, strings and commas alone, however deep and however broken."""
    elements, start, depth = [], 1, 1
    for token in _TOKEN.finditer(text, 1):
        first, last = text[token.start()], text[token.end() - 1]
        if first == _COMMA and depth == 1:
            elements.append(text[start : token.start()])
            start = token.end()
        elif first in _OPENING and last in _OPENING:
            depth += token.end() - token.start()
        elif first in _CLOSING:
            if token.end() - token.start() >= depth:
                end = token.start() + depth
                elements += [text[start : end - 1], text[end:]]
                break
            depth -= token.end() - token.start()
    else:
        elements.append(text[start:])
    return [element for element in (element.strip(WHITE) for element in elements) if element]


def _on_one_line(text: bytes) -> bytes:
    """Line breaks inside strings become escapes, others spaces."""
    if b"\n" not in text:
        return text
    return _BREAK.sub(lambda found: b" " if found[0] == b"\n" else found[0].replace(b"\n", rb"\n"), text)
