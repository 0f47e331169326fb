"""The simulated account: what it holds, and who asked for what.

Belongs here: the state, as plain lists and dicts that a test may edit. Does not: filling it
(`legacy_marketing`, `marketing`, `suppression` and the modules named after what they fill), changing it
(`change`) or serving it (`server`).
"""

from __future__ import annotations

import threading
import time
import uuid
from random import Random
from typing import TYPE_CHECKING, Any

from . import (
    activity,
    category,
    change,
    engagement,
    legacy_marketing,
    marketing,
    segment,
    stats,
    subuser,
    suppression,
    user,
    verified_sender,
)
from .instant import DAY
from .membership import Membership
from .person import People

if TYPE_CHECKING:
    from collections.abc import Callable

    from .export import Export

Row = dict[str, Any]

SCOPES = (
    "marketing_campaigns.read", "marketing.read", "marketing.automation.read", "suppression.read",
    "suppression.bounces.read", "suppression.blocks.read", "suppression.invalid_emails.read",
    "suppression.spam_reports.read", "suppression.unsubscribes.read", "asm.groups.read",
    "asm.groups.suppressions.read", "templates.read", "templates.versions.read", "categories.read",
    "categories.stats.read", "stats.read", "stats.global.read", "mailbox_providers.stats.read",
    "devices.stats.read", "clients.stats.read", "browsers.stats.read", "geo.stats.read", "subusers.read",
    "messages.read", "user.account.read", "user.username.read", "sender_verification_eligible",
    "2fa_required",
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
        templates: with their versions and all details of these.
        reserved_fields: the legacy product's built-in fields.
        mc_segment_queries: the query of each segment of the newer product, by the segment's id.
        mc_single_send_stats, mc_automation_stats: what became of single sends and automations, a row for each
            variation and phase, or step.
        mc_single_send_links: the links clicked in single sends, by the single send's id.
        categories, subusers, verified_senders: the rows of these endpoints; subusers with their region.
        messages: what Email Activity knows, in any order.
        user: the answers of `/v3/user/account` and `/v3/user/username` in one.
        stat_names: by SendGrid's word for the kind (`device`, `browser`, ...), the names that statistics are
            broken down into.
        day_overrides: metrics that stand in for computed ones, by kind, name and day, such as
            `("category", "shop", "2026-01-31")`; the kind of the whole account is `global`, its name empty.
        late_steps: how many steps each day (as text) has been lived through while its mail was still opened.
        steps: how often the account has changed.
        members: which contacts and recipients (by id) are on a list or in a segment (by id, as text).
        scopes: what the key may do, as `/v3/scopes` says it; see `refused` of `server.create_app` as well.
        upgraded: whether the legacy product is on SendGrid's 2025 back end, which pages no more and shows
            the last fifty recipients, but exports them.
        email_activity: whether the account has the add-on that `/v3/messages` needs.
        membership: where pages of a list's recipients are remembered.
        export_polls: how often an export job is looked at before it is ready.
        export_file_rows: how many contacts fill one export file.
        export_failure: the status that jobs started from now on end with instead of `ready`, such as
            `failure`.
        export_forces_csv: whether jobs started from now on give CSV whatever was asked for.
        legacy_export_id_key: the recipient's id in a legacy export: `id`, `recipient_id` or `contact_id`.
        exports: the export jobs of both products, by id.
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
        self.reserved_fields: list[Row] = []
        self.mc_segment_queries: dict[str, str] = {}
        self.mc_single_send_stats: list[Row] = []
        self.mc_single_send_links: dict[str, list[Row]] = {}
        self.mc_automation_stats: list[Row] = []
        self.categories: list[Row] = []
        self.subusers: list[Row] = []
        self.verified_senders: list[Row] = []
        self.messages: list[Row] = []
        self.user: Row = {}
        self.stat_names = {kind: list(names) for kind, names in stats.NAMES.items()}
        self.day_overrides: dict[tuple[str, str, str], dict[str, int]] = {}
        self.late_steps: dict[str, int] = {}
        self.steps = 0
        self.members: dict[str, set[str]] = {}
        self.scopes = list(SCOPES)
        self.membership = Membership()
        self.upgraded = False
        self.email_activity = True
        self.export_polls = 2
        self.export_file_rows = 150
        self.export_failure: str | None = None
        self.export_forces_csv = False
        self.legacy_export_id_key = "contact_id"
        self.exports: dict[str, Export] = {}
        self.requests: list[tuple[str, str]] = []
        self.request_headers: list[frozenset[str]] = []
        legacy_marketing.fill(self)
        marketing.fill(self)
        for _ in range(contacts):
            person, created = self.people.meet(), self.earlier()
            legacy_marketing.recipient(self, person, created)
            marketing.contact(self, person, created)
        suppression.fill(self)
        for part in (category, subuser, verified_sender, user, segment, engagement, activity):
            part.fill(self)

    def advance(self, steps: int = 1) -> None:
        """Lets the account change: people come and go, mail is sent, addresses are suppressed and freed."""
        with self.lock:
            for _ in range(steps):
                change.step(self)

    def now(self) -> int:
        """Unix seconds, whole."""
        return int(self.clock())

    def earlier(self) -> int:
        """Some moment of the last two years, in unix seconds."""
        return self.now() - self.random.randrange(2 * DAY, 700 * DAY)

    def uuid(self, random: Random | None = None) -> str:
        """A UUID of the account's own randomness, or of another."""
        return str(uuid.UUID(int=(random or self.random).getrandbits(128), version=4))

    def dice(self, what: str) -> Random:
        """Randomness of this seed, step and purpose alone: drawing from it moves nothing else."""
        return Random(f"{what} at {self.steps} of {self.seed}")  # noqa: S311 - invented data, no secret
