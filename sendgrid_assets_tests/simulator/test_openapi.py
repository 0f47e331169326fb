"""Every answer, held against SendGrid's own OpenAPI documents.

The documents come from twilio/sendgrid-oai. They say OpenAPI 3.1 but write null the 3.0 way, so `nullable` is
rewritten first. The few schemas that are known to be wrong are mended one by one, each with its reason.
"""

from __future__ import annotations

import copy
import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.suppression import KINDS

from .conftest import Serve

EXPORTS = "/v3/marketing/contacts/exports"
DOCUMENTS = {
    "tsg_scopes_v3": ["/v3/scopes"],
    "tsg_lmc_contactdb_v3": [
        f"/v3/contactdb/{name}"
        for name in ("lists", "segments", "recipients", "recipients/count", "custom_fields")
    ],
    "tsg_lmc_campaigns_v3": ["/v3/campaigns"],
    "tsg_mc_lists_v3": ["/v3/marketing/lists"],
    "tsg_mc_segments_2.0_v3": ["/v3/marketing/segments/2.0"],
    "tsg_mc_singlesends_v3": ["/v3/marketing/singlesends", "/v3/marketing/singlesends/{id}"],
    "tsg_mc_contacts_v3": ["/v3/marketing/contacts/count", EXPORTS, f"{EXPORTS}/{{id}}"],
    "tsg_mc_custom_fields_v3": ["/v3/marketing/field_definitions"],
    "tsg_mc_senders_v3": ["/v3/marketing/senders"],
    "tsg_suppressions_v3": [
        *(f"/v3/suppression/{kind}" for kind in KINDS),
        "/v3/asm/groups",
        "/v3/asm/suppressions",
    ],
    "tsg_templates_v3": ["/v3/templates"],
}
ANSWERS = [(document, path) for document, paths in DOCUMENTS.items() for path in paths]


def _folder() -> Path:
    named = os.environ.get("SENDGRID_OPENAPI_DIR")
    folder = Path(named) if named else Path(__file__).resolve().parents[2].parent / "shared" / "openapi"
    if not folder.is_dir():
        pytest.skip(
            f"SendGrid's OpenAPI documents are not in {folder}: set SENDGRID_OPENAPI_DIR to the folder "
            "that holds twilio/sendgrid-oai's spec/json"
        )
    return folder


@functools.cache
def _document(name: str) -> dict[str, Any]:
    return _with_null(json.loads((_folder() / f"{name}.json").read_text()))


def _with_null(node: Any) -> Any:
    """The node with `nullable: true` written as JSON Schema has it."""
    if isinstance(node, list):
        return [_with_null(item) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {key: _with_null(value) for key, value in node.items()}
    if schema.get("nullable") is not True:
        return schema
    del schema["nullable"]
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema | {"type": [schema["type"], "null"]} if "type" in schema else schema


def _as_list_of_segments(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"results": {"type": "array", "items": schema}},
        "required": ["results"],
    }


def _with_recipients(schema: dict[str, Any]) -> dict[str, Any]:
    recipient = "#/components/schemas/ContactdbRecipient200/properties/recipients/items"
    schema["properties"]["recipients"]["items"] = {"$ref": recipient}
    return schema


def _with_dynamic_ids(schema: dict[str, Any]) -> dict[str, Any]:
    item = {
        "anyOf": [
            schema["properties"]["result"]["items"],
            {"properties": {"generation": {"const": "dynamic"}, "id": {"pattern": "^d-[0-9a-f]{32}$"}}},
        ]
    }
    schema["properties"]["result"]["items"] = item
    return schema


MENDED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    # The schema is one segment; the answer is {"results": [segment, ...]}.
    "/v3/marketing/segments/2.0": _as_list_of_segments,
    # Items have no fields here: the recipient is meant that the list endpoints' schema nests one too deep.
    "/v3/contactdb/recipients": _with_recipients,
    # Every id is a UUID here, while those of dynamic templates begin with d-.
    "/v3/templates": _with_dynamic_ids,
}


