"""What changed, and when: `_sendgrid_assets.changes`."""

from __future__ import annotations

import json
from typing import Any

from sendgrid_assets_tests.site import Site


def changes(site: Site, table: str) -> list[tuple[str, dict[str, Any], Any, Any]]:
    """Kind, key, before and after of a table's changes, in order."""
    found = site.query(
        "SELECT kind, key, before, after FROM _sendgrid_assets.changes"
        f" WHERE source = 'sendgrid' AND table_name = '{table}' ORDER BY changed_at, kind"
    )
    return [
        (kind, json.loads(key), before and json.loads(before), after and json.loads(after))
        for kind, key, before, after in found
    ]


def test_the_first_sync_is_where_history_begins(site: Site) -> None:
    site.sync("lists", "suppression_bounces")
    assert site.query("SELECT count(*) FROM _sendgrid_assets.changes") == [(0,)]


def test_when_a_suppression_was_added_lifted_and_added_again(site: Site) -> None:
    site.sync("suppression_groups", "suppression_group_members")
    row = site.account.asm_suppressions.pop(0)
    new = {**row, "email": "new@example.com"}
    site.account.asm_suppressions.append(new)
    site.sync("suppression_group_members")
    key = {"group_id": row["group_id"], "email": row["email"]}
    assert [(kind, found) for kind, found, _, _ in changes(site, "suppression_group_members")] == [
        ("delete", key),
        ("insert", {"group_id": row["group_id"], "email": "new@example.com"}),
    ]
    site.account.asm_suppressions.append(row)
    site.sync("suppression_group_members")
    assert changes(site, "suppression_group_members")[-1][:2] == ("return", key)


def test_an_update_shows_the_changed_columns_before_and_after(site: Site) -> None:
    site.sync("lists")
    first = site.account.lists[0]
    before = {"name": first["name"], "recipient_count": first["recipient_count"]}
    first |= {"name": "Renamed", "recipient_count": 123}
    site.sync("lists")
    site.sync("lists")
    assert changes(site, "lists") == [
        ("update", {"id": str(first["id"])}, before, {"name": "Renamed", "recipient_count": 123})
    ]


def test_noisy_tables_keep_none(site: Site) -> None:
    site.sync("recipients", "stats")
    site.account.advance(3)
    site.sync("recipients", "stats")
    assert site.query("SELECT count(*) FROM _sendgrid_assets.changes") == [(0,)]


def test_list_growth_over_time_can_be_told(site: Site) -> None:
    site.sync("mc_contact_lists")
    list_ = site.account.mc_lists[0]
    joined = next(
        contact["contact_id"]
        for contact in site.account.mc_contacts
        if contact["contact_id"] not in site.account.members[list_["id"]]
    )
    site.account.members[list_["id"]].add(joined)
    list_["contact_count"] += 1
    site.sync("mc_contact_lists")
    grown = site.query(
        "SELECT key ->> 'list_id', count(*) FILTER (kind IN ('insert', 'return')) AS added,"
        " count(*) FILTER (kind = 'delete') AS removed FROM _sendgrid_assets.changes"
        " WHERE table_name = 'mc_contact_lists' GROUP BY ALL"
    )
    assert grown == [(list_["id"], 1, 0)]
