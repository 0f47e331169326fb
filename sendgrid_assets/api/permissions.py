"""What a refusal most likely means, as the key's own permissions tell.

Belongs here: the permissions' names, and the sentence. Does not: what counts as a refusal (`api.client`).
"""

from __future__ import annotations

import threading
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from .errors import SendGridError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sendgrid_assets.catalog.collection import ObjectCollection

    from .client import Client

PATH = "/v3/scopes"

_WHERE = "Settings > API Keys"

NAMES = {
    "asm.groups": "Suppressions > Unsubscribe Groups",
    "browsers": "Stats > Browser Stats",
    "categories.stats": "Stats > Category Stats",
    "categories": "Category Management",
    "clients": "Stats > Email Clients and Devices",
    "devices": "Stats > Email Clients and Devices",
    "geo": "Stats > Geographical",
    "mailbox_providers": "Stats > Mailbox Provider Stats",
    "marketing.automation": "Marketing > Automation",
    "marketing": "Marketing",
    "marketing_campaigns": "Marketing",
    "messages": "Email Activity",
    "stats.global": "Stats > Global Stats",
    "stats": "Stats > Stats Overview",
    "subusers": "Stats > Subuser Stats",
    "suppression": "Suppressions",
    "templates": "Template Engine",
}
"""What SendGrid's page of API keys calls the scopes that begin so; the first that fits."""


class Permissions:
    """One key's permissions, asked for when a refusal is first to be explained, and once only.

    Args:
        client: whose key.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._asked = False
        self._held: frozenset[str] | None = None

    def sentence(self, collection: ObjectCollection) -> str:
        """Why the collection is refused, to follow a colon; never raises for want of an answer."""
        held = self._read()
        wanted = [scope for scope in collection.scopes if "." in scope]
        if not wanted:
            return _unmarked(collection.scopes, held)
        having = [one for scope in wanted for one in _above(scope) if held and one in held]
        if having:
            return f"the key has the permission {_named(having[:1])}, so the account has no such product."
        lacking = f"the key lacks the permission {_named(wanted)}: tick it in SendGrid under {_WHERE}."
        # A key with a relative of the permission may have it or lack it.
        if held is None or any(_is_related(one, scope) for one in held for scope in wanted):
            return f"the account has no such product, or {lacking}"
        return lacking

    def _read(self) -> frozenset[str] | None:
        with self._lock:
            if not self._asked:
                self._asked = True
                try:
                    body = self._client.glance(PATH)
                    self._held = frozenset(msgspec.json.decode(body, type=dict[str, list[str]])["scopes"])
                except (SendGridError, msgspec.DecodeError, RecursionError, KeyError):
                    self._held = None
            return self._held


def _unmarked(flags: Iterable[str], held: frozenset[str] | None) -> str:
    """The sentence where no permission can be ticked: an account's flags are told among its scopes."""
    missing = " or ".join(f"`{flag}`" for flag in flags)
    if not missing or held is None or not held.isdisjoint(flags):
        return "the account has no such product."
    return f"the account has no such product, for it is not marked {missing}."


def _above(scope: str) -> list[str]:
    """The scope, and those above it that its name holds too: `suppression.read` of `suppression.bounces.read`."""
    *parts, action = scope.split(".")
    above = [".".join([*parts[:depth], action]) for depth in range(len(parts), 0, -1)]
    return [one for one in above if _name(one) == _name(scope)]


def _is_related(one: str, other: str) -> bool:
    (above, _, action), (below, _, another) = one.rpartition("."), other.rpartition(".")
    return action == another and (f"{above}.".startswith(f"{below}.") or f"{below}.".startswith(f"{above}."))


def _named(scopes: Iterable[str]) -> str:
    """The scopes, those of one name on SendGrid's page together."""
    parts = []
    for name, alike in groupby(scopes, _name):
        quoted = " or ".join(f"`{scope}`" for scope in alike)
        parts.append(f"{name} ({quoted})" if name else quoted)
    return " or ".join(parts)


def _name(scope: str) -> str:
    return next((name for start, name in NAMES.items() if scope.startswith(f"{start}.")), "")
