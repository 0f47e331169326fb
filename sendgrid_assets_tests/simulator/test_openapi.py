"""Every answer, held against SendGrid's own OpenAPI documents (`openapi`).

It must have what its schema requires, and nothing that its schema does not name.
"""

from __future__ import annotations

from typing import Any

import pytest

from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.instant import DAY, iso
from sendgrid_assets.simulator.suppression import KINDS

from .conftest import Serve
from .openapi import STATS, closed, faults, schema_of

EXPORTS = "/v3/marketing/contacts/exports"
LEGACY_EXPORTS = "/v3/contactdb/exports"
VERSION = "/v3/templates/{template_id}/versions/{version_id}"
DOCUMENTS = {
    "tsg_scopes_v3": ["/v3/scopes"],
    "tsg_lmc_contactdb_v3": [
        f"/v3/contactdb/{name}"
        for name in (
            "lists",
            "lists/{list_id}/recipients",
            "segments",
            "recipients",
            "recipients/count",
            "custom_fields",
            "reserved_fields",
            "exports",
            "exports/{id}",
        )
    ],
    "tsg_lmc_campaigns_v3": ["/v3/campaigns"],
    "tsg_mc_lists_v3": ["/v3/marketing/lists"],
    "tsg_mc_segments_2.0_v3": ["/v3/marketing/segments/2.0", "/v3/marketing/segments/2.0/{segment_id}"],
    "tsg_mc_singlesends_v3": ["/v3/marketing/singlesends", "/v3/marketing/singlesends/{id}"],
    "tsg_mc_contacts_v3": ["/v3/marketing/contacts/count", EXPORTS, f"{EXPORTS}/{{id}}"],
    "tsg_mc_custom_fields_v3": ["/v3/marketing/field_definitions"],
    "tsg_mc_senders_v3": ["/v3/marketing/senders"],
    "tsg_suppressions_v3": [
        *(f"/v3/suppression/{kind}" for kind in KINDS),
        "/v3/asm/groups",
        "/v3/asm/suppressions",
    ],
    "tsg_templates_v3": ["/v3/templates", "/v3/templates/{template_id}", VERSION],
    "tsg_mc_stats_v3": [
        f"{STATS}/singlesends",
        f"{STATS}/singlesends/{{id}}/links",
        f"{STATS}/automations",
    ],
    "tsg_stats_v3": [
        "/v3/categories",
        "/v3/stats",
        *(
            f"/v3/{of}/stats"
            for of in ("categories", "mailbox_providers", "devices", "clients", "browsers", "geo")
        ),
    ],
    "tsg_subusers_v3": ["/v3/subusers", "/v3/subusers/stats"],
    "tsg_verified_senders_v3": ["/v3/verified_senders"],
    "tsg_email_activity_v3": ["/v3/messages"],
    "tsg_user_v3": ["/v3/user/account", "/v3/user/username"],
}
ANSWERS = [(document, path) for document, paths in DOCUMENTS.items() for path in paths]


def _filled(path: str, account: Account) -> str:
    """The path with ids that exist, and whatever its query needs."""
    month = f"start_date={iso(account.now() - 30 * DAY)[:10]}"
    legacy = account.templates[0]
    queries = {
        "/v3/templates": "generations=legacy,dynamic&page_size=200",
        "/v3/categories/stats": f"{month}&categories=shop&categories=password,%20reset",
        "/v3/subusers": "include_region=true",
        "/v3/subusers/stats": f"{month}&subusers=shop&subusers=billing",
        "/v3/messages": f'limit=1000&query=last_event_time>=TIMESTAMP "{iso(0)}"',
    }
    query = queries.get(path, month if path.endswith("/stats") else "")
    ids = {
        EXPORTS: [job.id for job in account.exports.values() if job.path == EXPORTS],
        LEGACY_EXPORTS: [job.id for job in account.exports.values() if job.path == LEGACY_EXPORTS],
        f"{STATS}/singlesends": list(account.mc_single_send_links),
        "/v3/marketing/singlesends": [row["id"] for row in account.mc_single_sends],
    }.get(path.partition("/{id}")[0], ["none"])
    filled = path.format(
        id=ids[0],
        list_id=account.lists[0]["id"],
        segment_id=account.mc_segments[0]["id"],
        template_id=legacy["id"],
        version_id=legacy["versions"][0]["id"],
    )
    return f"{filled}?{query}" if query else filled


@pytest.mark.parametrize(("document", "path"), ANSWERS, ids=[path for _, path in ANSWERS])
def test_get(serve: Serve, document: str, path: str) -> None:
    schema = schema_of(document, path, "get", 200)
    account = Account()
    client = serve(account)
    account.export_polls = 1
    account.upgraded = path.startswith(LEGACY_EXPORTS)
    client.post(EXPORTS, json={"list_ids": [account.mc_lists[0]["id"]]}).raise_for_status()
    if account.upgraded:
        client.post(LEGACY_EXPORTS, json={"list_ids": [account.lists[0]["id"]]}).raise_for_status()
    for _ in range(3):
        body = client.get(_filled(path, account)).raise_for_status().json()
        assert faults(closed(schema), body) == []
        account.advance()


