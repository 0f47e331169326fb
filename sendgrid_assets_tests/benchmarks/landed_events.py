"""Landing files as a busy account's webhook leaves them: a mix of types, custom arguments, retries.

Belongs here: what the events and files look like. Does not: what is measured on them (`drain`).

A message's events carry the same arguments; keys stand in SendGrid's order. About one event in a hundred comes
twice, and one opening in three hundred comes again under a new id.
"""

from __future__ import annotations

import base64
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_START = 1_790_000_000
_MESSAGES_A_SECOND = 12
_DOMAINS = ("gmail.com",) * 4 + ("yahoo.com", "outlook.com", "icloud.com", "web.de", "example.com")
_AGENTS = (
    "Mozilla/5.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
)
_CATEGORIES = (
    '"receipts"',
    '["newsletter","weekly"]',
    '["newsletter","weekly","segment-b"]',
    '["offers, summer","Größe M"]',
    "[]",
)
_LIVES = (
    ("processed delivered", 34),
    ("processed delivered open", 24),
    ("processed delivered machine_open open", 12),
    ("processed delivered open open click", 9),
    ("processed delivered open click click open", 3),
    ("processed deferred delivered", 4),
    ("processed deferred deferred bounce", 1),
    ("processed bounce", 3),
    ("processed delivered open spamreport", 1),
    ("processed delivered open unsubscribe", 1),
    ("processed delivered click group_unsubscribe", 2),
    ("processed delivered group_unsubscribe group_resubscribe", 1),
    ("dropped", 5),
)
_LIVES_DEALT = tuple(life.split() for life, share in _LIVES for _ in range(share))
_DELIVERY = ("processed", "delivered", "deferred", "bounce", "dropped")


def lines(seed: int = 1) -> Iterator[bytes]:
    """Events without end, each a line with its end; about 500 bytes long."""
    random = Random(seed)
    number = 0
    while True:
        for line in _message(random, number):
            yield line
            if random.random() < 0.01:
                yield line
        number += 1


def write(folder: Path, events: int, files: int) -> None:
    """Writes files of equal numbers of events, in name order.

    Args:
        folder: made; the files are named as the receiver names its own.
        events: how many in all.
        files: how many files; each gets at least one event.
    """
    folder.mkdir(parents=True)
    stream = lines()
    for number in range(files):
        share = events * (number + 1) // files - events * number // files
        path = folder / f"{(_START + number) * 1000:013d}-host-1-{number:016x}.ndjson"
        path.write_bytes(b"".join(islice(stream, share)))


def _message(random: Random, number: int) -> Iterator[bytes]:
    sent = _START + number // _MESSAGES_A_SECOND
    id_ = _text_id(random, 16)
    whole_id = f"{id_}.recvd-7c9f8d6b54-{id_[:5]}-1-66A0B1C2-{number % 97:X}.0"
    reader = random.randrange(1_000_000)
    email = f"reader{reader}@{_DOMAINS[reader % len(_DOMAINS)]}"
    shared = f'"category":{random.choice(_CATEGORIES)},"email":"{email}",'
    if number % 4 == 0:
        shared = f'"asm_group_id":{number % 7 + 1},' + shared
    own = _arguments(random, number)
    at = sent
    for attempt, word in enumerate(random.choice(_LIVES_DEALT)):
        kind = "open" if word == "machine_open" else word
        event_id = _event_id(random, kind, id_, attempt)
        at += random.randrange(6) if kind in _DELIVERY else random.randrange(20, 20_000)
        rest = _fields(random, word, email) + f'"sg_message_id":"{whole_id}",'
        if kind not in ("open", "click"):
            rest += f'"smtp-id":"<{id_}@geopod-ismtpd-{number % 40}>",'
        line = f'{{{shared}"event":"{kind}",{own}"sg_event_id":"%s",{rest}"timestamp":{at}}}\n'
        yield (line % event_id).encode()
        if kind == "open" and random.random() < 0.003:
            yield (line % _text_id(random, 16)).encode()


def _arguments(random: Random, number: int) -> str:
    """Custom and unique arguments, with which nine in ten messages are sent."""
    if number % 10 == 0:
        return ""
    made = f'"order_id":"{random.randrange(10**12):012d}","tenant":"shop-{number % 50}","user_id":{number * 7919},'
    if number % 3 == 0:
        vip = "true" if number % 2 else "null"
        made += f'"campaign":{{"name":"spring","step":{number % 5}}},"locale":"de-DE","vip":{vip},'
    if number % 25 == 0:
        made += f'"unique_args":{{"batch":"{number // 1000}","host":"app-{number % 9}"}},'
    return made


def _fields(random: Random, word: str, email: str) -> str:
    """The fields of the event's type alone."""
    ip = f'"ip":"198.51.100.{random.randrange(1, 255)}",'
    match word:
        case "processed":
            return '"pool":{"id":210,"name":"marketing"},"send_at":0,' if random.random() < 0.3 else ""
        case "delivered":
            queued = f"{random.getrandbits(60):x}"
            return f'{ip}"response":"250 2.0.0 OK {queued} - gsmtp","tls":1,'
        case "deferred":
            return f'"attempt":"{random.randrange(1, 5)}","response":"451 4.7.1 try again later","tls":0,'
        case "bounce":
            reason = f"550 5.1.1 <{email}>: Recipient address rejected: User unknown"
            return (
                f'"bounce_classification":"Invalid Address",{ip}"reason":"{reason}","status":"5.1.1","tls":1,'
                '"type":"bounce",'
            )
        case "dropped":
            return '"reason":"Bounced Address","status":"5.0.0",'
        case "open" | "machine_open":
            machine = "true" if word == "machine_open" else "false"
            agent = random.choice(_AGENTS)
            return f'{ip}"sg_content_type":"html","sg_machine_open":{machine},"useragent":"{agent}",'
        case "click":
            url = f"https://shop.example.com/products?id={random.randrange(500)}&ref=mail&u={random.getrandbits(32):x}"
            index = random.randrange(4)
            return (
                f'{ip}"url":"{url}","url_offset":{{"index":{index},"type":"html"}},'
                f'"useragent":"{random.choice(_AGENTS)}",'
            )
        case _:
            return ip


def _event_id(random: Random, kind: str, message: str, attempt: int) -> str:
    if kind in _DELIVERY:
        told = f"{kind}-{attempt}-12345678-{message}-0"
        return base64.urlsafe_b64encode(told.encode()).rstrip(b"=").decode()
    return _text_id(random, 16)


def _text_id(random: Random, size: int) -> str:
    return base64.urlsafe_b64encode(random.randbytes(size)).rstrip(b"=").decode()
