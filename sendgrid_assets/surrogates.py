"""Half emojis: lone surrogates in JSON text, which SendGrid passes on and strict parsers refuse.

Belongs here: replacing them without touching any other byte. Does not: any other repair of JSON.
"""

from __future__ import annotations

import re

_HIGH, _LOW = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ANY = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(rb"(" + _HIGH + _LOW + rb")|(" + _HIGH + rb"|" + _LOW + rb")|\\[\x00-\xff]")


def replaced(text: bytes) -> bytes:
    """The JSON text with U+FFFD, the replacement character, for each surrogate that has no partner."""
    if not _ANY.search(text):
        return text
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found[2] else found[0], text)
