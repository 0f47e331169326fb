"""Transactional templates and their versions.

Belongs here: rows in the shape that `/v3/templates` sends, and how they are handed out. Does not: mail that is
made from them (`traffic`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/transactional-templates/retrieve-paged-templates
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from .instant import DAY, zoneless
from .paging import by_token, wrapped
from .refusal import not_found

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from .account import Account, Row
    from .paging import Handler

_DETAILS = ("html_content", "plain_content", "thumbnail_url", "test_data", "warnings")
"""What a listing leaves out of a version."""


def fill(account: Account) -> None:
    """Puts the templates of a fresh account in place: one without versions, one with a draft of a second."""
    account.templates.extend(_template(account, number) for number in range(4))
    dice, template = account.dice("templates"), account.templates[1]
    draft = _version(account.uuid(dice), template, 2, zoneless(account.now() - DAY))
    template["versions"].append(draft | {"active": 0, "generate_plain_content": False})
    template["versions"][1]["warnings"] = [
        {"message": "Template Syntax Error: {{total}} is not in test_data"}
    ]


def _template(account: Account, number: int) -> Row:
    id_ = f"d-{account.random.getrandbits(128):032x}" if number % 2 else account.uuid()
    updated = zoneless(account.earlier())
    template: Row = {
        "id": id_,
        "name": f"Template {number}",
        "generation": "dynamic" if number % 2 else "legacy",
        "updated_at": updated,
        "versions": [],
    }
    version = _version(account.uuid(), template, 1, updated)
    template["versions"] += [version] if number < 3 else []
    return template


def _version(id_: str, template: Row, number: int, updated: str) -> Row:
    dynamic = template["generation"] == "dynamic"
    return {
        "id": id_,
        "template_id": template["id"],
        "active": 1,
        "name": f"{template['name']} v{number}",
        "subject": "Your order {{order_id}}",
        "updated_at": updated,
        "generate_plain_content": True,
        "editor": "code",
        "html_content": f"<html><body><p>Bestellung {{{{order_id}}}}: schöne Grüße, v{number}</p></body></html>",
        "plain_content": f"Bestellung {{{{order_id}}}}: schöne Grüße, v{number}",
        "thumbnail_url": f"//thumbnails.example.com/{id_}.png",
        "test_data": '{"order_id": "A-12345"}' if dynamic else "",
        "warnings": [],
    }


def _listed(row: Row) -> Row:
    versions = [
        {key: version[key] for key in version if key not in _DETAILS} for version in row.get("versions", ())
    ]
    return row | {"versions": versions}


def _listing(account: Account, request: Request) -> Response:
    """Legacy ones unless `generations` says more; without `page_size` all, under another key."""
    generations = request.query_params.get("generations", "legacy").split(",")

    def rows(account: Account, _request: Request) -> Sequence[Row]:
        return [_listed(row) for row in account.templates if row["generation"] in generations]

    sized = "page_size" in request.query_params
    handler = by_token(rows, default=200, most=200) if sized else wrapped(rows, "templates")
    return handler(account, request)


def _one(account: Account, request: Request) -> Row:
    for row in account.templates:
        if row["id"] == request.path_params["id"]:
            return row
    raise not_found()


def _details(account: Account, request: Request) -> Response:
    return JSONResponse(_one(account, request))


def _version_details(account: Account, request: Request) -> Response:
    for version in _one(account, request)["versions"]:
        if version["id"] == request.path_params["version_id"]:
            return JSONResponse(version)
    raise not_found()


ENDPOINTS: Mapping[str, Handler] = {
    "/v3/templates": _listing,
    "/v3/templates/{id}": _details,
    "/v3/templates/{id}/versions/{version_id}": _version_details,
}
