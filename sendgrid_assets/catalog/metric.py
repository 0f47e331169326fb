"""What SendGrid counts: the columns that tables of statistics share.

Belongs here: each count's meaning. Does not: which table has which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .column import Column, sent

if TYPE_CHECKING:
    from collections.abc import Iterable

_MEANINGS = {
    "requests": "Mails SendGrid was asked to send.",
    "processed": "Mails SendGrid took on to deliver.",
    "delivered": "Mails the receiving server accepted.",
    "deferred": "Mails the receiving server put off.",
    "drops": "Mails SendGrid did not try to deliver.",
    "bounces": "Mails that bounced.",
    "bounce_drops": "Mails not tried because the address had bounced before.",
    "blocks": "Mails the receiving server refused for another reason than the address.",
    "invalid_emails": "Mails to an address that is none, or was reported as none.",
    "opens": "How often the mails were opened.",
    "unique_opens": "Recipients that opened.",
    "clicks": "How often links in the mails were clicked.",
    "unique_clicks": "Recipients that clicked.",
    "spam_reports": "Recipients that reported the mail as spam.",
    "spam_report_drops": "Mails not tried because the recipient had reported spam before.",
    "unsubscribes": "Recipients that unsubscribed.",
    "unsubscribe_drops": "Mails not tried because the recipient had unsubscribed before.",
}

OPENS = ("opens", "unique_opens")
CLICKS = ("clicks", "unique_clicks")
ALL = tuple(name for name in _MEANINGS if name != "drops")
"""What statistics of whole mails count."""


def counts(member: str, names: Iterable[str], prefix: str = "") -> tuple[Column, ...]:
    """A column for each count.

    Args:
        member: the member of SendGrid's row that holds them.
        names: which.
        prefix: what the columns' names begin with.
    """
    return tuple(sent(prefix + name, "BIGINT", _MEANINGS[name], path=(member, name)) for name in names)
