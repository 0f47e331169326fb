"""One mail to one address, and the events SendGrid's webhook tells of it.

Belongs here: which events follow on which, and the fields and ids of each. Does not: batches, bodies and
signatures (`traffic`).
Source: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from .account import Row

USER_ID = 12345678
"""The account's user id, part of the ids of delivery events."""

_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
)
_LINKS = (
    "https://shop.example.com/",
    "https://shop.example.com/products?id=17&ref=mail",
    "https://shop.example.com/café?q=thé%20vert",
    "https://blog.example.org/news#latest",
)
_BOUNCES = (
    ("bounce", "5.1.1", "Invalid Address", "550 5.1.1 <{email}>: Recipient address rejected"),
    ("bounce", "5.2.2", "Mailbox Unavailable", "552 5.2.2 Mailbox full, boîte pleine"),
    ("blocked", "5.7.1", "Reputation", "554 5.7.1 Service unavailable; <192.0.2.25> is listed"),
    ("blocked", "4.0.0", "Technical Failure", "unable to resolve MX record: servfail"),
)
_DROPS = (("Bounced Address", ""), ("Unsubscribed Address", ""), ("Invalid SMTPAPI header", "5.0.0"))

LIVES: dict[str, int] = {
    "processed": 1,
    "processed delivered": 20,
    "processed delivered open": 12,
    "processed delivered machine_open": 10,
    "processed delivered machine_open open click": 6,
    "processed delivered open click open": 8,
    "processed delivered bot_click bot_click bot_click": 2,
    "processed deferred delivered": 3,
    "processed deferred deferred delivered open": 2,
    "processed deferred bounce": 1,
    "processed bounce": 4,
    "processed delivered late_bounce": 1,
    "dropped": 3,
    "processed delivered open spamreport": 1,
    "processed delivered open unsubscribe": 2,
    "processed delivered open click group_unsubscribe": 2,
    "processed delivered group_unsubscribe group_resubscribe": 1,
}
"""What may become of a message, and how many of about eighty go that way."""

_PAUSES = {
    "processed": (0, 1),
    "delivered": (1, 6),
    "deferred": (30, 300),
    "bounce": (1, 5),
    "late_bounce": (60, 600),
    "machine_open": (1, 5),
    "bot_click": (0, 0),
    "open": (60, 1500),
    "click": (12, 120),
}
_DEFAULT_PAUSE = (10, 200)
"""Seconds, least and most, from the event before."""


