"""The newer product's contents: lists, segments, contacts, fields, single sends and senders.

Belongs here: rows in the shape that `/v3/marketing` and its contact export send. Does not: how they change
(`change`) or are handed out (`server`, `segment`, `single_send`, `export`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/contacts/export-contacts
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import template
from .instant import DAY, iso

if TYPE_CHECKING:
    from .account import Account, Row
    from .person import Person

_LISTS = {"Newsletter": 0.7, "Customers": 0.4, "Trial users": 0.15, "Early access": 0.05, "Archive": 0.0}
_CITIES = (("Askham", "Norland"), ("Brightwater", "Norland"), ("Citadella", "Sudonia"), ("Éléni", "Sudonia"))
_PLANS = ("free", "gold", "silver")
_SENDS = ("Weekly digest", "Feature launch", "Win-back", "Survey", "Anniversary")
_RESERVED_TEXT = (
    "first_name", "last_name", "email", "alternate_emails", "address_line_1", "address_line_2", "city",
    "state_province_region", "postal_code", "country", "phone_number", "whatsapp", "line", "facebook",
    "unique_name",
)  # fmt: skip
_RESERVED_READ_ONLY = (
    ("email_domains", "Text"),
    ("last_clicked", "Date"),
    ("last_opened", "Date"),
    ("last_emailed", "Date"),
    ("singlesend_id", "Text"),
    ("automation_id", "Text"),
    ("created_at", "Date"),
    ("updated_at", "Date"),
    ("contact_id", "Text"),
)


def fill(account: Account) -> None:
    """Puts everything but the contacts of a fresh account in place."""
    now = account.now()
    for name in _LISTS:
        list_ = {"id": account.uuid(), "name": name, "contact_count": 0}
        account.mc_lists.append(list_)
        account.members[str(list_["id"])] = set()
    account.mc_custom_fields.extend(
        {"id": f"e{number}_{type_[0]}", "name": name, "field_type": type_}
        for number, (name, type_) in enumerate(
            (("loyalty_points", "Number"), ("plan", "Text"), ("birthday", "Date")), start=1
        )
    )
    fields = [(name, "Text", False) for name in _RESERVED_TEXT]
    fields += [(name, type_, True) for name, type_ in _RESERVED_READ_ONLY]
    account.mc_reserved_fields.extend(
        {"id": f"_rf{number}_{type_[0]}", "name": name, "field_type": type_}
        | ({"read_only": True} if read_only else {})
        for number, (name, type_, read_only) in enumerate(fields)
    )
    account.mc_senders.extend(_sender(number, now) for number in (1, 2))
    # Here, since all that follows draws from the same randomness.
    template.fill(account)
    account.mc_segments.extend(
        [_segment(account, "Gold plan", []), _segment(account, "Norland customers", [1])]
    )
    statuses = ("triggered",) * 5 + ("scheduled", "draft", "draft")
    account.mc_single_sends.extend(single_send(account, status) for status in statuses)


def _segment(account: Account, name: str, parents: list[int]) -> Row:
    created = account.earlier()
    row: Row = {
        "id": account.uuid(),
        "name": name,
        "contacts_count": 0,
        "created_at": iso(created),
        "updated_at": iso(created + DAY),
        "sample_updated_at": iso(account.now()),
        "next_sample_update": iso(account.now() + 3600),
        "parent_list_ids": [account.mc_lists[parent]["id"] for parent in parents],
        "query_version": "2",
        "status": {"query_validation": "VALID"},
    }
    account.members[row["id"]] = set()
    return row


def _sender(number: int, now: int) -> Row:
    return {
        "id": 124_450 + number,
        "nickname": f"Shop {number}",
        "from": {"email": f"shop{number}@example.com", "name": f"Shop {number}"},
        "reply_to": {"email": "support@example.com", "name": "Support"},
        "address": "1 Sample Street",
        "address_2": "",
        "city": "Askham",
        "state": "",
        "zip": "00001",
        "country": "Norland",
        "verified": number == 1,
        "locked": number == 1,
        "created_at": now - 500 * DAY,
        "updated_at": now - 30 * DAY,
    }


def single_send(account: Account, status: str) -> Row:
    """A single send with its details; the listing shows only some of its keys."""
    random, created = account.random, account.earlier()
    name = random.choice(_SENDS)
    tested = status == "triggered" and random.random() < 0.4
    row: Row = {
        "id": account.uuid(),
        "name": f"{name} {len(account.mc_single_sends) + 1}",
        "status": status,
        "categories": ["marketing", name.lower()] if random.random() < 0.7 else [],
        "is_abtest": tested,
        "abtest": _abtest(account, created) if tested else None,
        "created_at": iso(created),
        "updated_at": iso(created + DAY // 2),
        "send_to": {"list_ids": [account.mc_lists[0]["id"]], "segment_ids": [], "all": False},
        "email_config": {
            "subject": f"{name}: what is new",
            "html_content": f"<html><body><p>{name}</p></body></html>",
            "plain_content": name,
            "generate_plain_content": True,
            "editor": "code",
            "suppression_group_id": 14001,
            "custom_unsubscribe_url": None,
            "sender_id": 124_451,
            "ip_pool": None,
        },
    }
    if status != "draft":
        row["send_at"] = iso(created + DAY if status == "triggered" else account.now() + DAY)
    return row


def _abtest(account: Account, created: int) -> Row:
    return {
        "type": account.random.choice(("subject", "content")),
        "winner_criteria": "open",
        "test_percentage": 20,
        "duration": "4h",
        "winning_template_id": account.uuid(),
        "winner_selected_at": iso(created + DAY + 14_400),
        "expiration_date": None,
    }


def contact(account: Account, person: Person, created: int) -> Row:
    """Adds a contact, as the export writes it (empty fields left out), to the account, lists and segments.

    Args:
        account: the account to add it to.
        person: who it is; every fortieth or so is known by phone number instead of an address.
        created: unix seconds.
    """
    random = account.random
    city, country = random.choice(_CITIES)
    plan = random.choice(_PLANS)
    custom: dict[str, Any] = {"plan": plan}
    if random.random() < 0.8:
        custom["loyalty_points"] = random.choice((0, 12.5, 40, 1250))
    if random.random() < 0.3:
        custom["birthday"] = iso(random.randrange(365, 18_000) * DAY)
    row: Row = {"contact_id": account.uuid()}
    if random.random() < 0.975:
        row["email"] = person.email
    else:
        row["phone_number_id"] = f"+999{random.randrange(10**8):08d}"
    if random.random() < 0.9:
        row |= {"first_name": person.first_name, "last_name": person.last_name}
    if random.random() < 0.05:
        row["alternate_emails"] = [account.people.meet().email]
    if random.random() < 0.3:
        row |= {"city": city, "country": country, "postal_code": f"{random.randrange(10**5):05d}"}
    if random.random() < 0.2:
        row["external_id"] = f"crm-{random.randrange(10**6)}"
    row |= {
        "created_at": iso(created),
        "updated_at": iso(random.randrange(created, account.now() + 1)),
        "custom_fields": custom,
    }
    account.mc_contacts.append(row)
    for list_ in account.mc_lists:
        if random.random() < _LISTS.get(list_["name"], 0.2):
            account.members.setdefault(list_["id"], set()).add(row["contact_id"])
            list_["contact_count"] += 1
    for segment, meets in zip(account.mc_segments, (plan == "gold", country == "Norland"), strict=False):
        if meets:
            account.members.setdefault(segment["id"], set()).add(row["contact_id"])
            segment["contacts_count"] += 1
    return row
