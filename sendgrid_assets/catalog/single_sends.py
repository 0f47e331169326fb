"""Single sends: the mails of today's Marketing Campaigns, with what only each one's own answer has."""

from __future__ import annotations

from .collection import DOCS, ObjectCollection
from .column import Column, SqlType, sent
from .marketing_contacts import SCOPES
from .paging import ByToken
from .reading import Details


def _inner(outer: str, member: str, type_: SqlType, description: str) -> Column:
    return sent(f"{outer}_{member}", type_, description, path=(outer, member))


_DETAILS = (
    _inner("email_config", "subject", "VARCHAR", "The mail's subject."),
    _inner("email_config", "html_content", "VARCHAR", "The mail's HTML."),
    _inner("email_config", "plain_content", "VARCHAR", "The mail's plain text."),
    _inner(
        "email_config", "generate_plain_content", "BOOLEAN", "Whether the plain text is made from the HTML."
    ),
    _inner("email_config", "design_id", "VARCHAR", "The design the mail was made from."),
    _inner("email_config", "editor", "VARCHAR", "`code` or `design`."),
    _inner("email_config", "suppression_group_id", "BIGINT", "The unsubscribe group it honours."),
    _inner("email_config", "custom_unsubscribe_url", "VARCHAR", "An unsubscribe page of the sender's own."),
    _inner("email_config", "sender_id", "VARCHAR", "The sender it is sent from, `id` in `mc_senders`."),
    _inner("email_config", "ip_pool", "VARCHAR", "The IP pool it is sent from."),
    _inner("send_to", "list_ids", "VARCHAR[]", "Lists it is sent to."),
    _inner("send_to", "segment_ids", "VARCHAR[]", "Segments it is sent to."),
    _inner("send_to", "all", "BOOLEAN", "Whether it is sent to all contacts."),
    sent("warnings", "JSON", "Array of {message, field, warning_id}: what SendGrid finds amiss with it."),
)

SINGLE_SENDS = ObjectCollection(
    table="mc_single_sends",
    group="marketing",
    row="single send",
    path="/v3/marketing/singlesends",
    paging=ByToken(page_size=100),
    wrapper=("result",),
    key=("id",),
    sent_columns=(
        sent("id", "VARCHAR", "The single send's id, a UUID."),
        sent("name", "VARCHAR", "Its name."),
        sent("status", "VARCHAR", "`draft`, `scheduled` or `triggered`."),
        sent("categories", "VARCHAR[]", "Categories its mails carry."),
        sent("send_at", "TIMESTAMP", "When it is or was to be sent (UTC); NULL for a draft."),
        sent("is_abtest", "BOOLEAN", "Whether it is an A/B test."),
        sent("abtest_type", "VARCHAR", "What the test varies.", path=("abtest", "type")),
        sent(
            "abtest_winner_criteria",
            "VARCHAR",
            "How the winner is chosen.",
            path=("abtest", "winner_criteria"),
        ),
        sent(
            "abtest_test_percentage",
            "BIGINT",
            "Per cent of the recipients in the test.",
            path=("abtest", "test_percentage"),
        ),
        sent(
            "abtest_duration",
            "VARCHAR",
            "How long the test runs, an ISO 8601 duration.",
            path=("abtest", "duration"),
        ),
        sent(
            "abtest_winning_template_id",
            "VARCHAR",
            "The winner's template.",
            path=("abtest", "winning_template_id"),
        ),
        sent(
            "abtest_winner_selected_at",
            "TIMESTAMP",
            "When the winner was chosen (UTC).",
            path=("abtest", "winner_selected_at"),
        ),
        sent(
            "abtest_expiration_date",
            "TIMESTAMP",
            "When the test ends (UTC).",
            path=("abtest", "expiration_date"),
        ),
        sent("created_at", "TIMESTAMP", "When it was created (UTC)."),
        sent("updated_at", "TIMESTAMP", "When it was last changed (UTC)."),
        *_DETAILS,
    ),
    scopes=SCOPES,
    docs=DOCS + "single-sends/get-all-single-sends",
    details=Details(path="/v3/marketing/singlesends/{id}", by="updated_at", columns=_DETAILS),
    note="Its mail and its audience are asked for one by one, when `updated_at` has moved.",
)