class Message:
    """One message.

    Attributes:
        shared: fields that all its events carry (category, arguments, campaign).
        delivery: fields of delivery events alone.
    """

    def __init__(self, random: Random, email: str, shared: Row, delivery: Row) -> None:
        self._random = random
        self.email = email
        self.shared = shared
        self.delivery = delivery
        self._sg_message_id = message_id(random)
        self.id = self._sg_message_id.partition(".")[0]
        self._smtp_id = f"<{self.id}@geopod-ismtpd-{random.randrange(40)}>"
        self._ip = f"192.0.2.{random.randrange(1, 255)}"
        self._reader = {
            "ip": f"198.51.100.{random.randrange(1, 255)}",
            "useragent": random.choice(_BROWSERS),
        }
        self._links = 0

    def life(self, words: str, end: int) -> list[Row]:
        """The events of one of `LIVES`, in order, the last at `end` (unix seconds)."""
        at, attempt, events = 0, 0, []
        for word in words.split():
            at += self._random.randint(*_PAUSES.get(word, _DEFAULT_PAUSE))
            attempt += word == "deferred"
            events.append(self._event(word, attempt) | {"timestamp": at})
        return [event | {"timestamp": end - at + event["timestamp"]} for event in events]

    def _event(self, word: str, attempt: int) -> Row:
        if word == "late_bounce":
            return self._late_bounce()
        name = {"machine_open": "open", "bot_click": "click"}.get(word, word)
        event = {"email": self.email, "event": name, "sg_message_id": self._sg_message_id, **self.shared}
        if name in ("processed", "dropped", "delivered", "deferred", "bounce"):
            event |= self.delivery | {"sg_event_id": self._delivery_id(name, attempt)}
        else:
            event["sg_event_id"] = engagement_id(self._random)
        if name not in ("open", "click", "unsubscribe"):
            event["smtp-id"] = self._smtp_id
        return event | self._own(word, attempt)

    def _own(self, word: str, attempt: int) -> Row:
        """The fields of the event's type alone."""
        random, domain = self._random, self.email.partition("@")[2]
        match word:
            case "processed":
                return {"pool": {"name": "marketing", "id": 210}} if random.random() < 0.2 else {}
            case "dropped":
                reason, status = random.choice(_DROPS)
                return {"reason": reason} | ({"status": status} if status else {})
            case "delivered":
                return {"ip": self._ip, "response": f"250 2.0.0 OK {random.getrandbits(40):x}", "tls": 1}
            case "deferred":
                return {
                    "attempt": str(attempt),
                    "domain": domain,
                    "from": "shop1@example.com",
                    "response": "451 4.7.1 try again later",
                    "tls": 0,
                }
            case "bounce":
                type_, status, class_, reason = random.choice(_BOUNCES)
                return {
                    "bounce_classification": class_,
                    "ip": self._ip,
                    "reason": reason.format(email=self.email),
                    "status": status,
                    "tls": 1,
                    "type": type_,
                }
            case "open":
                return {**self._reader, "sg_content_type": "html", "sg_machine_open": False}
            case "machine_open":
                return {
                    "ip": self._reader["ip"],
                    "sg_content_type": "html",
                    "sg_machine_open": True,
                    "useragent": "Mozilla/5.0",
                }
            case "click" | "bot_click":
                self._links += 1
                link = self._links if word == "bot_click" else random.randrange(len(_LINKS))
                offset = {"index": link % len(_LINKS), "type": "html"}
                return {**self._reader, "url": _LINKS[link % len(_LINKS)], "url_offset": offset}
            case "group_unsubscribe" | "group_resubscribe":
                group = self.shared.get("asm_group_id", 14002)
                return {**self._reader, "asm_group_id": group, "url": "https://u12345678.example.com/asm/"}
        return {}

    def _late_bounce(self) -> Row:
        """A bounce mailed back after delivery: SendGrid no longer knows whose message it was."""
        return {
            "email": self.email,
            "event": "bounce",
            "reason": "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
            "sg_event_id": engagement_id(self._random),
            "sg_message_id": self._random.choice((None, "")),
            "status": "5.1.10",
            "type": "bounce",
        }

    def _delivery_id(self, name: str, attempt: int) -> str:
        word = "drop" if name == "dropped" else name
        tried = "" if name in ("processed", "dropped") else f"-{attempt}"
        return _base64(f"{word}{tried}-{USER_ID}-{self.id}-0".encode())


def token(random: Random) -> str:
    """Sixteen random bytes in 22 characters, as SendGrid names messages."""
    return _base64(random.randbytes(16))


def message_id(random: Random) -> str:
    """A message's `token`, and where it was received."""
    id_ = token(random)
    host = f"{random.getrandbits(40):010x}-{''.join(random.choices('bcdfghjkmnpqrstvwxz2456789', k=5))}"
    return f"{id_}.recvd-{host}-1-{random.getrandbits(32):08X}-{random.randrange(99)}.0"


def engagement_id(random: Random) -> str:
    """The id of an event that is no delivery event: random bytes, or a UUID's text, in base64."""
    if random.random() < 0.5:
        return token(random)
    return _base64(str(uuid.UUID(int=random.getrandbits(128), version=4)).encode())


def status_change(random: Random, at: int) -> Row:
    """An event of the account itself, which is of no message and no address."""
    return {
        "event": "account_status_change",
        "sg_event_id": _base64(f"{random.randrange(10**9, 10**10)}-terminate-{at}".encode()),
        "timestamp": at,
        "type": random.choice(("compliance_suspend", "reactivate")),
    }


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