def _schema(document: str, path: str, method: str, status: int) -> dict[str, Any]:
    answer = _document(document)["paths"][path][method]["responses"][str(status)]
    while "$ref" in answer:
        answer = functools.reduce(
            lambda node, key: node[key], answer["$ref"].split("/")[1:], _document(document)
        )
    schema = copy.deepcopy(answer["content"]["application/json"]["schema"])
    return MENDED[path](schema) if status == 200 and path in MENDED else schema


def _faults(document: str, schema: dict[str, Any], body: Any) -> list[str]:
    validator = OAS31Validator(
        {"allOf": [schema], "components": _document(document)["components"]},
        format_checker=OAS31Validator.FORMAT_CHECKER,
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]


def _filled(path: str, account: Account) -> str:
    """The path with an id that exists, and whatever its query needs."""
    if path == "/v3/templates":
        return f"{path}?generations=legacy,dynamic&page_size=200"
    ids = account.exports if path.startswith(EXPORTS) else [row["id"] for row in account.mc_single_sends]
    return path.replace("{id}", next(iter(ids)))


@pytest.mark.parametrize(("document", "path"), ANSWERS, ids=[path for _, path in ANSWERS])
def test_get(serve: Serve, document: str, path: str) -> None:
    schema = _schema(document, path, "get", 200)
    account = Account()
    client = serve(account)
    account.export_polls = 1
    client.post(EXPORTS, json={"list_ids": [account.mc_lists[0]["id"]]}).raise_for_status()
    for _ in range(3):
        body = client.get(_filled(path, account)).raise_for_status().json()
        assert _faults(document, schema, body) == []
        account.advance()


def test_post_of_an_export(serve: Serve, account: Account) -> None:
    schema = _schema("tsg_mc_contacts_v3", EXPORTS, "post", 202)
    assert _faults("tsg_mc_contacts_v3", schema, serve(account).post(EXPORTS).json()) == []


@pytest.mark.parametrize(
    ("document", "path", "status"),
    [
        ("tsg_scopes_v3", "/v3/scopes", 401),
        ("tsg_scopes_v3", "/v3/scopes", 403),
        ("tsg_lmc_contactdb_v3", "/v3/contactdb/segments", 401),
        ("tsg_suppressions_v3", "/v3/suppression/bounces", 401),
    ],
)
def test_errors(serve: Serve, account: Account, document: str, path: str, status: int) -> None:
    client = serve(account, refused=["/v3"])
    if status == 401:
        client.headers["Authorization"] = "Bearer other"
    answer = client.get(path)
    assert answer.status_code == status
    assert _faults(document, _schema(document, path, "get", status), answer.json()) == []


@pytest.mark.parametrize(
    ("document", "path", "attribute", "fault"),
    [
        ("tsg_lmc_contactdb_v3", "/v3/contactdb/lists", "lists", {"id": "text"}),
        ("tsg_lmc_contactdb_v3", "/v3/contactdb/recipients", "recipients", {"created_at": "2026-01-31"}),
        ("tsg_mc_segments_2.0_v3", "/v3/marketing/segments/2.0", "mc_segments", {"id": "no UUID"}),
        ("tsg_mc_singlesends_v3", "/v3/marketing/singlesends", "mc_single_sends", {"status": "sent"}),
        ("tsg_suppressions_v3", "/v3/suppression/blocks", "blocks", {"status": None}),
        ("tsg_templates_v3", "/v3/templates", "templates", {"id": "d-1", "generation": "dynamic"}),
    ],
)
def test_wrong_answers_are_noticed(
    serve: Serve, account: Account, document: str, path: str, attribute: str, fault: dict[str, Any]
) -> None:
    schema = _schema(document, path, "get", 200)
    getattr(account, attribute)[0] |= fault
    assert _faults(document, schema, serve(account).get(_filled(path, account)).json()) != []
