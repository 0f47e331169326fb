"""SendGrid's own OpenAPI documents: the schema of an answer, and the faults of one.

The documents come from twilio/sendgrid-oai. They say OpenAPI 3.1 but write null the 3.0 way, so `nullable` is
rewritten first. The few schemas that are known to be wrong are mended one by one, each with its reason.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

STATS = "/v3/marketing/stats"


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


def _with_segment_ids(schema: dict[str, Any]) -> dict[str, Any]:
    schema["properties"]["segments"]["items"]["properties"]["id"] = {"type": "integer"}
    return schema


def _with_reserved_ids(schema: dict[str, Any]) -> dict[str, Any]:
    schema["properties"]["reserved_fields"]["items"]["properties"]["id"] = {"type": "string"}
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


def _with_all_variations(schema: dict[str, Any]) -> dict[str, Any]:
    row = schema["properties"]["results"]["items"]["properties"]
    row["ab_variation"] = {"anyOf": [row["ab_variation"], {"const": "all"}]}
    return schema


def _with_mailbox_engagement(schema: dict[str, Any]) -> dict[str, Any]:
    entry = schema["items"]["properties"]["stats"]["items"]["properties"]
    engagement = ("opens", "unique_opens", "clicks", "unique_clicks")
    entry["metrics"]["properties"] |= {metric: {"type": "integer"} for metric in engagement}
    return schema


def _with_any_contact(schema: dict[str, Any]) -> dict[str, Any]:
    contact = schema["properties"]["contacts_sample"]["items"]
    texts = ("first_name", "last_name", "city", "postal_code", "created_at", "updated_at")
    contact["properties"] |= {key: {"type": "string"} for key in texts} | {
        "custom_fields": {"type": "object"}
    }
    return schema


def _with_whole_versions(schema: dict[str, Any]) -> dict[str, Any]:
    versions = schema["properties"]["versions"]["items"]["properties"]
    versions |= {"test_data": {"type": "string"}, "warnings": {"type": "array", "items": {"type": "object"}}}
    return schema


MENDED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    # The schema is one segment; the answer is {"results": [segment, ...]}.
    "/v3/marketing/segments/2.0": _as_list_of_segments,
    # Items have no fields here: the recipient is meant that the list endpoints' schema nests one too deep.
    "/v3/contactdb/recipients": _with_recipients,
    # Nests the recipient one too deep; Twilio's own example does not.
    "/v3/contactdb/lists/{list_id}/recipients": _with_recipients,
    # Forgets the segment's id; Twilio's own example has it.
    "/v3/contactdb/segments": _with_segment_ids,
    # Forgets the id of a reserved field; Twilio's own example has it.
    "/v3/marketing/field_definitions": _with_reserved_ids,
    # Every id is a UUID here, while those of dynamic templates begin with d-.
    "/v3/templates": _with_dynamic_ids,
    # Leaves out of a version what the answer to a request for the version alone has.
    "/v3/templates/{template_id}": _with_whole_versions,
    # Every variation is a UUID here, while a send that was not tested has the word `all`.
    f"{STATS}/singlesends": _with_all_variations,
    f"{STATS}/singlesends/{{id}}/links": _with_all_variations,
    # Twilio's own example has opens and clicks as well, twelve metrics in all.
    "/v3/mailbox_providers/stats": _with_mailbox_engagement,
    # Wants every name filled, postal codes as numbers, and no custom fields but two.
    "/v3/marketing/segments/2.0/{segment_id}": _with_any_contact,
}


def schema_of(document: str, path: str, method: str, status: int) -> dict[str, Any]:
    """The schema of an answer, mended, with everything that it refers to in place."""
    whole = _document(document)
    answer = _resolved(whole["paths"][path][method]["responses"][str(status)], whole)
    schema: dict[str, Any] = answer["content"]["application/json"]["schema"]
    if status == 200 and path in MENDED:
        schema = _resolved(MENDED[path](schema), whole)
    return schema


def _resolved(node: Any, whole: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_resolved(item, whole) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        meant = functools.reduce(lambda at, key: at[key], node["$ref"].split("/")[1:], whole)
        return _resolved(meant, whole)
    return {key: _resolved(value, whole) for key, value in node.items()}


def closed(node: Any) -> Any:
    """The schema with no members allowed but those it names."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: closed(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


def faults(schema: dict[str, Any], body: Any) -> list[str]:
    """What is wrong with an answer's body; empty if nothing is."""
    validator = OAS31Validator(schema, format_checker=OAS31Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]
