"""Segments of the newer product.

Belongs here: what `/v3/marketing/segments/2.0` sends. Does not: the rows of the listing (`marketing`).
Source: https://www.twilio.com/docs/sendgrid/api-reference/segmenting-contacts-v2/get-segment-by-id
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from .paging import held, wrapped
from .refusal import not_found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from .account import Account, Row
    from .paging import Handler

_SELECT = "SELECT c.contact_id, c.updated_at FROM contact_data AS c WHERE"
_CONDITIONS = ("c.plan = 'gold'", "c.country = 'Norland'")
_SAMPLE = 50
_TEXTS = (
    "first_name", "last_name", "address_line_1", "address_line_2", "city", "state_province_region",
    "postal_code", "country",
)  # fmt: skip


def fill(account: Account) -> None:
    """Says how the segments of a fresh account choose their contacts."""
    for row, condition in zip(account.mc_segments, _CONDITIONS, strict=True):
        account.mc_segment_queries[row["id"]] = f"{_SELECT} {condition}"


def _details(account: Account, request: Request) -> Response:
    """One segment with its query and, unless `contacts_sample` is false, up to fifty of its contacts."""
    for row in account.mc_segments:
        if row["id"] == request.path_params["id"]:
            break
    else:
        raise not_found()
    details = row | {
        "query_dsl": account.mc_segment_queries.get(row["id"], ""),
        "refreshes_used": 0,
        "max_refreshes": 2,
        "last_refreshed_at": row["sample_updated_at"],
    }
    if request.query_params.get("contacts_sample", "true") != "false":
        members = account.members.get(row["id"], ())
        contacts = (contact for contact in account.mc_contacts if contact["contact_id"] in members)
        details["contacts_sample"] = [_sampled(contact) for contact in islice(contacts, _SAMPLE)]
    return JSONResponse(details)


def _sampled(contact: Row) -> Row:
    """A contact as samples show it: the id under another name, empty texts in place."""
    known = {key: value for key, value in contact.items() if key != "contact_id"}
    return {"id": contact["contact_id"], **dict.fromkeys(_TEXTS, ""), "alternate_emails": [], **known}


ENDPOINTS: Mapping[str, Handler] = {
    "/v3/marketing/segments/2.0": wrapped(held("mc_segments"), "results"),
    "/v3/marketing/segments/2.0/{id}": _details,
}
