"""Millions of events in a warehouse, made by SQL: a mix of types, senders and readers as mail has them.

Belongs here: filling the event tables. Does not: what is measured on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendgrid_assets.catalog.events import EVENT_COLLECTIONS
from sendgrid_assets.warehouse.append import LEDGER
from sendgrid_assets.warehouse.history import TABLE as CHANGES
from sendgrid_assets.warehouse.sql import name

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PEOPLE_OF_MESSAGES = 6
_DAYS = 400

_MESSAGE = """
    SELECT n, (hash(n) >> 8)::BIGINT AS h, 'msg' || lpad(n::VARCHAR, 19, '0') AS message_id,
        'reader' || reader || '@' || ['gmail.com', 'gmail.com', 'yahoo.com', 'outlook.com', 'icloud.com', 'web.de',
            'example.com', 'company' || (reader % 500) || '.example'][reader % 8 + 1] AS email,
        TIMESTAMP '2025-10-20' + to_microseconds(n * ({days} * 86400000000 // {messages})) AS sent,
        'ss-' || (n // 40000) AS singlesend_id, 'Single send ' || (n // 40000) AS singlesend_name,
        'd-' || (n % 60) AS sg_template_id, 'Template ' || (n % 60) AS sg_template_name,
        ['plan ' || (n % 7), 'kind ' || (n % 30)] AS category
    FROM (SELECT n, (hash(n * 7) >> 8)::BIGINT % greatest(1, {messages} // {share}) AS reader
        FROM range({first}, {last}) t(n))"""

_KINDS = {
    "processed": ("true", "0", ""),
    "deferred": ("h % 100 < 4", "20", ", 'busy' AS response, 1 AS attempt"),
    "delivered": ("h % 100 < 96", "h % 30 + 2", ", '250 OK' AS response, true AS tls"),
    "bounce": (
        "h % 100 = 97",
        "5",
        ", '550 no such user' AS reason, ['bounce', 'bounce', 'blocked'][n % 3 + 1] AS type",
    ),
    "dropped": ("h % 100 = 98", "1", ", 'Bounced Address' AS reason"),
    "open": (
        "h % 100 < 55",
        "600 + h % 90000",
        ", h % 3 = 0 AS sg_machine_open, 'Mozilla/5.0 (iPhone)' AS useragent",
    ),
    "open again": ("h % 100 < 45", "90000 + h % 400000", ", false AS sg_machine_open"),
    "click": (
        "h % 100 < 12",
        "CASE WHEN h % 5 = 0 THEN h % 30 + 4 ELSE 700 + h % 90000 END",
        ", 'https://shop.example/offer/' || (n % 200) || '?u=' || n AS url, 'Mozilla/5.0' AS useragent",
    ),
    "spam_report": ("h % 1000 = 1", "5000", ""),
    "unsubscribe": ("h % 500 = 2", "6000", ""),
    "group_unsubscribe": ("h % 400 = 3", "7000", ""),
}
_WORDS = {collection.table: collection.events[0] for collection in EVENT_COLLECTIONS if collection.events}


def fill(
    connection: DuckDBPyConnection, schema: str, messages: int, *, first: int = 0, last: int | None = None
) -> int:
    """Appends the events of messages number `first` to `last`, as one commit.

    Args:
        connection: the warehouse.
        schema: the source's schema, and the source's name.
        messages: how many messages there are in all; they spread over a year and a month.
        first: the first to append.
        last: the one before which to stop; `messages` by default.

    Returns:
        How many events that were.
    """
    made = _MESSAGE.format(
        messages=messages,
        share=_PEOPLE_OF_MESSAGES,
        days=_DAYS,
        first=first,
        last=messages if last is None else last,
    )
    newest = connection.execute(
        f"SELECT coalesce(max(loaded_at), TIMESTAMP '2026-11-01') + INTERVAL 1 SECOND FROM {LEDGER}"
    ).fetchone()
    assert newest is not None
    events = 0
    for kind, (condition, after, more) in _KINDS.items():
        table = kind.split()[0]
        inserted = connection.execute(
            f"INSERT INTO {name(schema, table)} BY NAME SELECT email,"
            f" sent + to_seconds(({after})::BIGINT) AS timestamp,"
            f" '{_WORDS[table]}' AS event, '{kind[:6]}-' || n AS sg_event_id,"
            " message_id || '.filter.1' AS sg_message_id, message_id, '<' || message_id || '@x>' AS smtp_id,"
            " category, singlesend_id, singlesend_name, sg_template_id, sg_template_name,"
            f" {_group(table)} AS asm_group_id, ?::TIMESTAMP AS loaded_at{more}"
            f" FROM ({made}) WHERE {condition}",
            [newest[0]],
        ).fetchone()
        assert inserted is not None
        events += inserted[0]
    connection.execute(
        f"INSERT INTO {LEDGER} BY NAME SELECT ? AS source, ? AS file, 1 AS size, 'x' AS sha256, ? AS events,"
        " 0 AS rejected, ?::TIMESTAMP AS loaded_at",
        [schema, f"{first}.ndjson", events, newest[0]],
    )
    return events


def _group(table: str) -> str:
    """The unsubscribe group, on the events that always have one."""
    return "n % 5" if table.startswith("group") else "NULL"


def fill_objects(connection: DuckDBPyConnection, schema: str, messages: int) -> None:
    """Fills the object tables that insights read: suppressions, members of lists and their history.

    Args:
        connection: the warehouse.
        schema: the source's schema, and the source's name.
        messages: how many messages there are; other sizes follow from it.
    """
    people = max(1, messages // _PEOPLE_OF_MESSAGES)
    seen = "TIMESTAMP '2025-10-20' + to_seconds(n * 60) AS first_synced_at"
    for number, kind in enumerate(("bounces", "invalid_emails", "spam_reports", "unsubscribes")):
        connection.execute(
            f"INSERT INTO {name(schema, f'suppression_{kind}')} BY NAME"
            f" SELECT 'reader' || n || '@example.com' AS email,"
            f" TIMESTAMP '2025-10-20' + to_seconds(n) AS created, {seen},"
            " CASE WHEN n % 7 = 0 THEN TIMESTAMP '2026-05-01' END AS deleted_at"
            f" FROM range({people // 10}) t(n) WHERE n % 4 <= {number}"
        )
    connection.execute(
        f"INSERT INTO {name(schema, 'mc_lists')} BY NAME SELECT 'list-' || n AS id, 'List ' || n AS name, {seen}"
        " FROM range(20) t(n)"
    )
    connection.execute(
        f"INSERT INTO {name(schema, 'mc_contact_lists')} BY NAME SELECT 'list-' || n % 20 AS list_id,"
        f" 'contact-' || n AS contact_id, {seen} FROM range({people}) t(n)"
    )
    connection.execute(
        f"INSERT INTO {CHANGES} BY NAME SELECT '{schema}' AS source, 'mc_contact_lists' AS table_name,"
        " json_object('list_id', 'list-' || n % 20, 'contact_id', 'contact-' || n) AS key,"
        " TIMESTAMP '2025-11-01' + to_seconds(n * 60) AS changed_at,"
        f" ['insert', 'insert', 'delete'][n % 3 + 1] AS kind FROM range({people // 2}) t(n)"
    )