def test_post_of_an_export(serve: Serve, account: Account) -> None:
    schema = schema_of("tsg_mc_contacts_v3", EXPORTS, "post", 202)
    assert faults(closed(schema), serve(account).post(EXPORTS).json()) == []


def test_post_of_a_legacy_export(serve: Serve, account: Account) -> None:
    account.upgraded = True
    schema = schema_of("tsg_lmc_contactdb_v3", LEGACY_EXPORTS, "post", 202)
    assert faults(closed(schema), serve(account).post(LEGACY_EXPORTS).json()) == []


@pytest.mark.parametrize(
    ("document", "path"),
    [("tsg_mc_contacts_v3", f"{EXPORTS}/{{id}}"), ("tsg_lmc_contactdb_v3", f"{LEGACY_EXPORTS}/{{id}}")],
)
def test_get_of_an_export_that_failed(serve: Serve, account: Account, document: str, path: str) -> None:
    account.upgraded, account.export_polls, account.export_failure = True, 0, "failure"
    client, schema = serve(account), schema_of(document, path, "get", 200)
    for exports in (EXPORTS, LEGACY_EXPORTS):
        client.post(exports).raise_for_status()
    body = client.get(_filled(path, account)).json()
    assert body["status"] == "failure"
    assert faults(closed(schema), body) == []


@pytest.mark.parametrize(
    ("document", "path", "status"),
    [
        ("tsg_scopes_v3", "/v3/scopes", 401),
        ("tsg_scopes_v3", "/v3/scopes", 403),
        ("tsg_lmc_contactdb_v3", "/v3/contactdb/segments", 401),
        ("tsg_suppressions_v3", "/v3/suppression/bounces", 401),
        ("tsg_subusers_v3", "/v3/subusers", 401),
        ("tsg_verified_senders_v3", "/v3/verified_senders", 401),
        ("tsg_verified_senders_v3", "/v3/verified_senders", 403),
    ],
)
def test_errors(serve: Serve, account: Account, document: str, path: str, status: int) -> None:
    client = serve(account, refused=["/v3"])
    if status == 401:
        client.headers["Authorization"] = "Bearer other"
    answer = client.get(path)
    assert answer.status_code == status
    assert faults(schema_of(document, path, "get", status), answer.json()) == []


@pytest.mark.parametrize(
    ("document", "path", "attribute", "fault"),
    [
        ("tsg_lmc_contactdb_v3", "/v3/contactdb/lists", "lists", {"id": "text"}),
        ("tsg_lmc_contactdb_v3", "/v3/contactdb/recipients", "recipients", {"created_at": "2026-01-31"}),
        ("tsg_mc_segments_2.0_v3", "/v3/marketing/segments/2.0", "mc_segments", {"id": "no UUID"}),
        ("tsg_mc_singlesends_v3", "/v3/marketing/singlesends", "mc_single_sends", {"status": "sent"}),
        ("tsg_suppressions_v3", "/v3/suppression/blocks", "blocks", {"status": None}),
        ("tsg_templates_v3", "/v3/templates", "templates", {"id": "d-1", "generation": "dynamic"}),
        ("tsg_templates_v3", "/v3/templates/{template_id}", "templates", {"updated_at": "2026-01-31"}),
        ("tsg_mc_stats_v3", f"{STATS}/singlesends", "mc_single_send_stats", {"ab_variation": "winner"}),
        ("tsg_mc_stats_v3", f"{STATS}/automations", "mc_automation_stats", {"stats": {"opens": 1}}),
        ("tsg_stats_v3", "/v3/categories", "categories", {"category": 1}),
        ("tsg_subusers_v3", "/v3/subusers", "subusers", {"region": "mars"}),
        ("tsg_verified_senders_v3", "/v3/verified_senders", "verified_senders", {"address_2": ""}),
        ("tsg_email_activity_v3", "/v3/messages", "messages", {"status": "opened"}),
    ],
)
def test_wrong_answers_are_noticed(
    serve: Serve, account: Account, document: str, path: str, attribute: str, fault: dict[str, Any]
) -> None:
    schema = schema_of(document, path, "get", 200)
    getattr(account, attribute)[0] |= fault
    assert faults(closed(schema), serve(account).get(_filled(path, account)).json()) != []


@pytest.mark.parametrize("metric", ["open", "clicks"])
def test_a_metric_of_another_statistic_is_noticed(serve: Serve, account: Account, metric: str) -> None:
    schema = schema_of("tsg_stats_v3", "/v3/devices/stats", "get", 200)
    account.day_overrides["device", "Phone", iso(account.now())[:10]] = {metric: 1}
    assert faults(closed(schema), serve(account).get(_filled("/v3/devices/stats", account)).json()) != []


@pytest.mark.parametrize("status", [400, 429])
def test_errors_of_email_activity(serve: Serve, account: Account, status: int) -> None:
    schema = schema_of("tsg_email_activity_v3", "/v3/messages", "get", status)
    answer = serve(account, limits={"/v3/messages": (int(status == 400), 60)}).get("/v3/messages")
    assert answer.status_code == status
    assert faults(schema, answer.json()) == []
