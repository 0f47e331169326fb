"""An event's fields go to its type's columns; the rest are custom arguments; what is no event is rejected."""

from __future__ import annotations

import json
from typing import Any

from .conftest import T0, TABLES, Row, Store, at, event, now


def landed(store: Store, *events: Any) -> dict[str, Row]:
    store.load(*events)
    return {row["sg_event_id"]: row for row in store.rows("sendgrid.activity")}


MESSAGE_IDS = [
    ("abc.recvd-7c9f-1-66A0-4.0", "abc"),
    ("abc.filterdrecv-6d5c-1-60A0-1F.0", "abc"),
    (" abc.recvd-7c9f.0 ", "abc"),
    ("14c5d75ce93.dfd.64b469.filter0001.16648.0", "14c5d75ce93.dfd.64b469"),
    ("14c5d75ce93.dfd.64b469.recvd-1.0", "14c5d75ce93.dfd.64b469"),
    ("abc.stfilter-015.5185.0", "abc"),
    ("abc", "abc"),
    ("a-b_c.x", "a-b_c"),
    ("filter0199p1las1.4745.5717FB6F5.0", None),
    (" filterdrecv-1.2", None),
    ("recvd-7c9f.0", None),
    (".filter0001.1", None),
    ("", None),
    ("  ", None),
    (None, None),
]


def test_the_message_id_is_what_all_events_of_a_message_share(store: Store) -> None:
    rows = landed(store, *(event(str(n), sg_message_id=sent) for n, (sent, _) in enumerate(MESSAGE_IDS)))
    found = [(rows[str(n)]["sg_message_id"], rows[str(n)]["message_id"]) for n in range(len(MESSAGE_IDS))]
    assert found == MESSAGE_IDS


def test_a_field_of_another_event_type_is_a_custom_argument(store: Store) -> None:
    fields = {"type": "blocked", "useragent": "M", "url": "u", "tls": 1, "attempt": "3", "reason": "r"}
    rows = landed(store, *(event(kind, kind, **fields) for kind in ("bounce", "click", "processed")))
    assert rows["bounce"]["custom_args"] == {"useragent": "M", "url": "u", "attempt": "3"}
    assert rows["click"]["custom_args"] == {"type": "blocked", "tls": 1, "attempt": "3", "reason": "r"}
    assert rows["processed"]["custom_args"] == fields
    assert (rows["bounce"]["type"], rows["click"]["type"]) == ("blocked", None)


UNFIT = [
    ("asm_group_id", "none", "asm_group_id"),
    ("send_at", "tomorrow", "send_at"),
    ("send_at", -1, "send_at"),
    ("sg_machine_open", "maybe", "sg_machine_open"),
    ("sg_user_id", 2**63, "sg_user_id"),
    ("newsletter", "text", "newsletter_newsletter_id"),
    ("newsletter", [1], "newsletter_newsletter_id"),
]


def test_a_value_that_does_not_fit_is_a_custom_argument(store: Store) -> None:
    rows = landed(
        store, *(event(str(n), **{field: value, "mine": n}) for n, (field, value, _) in enumerate(UNFIT))
    )
    for number, (field, value, column) in enumerate(UNFIT):
        row = rows[str(number)]
        assert (row[column], row["custom_args"]) == (None, {field: value, "mine": number})


def test_a_member_that_does_not_fit_stays_in_its_object(store: Store) -> None:
    row = landed(store, event("e", "processed", pool={"name": "a", "id": "x", "new": None}))["e"]
    assert (row["pool_name"], row["pool_id"]) == ("a", None)
    assert row["custom_args"] == {"pool": {"id": "x", "new": None}}


UNIQUE_ARGS: list[tuple[Row, Any]] = [
    ({"unique_args": {"a": "1", "b": None}}, {"a": "1", "b": None}),
    ({"unique_args": {"a": 12345678901234567890123}, "c": 2}, {"a": 12345678901234567890123, "c": 2}),
    ({"unique_args": {"email": "x", "event": "y"}}, {"email": "x", "event": "y"}),
    ({"unique_args": {}, "c": 1}, {"c": 1}),
    ({"unique_args": {}}, None),
    ({"unique_args": {"c": 1}, "c": 2}, {"unique_args": {"c": 1}, "c": 2}),
    ({"unique_args": "text"}, {"unique_args": "text"}),
    ({"unique_args": None}, {"unique_args": None}),
    (
        {"c": '"unique_args":{', "d": {"unique_args": {"e": 1}}},
        {"c": '"unique_args":{', "d": {"unique_args": {"e": 1}}},
    ),
]


