"""Invented people: names, and addresses in the domains reserved for examples.

Belongs here: who there is. Does not: what they do or which lists they are on.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from random import Random

_FIRST = (
    "Ada", "Björn", "Chloé", "Dmitri", "Elif", "Farid", "Grete", "Hana", "Ivo", "Jolanda", "Kofi", "Léa",
    "Mirko", "Noor", "Olu", "Pia", "Quentin", "Rosa", "Sione", "Tomé", "Ulla", "Vera", "Wim", "Yuki", "Zoé",
)  # fmt: skip
_LAST = (
    "Ahornberg", "Birkenau", "Castelli", "Dunmore", "Eschbach", "Fjordahl", "Granados", "Halloway", "Ilmari",
    "Jasmund", "Kestrel", "Lindqvist", "Moorfield", "Norgate", "Okonedo", "Pellegrin", "Quayle", "Rowanoak",
)  # fmt: skip
_DOMAINS = ("example.com", "example.com", "mail.example.com", "example.org", "post.example.org")


class Person(NamedTuple):
    """One invented person."""

    first_name: str
    last_name: str
    email: str


class People:
    """An endless row of people, no address twice."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._met = 0

    def meet(self) -> Person:
        """The next person."""
        self._met += 1
        first, last = self._random.choice(_FIRST), self._random.choice(_LAST)
        local = unicodedata.normalize("NFKD", f"{first}.{last}{self._met}".lower())
        return Person(
            first, last, f"{local.encode('ascii', 'ignore').decode()}@{self._random.choice(_DOMAINS)}"
        )
