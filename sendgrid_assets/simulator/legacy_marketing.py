"""The legacy product's contents: contactdb's lists, segments, recipients and fields, and campaigns.

Belongs here: rows in the shape that `/v3/contactdb` and `/v3/campaigns` send. Does not: how they change
(`change`) or are handed out (`contactdb`, `export`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/contacts-api-recipients/retrieve-recipients
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from .instant import american

if TYPE_CHECKING:
    from .account import Account, Row
    from .person import Person

_LISTS = {
    4101: ("Newsletter", 0.7),
    4102: ("Customers", 0.4),
    4103: ("Trial users", 0.15),
    4104: ("Spring webinar", 0.08),
    4105: ("Archive", 0.0),
}
_RESERVED = (
    ("first_name", "text"), ("last_name", "text"), ("email", "text"), ("created_at", "date"),
    ("updated_at", "date"), ("last_emailed", "date"), ("last_clicked", "date"), ("last_opened", "date"),
    ("lists", "set"), ("campaigns", "set"),
)  # fmt: skip
_STATUSES = ("Sent", "Sent", "Sent", "Canceled", "In Progress", "Scheduled", "Draft", "Draft")
_TITLES = ("New arrivals", "Product news", "Thank you", "Price list", "Open day", "Holiday hours")


def fill(account: Account) -> None:
    """Puts the lists, fields, segments and campaigns of a fresh account in place."""
    account.lists.extend({"id": id_, "name": name, "recipient_count": 0} for id_, (name, _) in _LISTS.items())
    account.members.update({str(id_): set() for id_ in _LISTS})
    account.custom_fields.extend(
        [
            {"id": 6201, "name": "age", "type": "number"},
            {"id": 6202, "name": "country", "type": "text"},
            {"id": 6203, "name": "customer_since", "type": "date"},
        ]
    )
    account.segments.extend(
        [
            _segment(5301, "Under 25", [{"field": "age", "value": "25", "operator": "lt", "and_or": ""}]),
            {
                **_segment(
                    5302,
                    "Customers in Norland",
                    [
                        {"field": "country", "value": "Norland", "operator": "eq", "and_or": ""},
                        {"field": "age", "value": "18", "operator": "gt", "and_or": "and"},
                    ],
                ),
                "list_id": 4102,
            },
        ]
    )
    account.members.update({str(row["id"]): set() for row in account.segments})
    account.reserved_fields.extend({"name": name, "type": type_} for name, type_ in _RESERVED)
    for number, status in enumerate(_STATUSES):
        account.campaigns.insert(0, campaign(account, 986_700 + number, status))


def _segment(id_: int, name: str, conditions: list[Row]) -> Row:
    return {"id": id_, "name": name, "conditions": conditions, "recipient_count": 0}


def campaign(account: Account, id_: int, status: str) -> Row:
    """A campaign; drafts leave most of it null."""
    name = account.random.choice(_TITLES)
    written = status != "Draft"
    return {
        "id": id_,
        "title": f"{name} {id_ % 100}",
        "subject": f"{name} for you" if written else None,
        "sender_id": 124451 if written else None,
        "list_ids": [4101, 4102] if written else None,
        "segment_ids": [5301] if written and id_ % 2 else None,
        "categories": [name.lower()] if written else None,
        "suppression_group_id": 14001 if written else None,
        "custom_unsubscribe_url": "" if written else None,
        "ip_pool": "marketing" if written and id_ % 3 == 0 else None,
        "html_content": f"<html><body><p>{name}</p></body></html>" if written else None,
        "plain_content": name if written else None,
        "editor": "design" if id_ % 2 else "code",
        "status": status,
    }


def recipient(account: Account, person: Person, created: int) -> Row:
    """Adds a recipient to contactdb, and to some of its lists and segments.

    Args:
        account: the account to add it to.
        person: who it is.
        created: unix seconds.
    """
    random, now = account.random, account.now()
    emailed = random.randrange(created, now + 1) if random.random() < 0.8 else None
    opened = random.randrange(emailed, now + 1) if emailed and random.random() < 0.6 else None
    clicked = random.randrange(opened, now + 1) if opened and random.random() < 0.4 else None
    age = random.randrange(16, 80) if random.random() < 0.9 else None
    values: list[Any] = [
        None if age is None else str(age),
        random.choice(("Norland", "Sudonia", None)),
        american(created) if random.random() < 0.5 else None,
    ]
    row: Row = {
        "id": base64.b64encode(person.email.encode()).decode(),
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name if random.random() < 0.9 else None,
        "created_at": created,
        "updated_at": random.randrange(created, now + 1),
        "last_emailed": emailed,
        "last_clicked": clicked,
        "last_opened": opened,
        "custom_fields": [
            {**field, "value": value} for field, value in zip(account.custom_fields, values, strict=False)
        ],
    }
    account.recipients.append(row)
    for list_ in account.lists:
        if random.random() < _LISTS.get(list_["id"], ("", 0.2))[1]:
            account.members.setdefault(str(list_["id"]), set()).add(row["id"])
            list_["recipient_count"] += 1
    customer = row["id"] in account.members.get("4102", ())
    norland = customer and values[1] == "Norland" and age is not None and age > 18
    for segment, meets in zip(account.segments, (age is not None and age < 25, norland), strict=False):
        if meets:
            account.members.setdefault(str(segment["id"]), set()).add(row["id"])
            segment["recipient_count"] += 1
    return row


def exported(row: Row, id_key: str) -> Row:
    """A recipient as an export writes it: empty fields left out, custom fields by name.

    Args:
        row: the recipient.
        id_key: the name of its id there; SendGrid documents none.
    """
    plain = {key: row[key] for key in row if key not in ("id", "custom_fields") and row[key] is not None}
    custom = {
        field["name"]: field["value"] for field in row.get("custom_fields", ()) if field["value"] is not None
    }
    return {id_key: row["id"], **plain, "custom_fields": custom}