def test_the_documented_unique_args_object_is_unpacked(store: Store) -> None:
    rows = landed(store, *(event(str(n), **fields) for n, (fields, _) in enumerate(UNIQUE_ARGS)))
    assert [rows[str(n)]["custom_args"] for n in range(len(UNIQUE_ARGS))] == [args for _, args in UNIQUE_ARGS]


def test_every_type_has_its_table_and_all_are_in_activity(store: Store) -> None:
    words = ["spamreport" if table == "spam_report" else table for table in TABLES if table != "other_event"]
    done = store.load(*(event(word, word) for word in words), event("new", " Read_Confirmed "))
    assert done.rows == dict.fromkeys(TABLES, 1)
    assert [row["event"] for row in store.rows("sendgrid.other_event")] == ["read_confirmed"]
    assert len(store.activity()) == len(TABLES)


def test_a_row_says_where_and_when_it_came_from(store: Store) -> None:
    name = "1719000123456-host-1-ab.ndjson"
    before = now()
    store.load(event("e"), name=name)
    (row,) = store.rows("sendgrid.open")
    assert row["source_file"] == name
    assert row["received_at"] == at(2024, 6, 21, 20, 2, 3, 456000)
    assert before <= row["loaded_at"] <= now()


REJECTED = [
    ({"email": "a"}, "no_event"),
    ({"event": None, "timestamp": T0}, "no_event"),
    ({"event": " ", "timestamp": T0}, "no_event"),
    ({"event": "open"}, "no_timestamp"),
    ({"event": "open", "timestamp": None}, "no_timestamp"),
    ({"event": "open", "timestamp": 0}, "bad_timestamp"),
    ({"event": "open", "timestamp": ""}, "bad_timestamp"),
    ({"event": "open", "timestamp": "soon"}, "bad_timestamp"),
    ({"event": "open", "timestamp": -T0}, "bad_timestamp"),
    ({"event": "open", "timestamp": "infinity"}, "bad_timestamp"),
    ({"event": "open", "timestamp": 1e300}, "bad_timestamp"),
    ("not json", "not_json"),
    ('{"event": "open", "timestamp": 1', "not_json"),
    ([{"event": "open", "timestamp": T0}], "not_an_object"),
    ("17", "not_an_object"),
    ("[" * 300 + "]" * 300, "too_deep"),
    (b'"\x00\x01', "not_json"),
]


def test_what_is_no_event_is_rejected_alone_with_its_reason(store: Store) -> None:
    lines = [line for rejected, _ in REJECTED for line in (rejected, event(f"e{len(str(rejected))}"))]
    done = store.load(*lines, name="mixed.ndjson")
    assert done.rejected == len(REJECTED)
    found = store.query(
        "SELECT source, file, line, reason FROM _sendgrid_assets.rejected_events ORDER BY line"
    )
    assert found == [
        ("sendgrid", "mixed.ndjson", 2 * number + 1, reason) for number, (_, reason) in enumerate(REJECTED)
    ]
    assert [file[1:] for file in store.ledger()] == [(len(REJECTED), len(REJECTED))]


def test_a_reject_keeps_what_came(store: Store) -> None:
    event_without_time = {"event": "open", "größe": None, "n": 12345678901234567890123}
    store.load(event_without_time, b"\xff\x00 torn")
    (no_time, raw), torn = store.rejects()
    assert (no_time, json.loads(raw)) == ("no_timestamp", event_without_time)
    assert torn == ("not_json", "\\xff\x00 torn")


def test_bytes_that_are_near_json_still_load(store: Store) -> None:
    raw = json.dumps(event("e"))[:-1].encode()
    row = landed(store, b"\xef\xbb\xbf" + raw + b', "a": "\x01", "b": "\\ud800", "c": "\xff"}\r')["e"]
    assert row["custom_args"] == {"a": "\x01", "b": "\ufffd", "c": "\ufffd"}
