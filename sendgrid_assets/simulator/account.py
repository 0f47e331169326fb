"""The simulated account: what it holds, and who asked for what.

Belongs here: the state, as plain lists and dicts that a test may edit. Does not: filling it
(`legacy_marketing`, `marketing`, `suppression`), changing it (`change`) or serving it (`server`).
"""

from __future__ import annotations

import threading
import time
import uuid
from random import Random
from typing import TYPE_CHECKING, Any

from . import change, legacy_marketing, marketing, suppression
from .person import People

if TYPE_CHECKING:
    from collections.abc import Callable

    from .export import Export

Row = dict[str, Any]

SCOPES = (
    "marketing_campaigns.read", "marketing.read", "suppression.read", "suppression.bounces.read",
    "suppression.blocks.read", "suppression.invalid_emails.read", "suppression.spam_reports.read",
    "suppression.unsubscribes.read", "asm.groups.read", "asm.groups.suppressions.read", "templates.read",
    "templates.versions.read", "2fa_required",
)  # fmt: skip
"""What `GET /v3/scopes` lists at first; SendGrid mixes flags such as `2fa_required` in."""


class Account:
    """A SendGrid account that holds both marketing products, so that every table has rows.

    Everything but the time comes from the seed. Rows are SendGrid's JSON objects: edit them at will, holding
    `lock` where a request may come in between.

    Attributes:
        lists, segments, recipients, custom_fields, campaigns: the legacy product's rows.
        mc_lists, mc_segments, mc_contacts, mc_single_sends, mc_senders: the newer product's rows; contacts as
            the export writes them, single sends with their details.
        mc_custom_fields, mc_reserved_fields: the two halves of the field definitions.
        bounces, blocks, invalid_emails, spam_reports, unsubscribes: the suppression lists.
        asm_groups, asm_suppressions: unsubscribe groups and who left them.
        templates: with their versions.
        members: which contacts and recipients (by id) are on a list or in a segment (by id, as text).
        scopes: what the key may do, as `/v3/scopes` says it; see `refused` of `server.create_app` as well.
        upgraded: whether the legacy product is on SendGrid's 2025 back end, which pages no more and shows
            the last fifty recipients.
        export_polls: how often an export job is looked at before it is ready.
        export_file_rows: how many contacts fill one export file.
        exports: the export jobs, by id.
        requests: method and path with query of every request, in order of arrival.
        request_headers: the names (lower case) of each request's headers, in the same order.
    """

    def __init__(self, *, seed: int = 1, contacts: int = 400, clock: Callable[[], float] = time.time) -> None:
        """Fills the account.

        Args:
            seed: what everything but the time depends on.
            contacts: how many contacts there are at first, in each product.
            clock: unix seconds.
        """
        self.seed = seed
        self.clock = clock
        self.lock = threading.RLock()
        self.random = Random(seed)  # noqa: S311 - invented data, no secret
        self.people = People(self.random)
        self.lists: list[Row] = []
        self.segments: list[Row] = []
        self.recipients: list[Row] = []
        self.custom_fields: list[Row] = []
        self.campaigns: list[Row] = []
        self.mc_lists: list[Row] = []
        self.mc_segments: list[Row] = []
        self.mc_contacts: list[Row] = []
        self.mc_single_sends: list[Row] = []
        self.mc_custom_fields: list[Row] = []
        self.mc_reserved_fields: list[Row] = []
        self.mc_senders: list[Row] = []
        self.bounces: list[Row] = []
        self.blocks: list[Row] = []
        self.invalid_emails: list[Row] = []
        self.spam_reports: list[Row] = []
        self.unsubscribes: list[Row] = []
        self.asm_groups: list[Row] = []
        self.asm_suppressions: list[Row] = []
        self.templates: list[Row] = []
        self.members: dict[str, set[str]] = {}
        self.scopes = list(SCOPES)
        self.upgraded = False
        self.export_polls = 2
        self.export_file_rows = 150
        self.exports: dict[str, Export] = {}
        self.requests: list[tuple[str, str]] = []
        self.request_headers: list[frozenset[str]] = []
        legacy_marketing.fill(self)
        marketing.fill(self)
        for _ in range(contacts):
            person, created = self.people.meet(), marketing.created_before(self)
            legacy_marketing.recipient(self, person, created)
            marketing.contact(self, person, created)
        suppression.fill(self)

    def advance(self, steps: int = 1) -> None:
        """Lets the account change: people come and go, mail is sent, addresses are suppressed and freed."""
        with self.lock:
            for _ in range(steps):
                change.step(self)

    def now(self) -> int:
        """Unix seconds, whole."""
        return int(self.clock())

    def uuid(self) -> str:
        """A UUID of the account's own randomness."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))
