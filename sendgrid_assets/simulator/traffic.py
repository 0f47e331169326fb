"""Webhook traffic: events of mail to the account's contacts, signed and posted as SendGrid does.

Belongs here: batches, SendGrid's layout of a body, the signature, posting and retrying. Does not: what an
event looks like (`message`).
Source: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook
"""

from __future__ import annotations

import base64
import json
import logging
import time
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from sendgrid_assets.webhook.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER

from .message import LIVES, USER_ID, Message, engagement_id, status_change
from .signing_key import new_key, shown

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from .account import Account, Row

log = logging.getLogger("sendgrid_assets.simulator")

_ADVANCE_SECONDS = 20.0
_DAY_SECONDS = 86_400
_SATURDAY = 5
_POST_SECONDS = 10.0
_LIVES_UNDER_WAY = 12
_RETRY_EACH = 8
_ENGAGEMENT = ("open", "click", "spamreport", "unsubscribe", "group_unsubscribe", "group_resubscribe")


class Traffic:
    """What SendGrid's Event Webhook posts for an account.

    Everything but times and signatures comes from the seed.
    """

    def __init__(
        self, account: Account, *, key: ec.EllipticCurvePrivateKey | None = None, seed: int | None = None
    ) -> None:
        """Prepares the traffic.

        Args:
            account: whose contacts the mail goes to.
            key: the webhook's key on P-256; a fresh one if None.
            seed: the account's if None. One seed gives the same event ids each time, so whoever runs on into an
                older warehouse takes another.
        """
        self._account = account
        self._key = key or new_key()
        self._random = Random(f"traffic of {account.seed if seed is None else seed}")  # noqa: S311 - invented data, no secret
        self._lives: list[list[Row]] = []
        self._deck: list[str] = []
        self._said: list[Row] = []
        self._made = 0

    @property
    def public_key(self) -> str:
        """The verification key as SendGrid's settings page shows it."""
        return shown(self._key)

    def batch(self, n: int) -> list[Row]:
        """The next `n` events.

        Those of one message come in order, between others'. About every thirtieth is an earlier open, click
        or other engagement over again under a new `sg_event_id`, as some of SendGrid's retries are.
        """
        return [self._next() for _ in range(n)]

    def past(self, days: int, events_a_day: int) -> list[list[Row]]:
        """Events of the days that ended a day ago and earlier, a batch a day, oldest first; fewer on weekends.

        Args:
            days: how many days.
            events_a_day: how many events on a working day.
        """
        account, clock = self._account, self._account.clock

        def ago(days: int) -> Callable[[], float]:
            return lambda: clock() - days * _DAY_SECONDS

        batches = []
        try:
            for age in range(days, 0, -1):
                account.clock = ago(age)
                is_weekend = time.gmtime(account.now()).tm_wday >= _SATURDAY
                batches.append(self.batch(events_a_day // 3 if is_weekend else events_a_day))
        finally:
            account.clock = clock
        return batches

    def body(self, events: Sequence[Row]) -> bytes:
        """The events in SendGrid's layout: keys in order, raw UTF-8, a line break between and at the end."""
        objects = ",\r\n".join(
            json.dumps(event, ensure_ascii=False, separators=(",", ":"), sort_keys=True) for event in events
        )
        return f"[{objects}]\r\n".encode()

    def headers(self, body: bytes) -> dict[str, str]:
        """What a POST of the body carries now, the signature of the timestamp and the body among it."""
        timestamp = str(self._account.now())
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
        return {
            "Content-Type": "application/json;charset=utf-8",
            "User-Agent": "SendGrid Event API",
            "Accept-Encoding": "gzip",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: base64.b64encode(signature).decode(),
        }

    def post(self, url: str, events: Sequence[Row], client: httpx.Client) -> httpx.Response:
        """Posts the events.

        Raises:
            httpx.TransportError: nobody answers there.
        """
        return self.post_body(url, self.body(events), client)

    def post_body(self, url: str, body: bytes, client: httpx.Client) -> httpx.Response:
        """Posts a body, signed anew: a retry is an earlier body byte for byte.

        Raises:
            httpx.TransportError: nobody answers there.
        """
        return client.post(url, content=body, headers=self.headers(body))

    def run(self, url: str, *, every: float, stop: threading.Event) -> None:
        """Posts batches until told to stop, and lets the account change every twenty seconds.

        A body that is not taken is kept and posted again, and now and then one that was taken as well:
        SendGrid does both.

        Args:
            url: the receiver's address for this account.
            every: seconds between two posts.
            stop: ends the loop within `every` seconds and a post's ten.
        """
        advanced, posts, repeated, was_taken = time.monotonic(), 0, b"", None
        with httpx.Client(timeout=_POST_SECONDS) as client:
            while not stop.is_set():
                body = repeated or self.body(self.batch(self._random.randint(5, 40)))
                taken = self._deliver(url, body, client)
                if taken != was_taken:
                    log.info("The receiver takes events." if taken else "The receiver takes no events yet.")
                posts, was_taken = posts + 1, taken
                repeated = body if not taken or (posts % _RETRY_EACH == 0 and not repeated) else b""
                if time.monotonic() - advanced > _ADVANCE_SECONDS:
                    advanced = time.monotonic()
                    self._account.advance()
                stop.wait(every)

    def _deliver(self, url: str, body: bytes, client: httpx.Client) -> bool:
        try:
            return self.post_body(url, body, client).is_success
        except httpx.TransportError:
            return False

    def _next(self) -> Row:
        self._made += 1
        if self._made % 30 == 0 and self._said:
            return self._random.choice(self._said) | {"sg_event_id": engagement_id(self._random)}
        while len(self._lives) < _LIVES_UNDER_WAY:
            self._lives.append(self._begin())
        life = self._random.choice(self._lives)
        event = life.pop(0)
        if not life:
            self._lives.remove(life)
        if event["event"] in _ENGAGEMENT:
            self._said = [*self._said[-99:], event]
        return event

    def _begin(self) -> list[Row]:
        """The events of one more message, the last of them a few seconds ago."""
        if not self._deck:
            # Dealt like cards, so that even a short run sees every kind of event.
            self._deck = ["status_change", *(words for words, many in LIVES.items() for _ in range(many))]
            self._random.shuffle(self._deck)
        words, end = self._deck.pop(), self._account.now() - self._random.randint(2, 20)
        if words == "status_change":
            return [status_change(self._random, end)]
        return self._message().life(words, end)

    def _message(self) -> Message:
        with self._account.lock:
            contacts = self._random.choices(self._account.mc_contacts or [{}], k=8)
            emails = [row["email"] for row in contacts if row.get("email")]
            sends = [row for row in self._account.mc_single_sends if row["status"] == "triggered"]
            campaigns = [row for row in self._account.campaigns if row["status"] == "Sent"]
            templates = list(self._account.templates)
            email = emails[0] if emails else "nobody@example.com"
            kind = self._random.choice(("api", "api", "singlesend", "campaign"))
            if kind == "singlesend" and sends:
                return Message(self._random, email, *self._of_single_send(self._random.choice(sends)))
            if kind == "campaign" and campaigns:
                return Message(self._random, email, *_of_campaign(self._random.choice(campaigns)))
            return Message(self._random, email, *self._of_api(templates))

    def _of_api(self, templates: Sequence[Row]) -> tuple[Row, Row]:
        """Fields of a mail sent through the API: categories, arguments, perhaps a template."""
        random = self._random
        shared: Row = {
            "category": random.choice(("receipts", ["receipts", "shop"], ["password, reset"])),
            "order_id": f"A-{random.randrange(10_000, 99_999)}",
        }
        if random.random() < 0.3:
            shared["experiment"] = random.choice(("subject-a", "subject-b", "größer"))
        if templates and random.random() < 0.5:
            template = random.choice(templates)
            shared |= {"sg_template_id": template["id"], "sg_template_name": template["name"]}
        return shared, {}

    def _of_single_send(self, send: Row) -> tuple[Row, Row]:
        template = f"d-{send['id'].replace('-', '')}"
        shared = {
            "asm_group_id": 14001,
            "category": send["categories"],
            "mc_stats": "singlesend",
            "phase_id": "send",
            "send_at": str(self._account.now() - 7200),
            "sg_template_id": template,
            "sg_template_name": f"Single Send: {send['name']}",
            "singlesend_id": send["id"],
            "singlesend_name": send["name"],
            "template_hash": sha256(send["id"].encode()).hexdigest(),
            "template_id": template,
            "template_version_id": send["id"],
        }
        return shared, {}


def _of_campaign(campaign: Row) -> tuple[Row, Row]:
    shared = {
        "category": campaign["categories"] or [],
        "marketing_campaign_id": campaign["id"],
        "marketing_campaign_name": campaign["title"],
    }
    return shared, {"post_type": "event", "sg_user_id": USER_ID}
