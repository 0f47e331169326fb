"""The suppression collections: addresses SendGrid will not send to, and the unsubscribe groups."""

from __future__ import annotations

from .collection import DOCS, ObjectCollection
from .column import Column, sent
from .paging import ByOffset, Whole
from .reading import Since

_CREATED = sent("created", "TIMESTAMP", "When the address was suppressed (UTC).")
_EMAIL = sent("email", "VARCHAR", "The address as sent to, whether or not it is one.", personal=True)
_REASON = sent("reason", "VARCHAR", "What the receiving server said.", personal=True)
_STATUS = sent("status", "VARCHAR", "Enhanced SMTP status code; may be empty.")


def _suppression(name: str, row: str, page: str, *columns: Column) -> ObjectCollection:
    return ObjectCollection(
        table=f"suppression_{name}",
        group="suppressions",
        row=row,
        path=f"/v3/suppression/{name}",
        paging=ByOffset(limit=500, frozen_by="end_time"),
        wrapper=(),
        key=("email",),
        sent_columns=columns,
        scopes=("suppression.read", f"suppression.{name}.read"),
        docs=DOCS + page,
        newest_by="created",
        since=Since(parameter="start_time", column="created"),
    )


SUPPRESSIONS = (
    _suppression(
        "bounces",
        "address on the bounce list",
        "bounces-api/retrieve-all-bounces",
        _EMAIL,
        _CREATED,
        _REASON,
        _STATUS,
    ),
    _suppression(
        "blocks",
        "address whose last mail was blocked",
        "blocks-api/retrieve-all-blocks",
        _EMAIL,
        _CREATED,
        _REASON,
        _STATUS,
    ),
    _suppression(
        "invalid_emails",
        "address found invalid",
        "invalid-e-mails-api/retrieve-all-invalid-emails",
        _EMAIL,
        _CREATED,
        _REASON,
    ),
    _suppression(
        "spam_reports",
        "address that reported a mail as spam",
        "spam-reports-api/retrieve-all-spam-reports",
        _EMAIL,
        _CREATED,
        sent("ip", "VARCHAR", "Address of the server the reported mail was sent from."),
    ),
    _suppression(
        "unsubscribes",
        "address that unsubscribed from everything",
        "suppressions-global-suppressions/retrieve-all-global-suppressions",
        _EMAIL,
        _CREATED,
    ),
    ObjectCollection(
        table="suppression_groups",
        group="suppressions",
        row="unsubscribe group",
        path="/v3/asm/groups",
        paging=Whole(),
        wrapper=(),
        key=("id",),
        sent_columns=(
            sent("id", "BIGINT", "The group's id, `asm_group_id` in events."),
            sent("name", "VARCHAR", "The group's name."),
            sent("description", "VARCHAR", "What recipients are told the group is."),
            sent("is_default", "BOOLEAN", "Whether it is the default group."),
            sent("unsubscribes", "BIGINT", "How many addresses unsubscribed from it."),
        ),
        scopes=("asm.groups.read",),
        docs=DOCS
        + "suppressions-unsubscribe-groups/retrieve-all-suppression-groups-associated-with-the-user",
    ),
    ObjectCollection(
        table="suppression_group_members",
        group="suppressions",
        row="unsubscribe group and address that left it",
        path="/v3/asm/suppressions",
        paging=ByOffset(limit=500),
        wrapper=(),
        key=("group_id", "email"),
        sent_columns=(
            sent("group_id", "BIGINT", "The group, `id` in `suppression_groups`."),
            _EMAIL,
            sent("group_name", "VARCHAR", "The group's name."),
            sent("created_at", "TIMESTAMP", "When the address left the group (UTC)."),
        ),
        scopes=("asm.groups.suppressions.read", "asm.groups.read"),
        docs=DOCS + "suppressions-suppressions/retrieve-all-suppressions",
        newest_by="created_at",
    ),
)
