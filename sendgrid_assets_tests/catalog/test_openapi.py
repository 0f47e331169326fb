"""The object collections, held against SendGrid's own OpenAPI documents (twilio/sendgrid-oai).

Whatever they say a row has is a column or is left out on purpose, so that nothing documented ends in `extra`;
whatever a column reads is documented, or is listed here with its reason.
"""

import functools
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sendgrid_assets.catalog.collection import ObjectCollection
from sendgrid_assets.catalog.objects import BY_TABLE, OBJECT_COLLECTIONS
from sendgrid_assets.catalog.paging import (
    ByActivity,
    ByDay,
    ByExport,
    ByLastSeen,
    ByNumber,
    ByOffset,
    ByToken,
)

Schema = dict[str, Any]
Members = set[tuple[str, ...]]


def those(are: Callable[[ObjectCollection], object]) -> pytest.MarkDecorator:
    """A test of each collection that is so."""
    found = [collection for collection in OBJECT_COLLECTIONS if are(collection)]
    return pytest.mark.parametrize("collection", found, ids=lambda collection: collection.table)


ROWS_ELSEWHERE = {
    # Files have no schema: the contact is meant that the listing of fifty shows.
    "mc_contacts": ("/v3/marketing/contacts", "result"),
    # Items have no fields there: the recipient is meant that a list's has.
    "recipients": ("/v3/contactdb/lists/{list_id}/recipients", "recipients"),
}
OTHERWISE_NAMED = {
    # Files name it `contact_id`.
    "mc_contacts": {("id",)},
}
SEEN_ELSEWHERE: dict[str, Members] = {
    # In the document's examples.
    "segments": {("id",)},
    "mailbox_provider_stats": {
        ("metrics", f"{kind}{what}") for kind in ("", "unique_") for what in ("clicks", "opens")
    },
    # Instead of the BOOLEAN that is documented.
    "mc_senders": {("verified", "status"), ("verified", "reason")},
    # In files.
    "mc_contacts": {("contact_id",)},
    # The document of a single version has the last two.
    "template_versions": {("user_id",), ("test_data",), ("warnings",)},
}
UNDOCUMENTED_PARAMETERS = {
    # They work: large accounts are paged so.
    "suppression_group_members": {"limit", "offset"},
}


def _folder() -> Path:
    named = os.environ.get("SENDGRID_OPENAPI_DIR")
    folder = Path(named) if named else Path(__file__).resolve().parents[2].parent / "shared" / "openapi"
    if not folder.is_dir():
        pytest.skip(
            f"SendGrid's OpenAPI documents are not in {folder}: set SENDGRID_OPENAPI_DIR to the folder "
            "that holds twilio/sendgrid-oai's spec/json"
        )
    return folder


