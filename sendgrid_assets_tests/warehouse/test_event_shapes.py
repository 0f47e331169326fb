"""Every payload documented or seen in the wild lands whole in its table, or is rejected with its reason."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sendgrid_assets.catalog.column import Column
from sendgrid_assets.catalog.events import EVENT_COLLECTIONS

from .conftest import TABLES, Row, Store, at, facts

NO_EVENT = {"key_value_pairs": "not_an_object", "custom_args_alone": "no_event"}
COLLECTIONS = {collection.table: collection for collection in EVENT_COLLECTIONS}


def load(store: Store, file: str) -> tuple[dict[str, Row], dict[str, tuple[str, Row]]]:
    """The entries' events, and the table and row of each; the id of each is made its entry's name."""
    events: dict[str, Any] = {}
    for entry in facts(file):
        payload = entry["event"]
        events[entry["name"]] = (
            payload | {"sg_event_id": entry["name"]} if isinstance(payload, dict) else payload
        )
    store.load(*events.values())
    tables = dict(
        store.query(
            " UNION ALL ".join(f"SELECT sg_event_id, '{table}' FROM sendgrid.{table}" for table in TABLES)
        )
    )
    landed = {row["sg_event_id"]: row for row in store.rows("sendgrid.activity")}
    return events, {name: (table, landed[name]) for name, table in tables.items()}


@pytest.mark.parametrize("file", ["observed_events.json", "example_events.json"])
def test_every_collected_payload_is_whole_in_one_place(store: Store, file: str) -> None:
    events, landed = load(store, file)
    assert set(landed) == set(events) - set(NO_EVENT)
    assert sorted(reason for reason, _ in store.rejects()) == sorted(
        NO_EVENT[n] for n in events if n in NO_EVENT
    )
    misplaced = {name: table for name, (table, _) in landed.items() if table != expected_table(events[name])}
    assert misplaced == {}
    wrong = {
        (name, key): value
        for name, (table, row) in landed.items()
        for key, value in events[name].items()
        if not is_kept(table, row, key, value)
    }
    assert wrong == {}


def expected_table(event: Row) -> str:
    word = event["event"].lower()
    return {"spamreport": "spam_report"}.get(word, word if word in TABLES else "other_event")


def is_kept(table: str, row: Row, key: str, value: Any) -> bool:
    columns = [column for column in COLLECTIONS[table].sent_columns if column.path[0] == key]
    held = row["custom_args"] or {}
    if not columns:
        return bool(held == value if key == "unique_args" else key in held and held[key] == value)
    if key in held:
        return False
    members = [value if len(column.path) == 1 else value.get(column.path[1]) for column in columns]
    return all(
        row[column.name] == meant(column, member) for column, member in zip(columns, members, strict=True)
    )


def meant(column: Column, value: Any) -> Any:
    if value is None:
        return None
    match column.type:
        case "TIMESTAMP":
            number = float(value)
            seconds = number / 1000 if number > 1e11 else number
            instant = dt.datetime.fromtimestamp(seconds, dt.UTC).replace(tzinfo=None)
            return instant if number else None
        case "BIGINT":
            return int(value)
        case "BOOLEAN":
            return str(value).lower() in ("1", "true")
        case "VARCHAR[]":
            return [value] if isinstance(value, str) else value
    return value.lower() if column.name == "event" else str(value)


SEEN: dict[str, Row] = {
    "timestamp_text": {"timestamp": at(2024, 6, 21, 20)},
    "timestamp_milliseconds": {"timestamp": at(2024, 6, 21, 20, 0, 0, 372000)},
    "send_at_zero": {"send_at": None, "custom_args": None},
    "send_at_fraction": {"send_at": at(2024, 6, 21, 20, 1, 0, 37460)},
    "send_at_text_seconds": {"send_at": at(2024, 6, 21, 19, 58, 35)},
    "category_text": {"category": ["receipts"]},
    "category_array": {"category": ["tag1", "tag2"]},
    "category_empty_array": {"category": []},
    "category_array_with_comma": {"category": ["offers, summer", "news"]},
    "pool_id_text": {"pool_id": 210, "pool_name": "marketing", "custom_args": None},
    "pool_id_number": {"pool_id": 210, "pool_name": "marketing"},
    "email_null": {"email": None, "reason": "Invalid"},
    "sg_message_id_null": {"sg_message_id": None, "message_id": None},
    "sg_message_id_empty": {"sg_message_id": "", "message_id": None},
    "sg_message_id_missing": {"sg_message_id": None, "message_id": None},
    "sg_message_id_leading_space": {"message_id": "aB3dE5fG7hI9jK1lM3nO5p"},
    "sg_message_id_no_smtp_part": {
        "message_id": None,
        "sg_message_id": "filter0199p1las1.4745.5717FB6F5.0",
    },
    "sg_message_id_dots_before_filter": {"message_id": "14c5d75ce93.dfd.64b469"},
    "sg_message_id_filterdrecv": {"message_id": "aB3dE5fG7hI9jK1lM3nO5p"},
    "sg_message_id_recvd": {"message_id": "aB3dE5fG7hI9jK1lM3nO5p"},
    "smtp_id_missing_on_engagement": {"smtp_id": None, "url_offset_index": 2, "url_offset_type": "html"},
    "tls_number": {"tls": True},
    "tls_and_cert_err_text": {"tls": True, "custom_args": {"cert_err": "1"}},
    "tls_boolean": {"tls": True},
    "attempt_zero_text": {"attempt": 0, "tls": False},
    "attempt_number": {"attempt": 3},
    "status_bare_code": {"status": "550", "category": ["EmailActivation"]},
    "asm_group_id_text": {"asm_group_id": 123456},
    "url_offset_text_index": {"url_offset_index": 0, "url_offset_type": "text", "custom_args": None},
    "event_capitalised": {"event": "processed"},
    "event_unknown": {"event": "read_confirmed", "custom_args": {"useragent": "Mozilla/5.0"}},
    "event_spam_report_spelled": {"event": "spam_report"},
    "account_status_change_least": {"email": None, "type": "compliance_suspend"},
    "custom_args_flat": {"custom_args": {"userid": "1123", "template": "welcome"}},
    "custom_arg_named_type": {"custom_args": {"type": "email", "referenceId": "cm0000000000000000000001"}},
    "custom_arg_named_like_our_columns": {
        "message_id": "aB3dE5fG7hI9jK1lM3nO5p",
        "duplicate_of": None,
        "custom_args": {
            "message_id": "m-1",
            "received_at": "yesterday",
            "loaded_at": 0,
            "source_file": "../x",
            "duplicate_of": "me",
            "custom_args": "text",
            "extra": {"a": 1},
        },
    },
    "custom_arg_names_that_fold_together": {
        "email": "casey@example.com",
        "smtp_id": "<aB3dE5fG7hI9jK1lM3nO5p@geopod-ismtpd-7>",
        "custom_args": {"Email": "x", "userId": "1", "userid": "2", "SMTP_ID": "y"},
    },
    "custom_arg_nested": {
        "custom_args": {
            "meta": {"order": {"id": 7, "lines": [1, 2]}},
            "tags": ["a", "b"],
            "count": 3,
            "vip": True,
            "coupon": None,
        }
    },
    "custom_arg_json_text": {"custom_args": {"payload": '{"k": [1, 2]}'}},
    "unique_args_object": {"custom_args": {"userid": "1123"}},
    "single_send_delivered": {
        "send_at": at(2024, 6, 21, 19, 59, 57),
        "custom_args": {"mc_pod_id": "1"},
    },
    "campaign_id_number": {"marketing_campaign_id": "12345", "sg_user_id": 12345},
    "campaign_id_text": {"marketing_campaign_id": "12345"},
    "newsletter_object": {
        "newsletter_newsletter_id": "1943530",
        "newsletter_newsletter_user_list_id": "10557865",
        "newsletter_newsletter_send_id": "2308608",
        "custom_args": None,
    },
    "reason_with_line_break": {"reason": "550-5.7.1 first line\r\n550 5.7.1 second line \u2028 end"},
    "sg_machine_open_text": {"sg_machine_open": True},
}


def test_every_observed_payload_says_what_its_note_says(store: Store) -> None:
    _, landed = load(store, "observed_events.json")
    found = {name: {key: landed[name][1][key] for key in cells} for name, cells in SEEN.items()}
    assert found == SEEN


def test_payloads_without_an_id_get_one_and_stay_apart(store: Store) -> None:
    names = ("sg_event_id_missing", "sg_event_id_null", "two_without_id_first", "two_without_id_second")
    store.load(*(entry["event"] for entry in facts("observed_events.json") if entry["name"] in names))
    rows = store.activity("sg_event_id, email, duplicate_of")
    assert len({id_ for id_, _, _ in rows}) == len(rows) == 4
    assert all(id_.startswith("derived-") and copy is None for id_, _, copy in rows)


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        (("shared_id_processed", "shared_id_delivered"), [("S4areD0000000000000001", None)] * 2),
        (
            ("retry_same_id_first", "retry_same_id_second"),
            [("ZGVsaXZlcmVkLTAtMTIzNDU2NzgtYUIzZEU1Zkc3aEk5aksxbE0zbk81cC0w", None)],
        ),
        (
            ("retry_new_id_first", "retry_new_id_second"),
            [("R3tryAAAAAAAAAAAAAAAA1", None), ("R3tryBBBBBBBBBBBBBBBB2", "R3tryAAAAAAAAAAAAAAAA1")],
        ),
    ],
)
def test_payloads_that_belong_together_do_what_their_notes_say(
    store: Store, names: tuple[str, ...], rows: list[Any]
) -> None:
    store.load(*(entry["event"] for entry in facts("observed_events.json") if entry["name"] in names))
    assert store.activity("sg_event_id, duplicate_of") == rows
    assert store.rejects() == []