def _template(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


@functools.cache
def _documents() -> dict[str, tuple[Schema, Schema]]:
    """By path, its document and what the document says of it."""
    found: dict[str, tuple[Schema, Schema]] = {}
    for file in sorted(_folder().glob("*.json")):
        document = json.loads(file.read_text(encoding="utf-8"))
        found |= {_template(path): (document, item) for path, item in document["paths"].items()}
    return found


def _resolved(document: Schema, node: Schema) -> Schema:
    while "$ref" in node:
        node = functools.reduce(lambda at, key: at[key], node["$ref"].split("/")[1:], document)
    return node


def _properties(document: Schema, schema: Schema) -> dict[str, Schema]:
    return {
        name: _resolved(document, property_)
        for name, property_ in _resolved(document, schema).get("properties", {}).items()
    }


def _items(document: Schema, schema: Schema) -> Schema:
    return _resolved(document, _resolved(document, schema)["items"])


def _answer(path: str) -> tuple[Schema, Schema]:
    document, item = _documents()[_template(path)]
    answer = _resolved(document, item["get"]["responses"]["200"])
    return document, _resolved(document, answer["content"]["application/json"]["schema"])


def _rows(collection: ObjectCollection) -> Iterator[tuple[Schema, Schema]]:
    """Every schema that a row of it may have, each with its document."""
    own = (collection.path, *collection.wrapper, *collection.also_in)
    path, *wrappers = ROWS_ELSEWHERE.get(collection.table, own)
    document, body = _answer(path)
    if body.get("type") == "array":
        rows = [_items(document, body)]
    else:
        held = _properties(document, body)
        assert set(collection.also_in) <= set(held)
        # Where none is there, the document shows a bare row (segments 2.0).
        rows = [_items(document, held[name]) for name in wrappers if name in held] or [body]
    for row in rows:
        members = _properties(document, row)
        if collection.nested:
            yield document, _items(document, members[collection.nested])
        elif set(members) == {"recipients"}:
            # The list's recipients are nested one too deep.
            yield document, _items(document, members["recipients"])
        elif isinstance(collection.paging, ByDay):
            yield document, {"properties": {"date": members["date"]}}
            yield document, _items(document, members["stats"])
        else:
            yield document, row
    if collection.details:
        document, detailed = _answer(collection.details.path)
        nested = collection.nested and _items(document, _properties(document, detailed)[collection.nested])
        yield document, nested or detailed


def documented(collection: ObjectCollection) -> Members:
    """Paths to whatever the documents say a row has; an object's members where columns are read from them."""
    flattened = {column.path[0] for column in collection.sent_columns if len(column.path) > 1}
    found: Members = set()
    for document, row in _rows(collection):
        for name, property_ in _properties(document, row).items():
            inner = _properties(document, property_) if name in flattened else {}
            found |= {(name, member) for member in inner} or {(name,)}
    return found - OTHERWISE_NAMED.get(collection.table, set())


def unheld(collection: ObjectCollection) -> Members:
    """What is documented and would end in `extra`."""
    held = {column.path for column in collection.sent_columns} | {(name,) for name in collection.ignored}
    return documented(collection) - held


@those(lambda c: not (c.each and c.each.members))
def test_nothing_documented_ends_in_extra(collection: ObjectCollection) -> None:
    assert documented(collection)
    assert unheld(collection) == set()


@those(lambda c: not (c.each and isinstance(c.paging, ByExport)))
def test_what_a_column_reads_is_documented(collection: ObjectCollection) -> None:
    given = {(collection.each.into,)} if collection.each else set()
    undocumented = {column.path for column in collection.sent_columns} - documented(collection) - given
    assert undocumented == SEEN_ELSEWHERE.get(collection.table, set())


def _asked(collection: ObjectCollection) -> tuple[set[str], int]:
    """The query parameters it is asked for with, and how many rows a page of it has."""
    asked, most = set(collection.params), 0
    match collection.paging:
        case ByOffset(limit=most, frozen_by=frozen_by):
            asked |= {"limit", "offset", *filter(None, [frozen_by])}
        case ByToken(page_size=most):
            asked |= {"page_size", "page_token"}
        case ByLastSeen(limit=most):
            asked |= {"limit", "lastSeenID"}
        case ByDay(names=names):
            asked |= {"start_date", "end_date"} | ({names.parameter} if names else set())
        case ByActivity(limit=most):
            asked |= {"query", "limit"}
    return asked | ({collection.since.parameter} if collection.since else set()), most


@those(lambda c: True)
def test_it_is_asked_for_as_documented(collection: ObjectCollection) -> None:
    document, item = _documents()[_template(collection.path)]
    parameters = {
        parameter["name"]: parameter
        for parameter in (_resolved(document, each) for each in item["get"].get("parameters", []))
        if parameter["in"] == "query"
    }
    asked, most = _asked(collection)
    assert asked - set(parameters) == UNDOCUMENTED_PARAMETERS.get(collection.table, set())
    for name in {"limit", "page_size"} & asked & set(parameters):
        assert most <= parameters[name]["schema"].get("maximum", most)


def _export(collection: ObjectCollection) -> ByExport | None:
    style = collection.paging.upgraded if isinstance(collection.paging, ByNumber) else collection.paging
    return style if isinstance(style, ByExport) else None


@those(_export)
def test_its_export_is_asked_for_as_documented(collection: ObjectCollection) -> None:
    style = _export(collection)
    assert style is not None
    path = style.path or collection.path
    document, item = _documents()[path]
    body = _resolved(document, item["post"]["requestBody"])["content"]["application/json"]["schema"]
    if style.narrowed_by is not None:
        ids = _items(document, _properties(document, body)[style.narrowed_by])
        assert style.numeric is (ids["type"] == "integer")
    document, job = _answer(path + "/{id}")
    assert style.count_field in _properties(document, job)


def test_details_of_a_single_send_are_what_its_listing_lacks() -> None:
    collection = BY_TABLE["mc_single_sends"]
    assert collection.details is not None
    lacking = documented(collection) - documented(replace(collection, details=None))
    assert {column.path for column in collection.details.columns} == lacking


@pytest.mark.parametrize(
    "table", ["lists", "mc_single_sends", "template_versions", "stats", "mc_single_send_stats"]
)
def test_a_lost_column_is_noticed(table: str) -> None:
    collection = BY_TABLE[table]
    for at, lost in enumerate(collection.sent_columns):
        rest = collection.sent_columns[:at] + collection.sent_columns[at + 1 :]
        if lost.path not in SEEN_ELSEWHERE.get(table, set()):
            assert unheld(replace(collection, sent_columns=rest)) == {lost.path}
