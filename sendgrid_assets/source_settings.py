"""What the environment may say of one source, which is one SendGrid account.

Belongs here: the variables that bear the source's name, and what makes a value usable. Does not: reading the
environment, nor the sentence for a wrong value (`settings`).
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from .catalog.objects import BY_TABLE
from .webhook.signature import PublicKey, read_public_key

NAME = re.compile(r"[a-z][a-z0-9_]*")


class Model(BaseModel):
    """Settings that cannot be changed, and whose errors show no value."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True)


class SourceSettings(Model):
    """What the environment says of one source; each field is `<S>_<FIELD>`."""

    name: str = Field(exclude=True)
    schema_: str = Field(
        default="",
        alias="schema",
        description="schema in the warehouse, when it should differ from the source's name",
        json_schema_extra={
            "shown": "the source's name",
            "mend": "use a lower-case name such as sendgrid_prod",
        },
    )
    api_key: SecretStr | None = Field(
        default=None,
        description="SendGrid API key; read access suffices. Without it the source's sync is skipped",
        json_schema_extra={"mend": "paste the key itself; it begins with SG. and has no blanks"},
    )
    api_url: str = Field(
        default="https://api.sendgrid.com",
        description="`https://api.eu.sendgrid.com` for EU accounts",
        json_schema_extra={"mend": "set it to an address such as https://api.sendgrid.com"},
    )
    on_behalf_of: str | None = Field(
        default=None,
        description="subuser to act for. SendGrid documents this neither for the `mc_` tables (but `mc_senders`) "
        "nor for `verified_senders`, `subusers` and `email_activity`, and may answer with the parent's data: "
        "give these the subuser's own key",
        json_schema_extra={"mend": "give the subuser's name as SendGrid shows it"},
    )
    collections: tuple[str, ...] | Literal["all"] | None = Field(
        default=None,
        description="tables to sync, comma-separated; `all` for all",
        json_schema_extra={
            "shown": "all but the costly ones",
            "mend": "name tables of the object collections",
        },
    )
    start_date: dt.date = Field(
        default_factory=lambda: _months_ago(13),
        description="first day of the tables of statistics by day",
        json_schema_extra={"shown": "13 months ago", "mend": "write a date as YYYY-MM-DD"},
    )
    segment_views: bool = Field(
        default=False,
        description="also create the view names Segment's warehouses have",
        json_schema_extra={"mend": "set it to true or false"},
    )
    webhook_public_key: tuple[PublicKey, ...] = Field(
        default=(),
        description="the webhook's verification key; several, comma-separated, while rotating",
        json_schema_extra={
            "shown": "none",
            "mend": "paste the whole verification key from SendGrid's webhook page",
        },
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        description="secret at the end of the webhook's address, `/webhooks/<source>/<secret>`, for senders that do "
        "not sign. Where a verification key is set as well, both are demanded",
        json_schema_extra={
            "mend": "use 16 or more letters, digits, - or _, such as `openssl rand -hex 24` prints"
        },
    )
    webhook_unsigned: bool = Field(
        default=False,
        description="accept unsigned events: whoever reaches the port, and has the secret if one is set, can then "
        "write events",
        json_schema_extra={"mend": "set it to true or false"},
    )

    @property
    def schema_name(self) -> str:
        """The source's schema in the warehouse."""
        return self.schema_ or self.name

    @property
    def prefix(self) -> str:
        """What the source's variables begin with."""
        return f"{self.name.upper()}_"

    @property
    def selected(self) -> tuple[str, ...]:
        """Tables to sync, in the catalog's order."""
        if self.collections is None:
            return tuple(table for table, collection in BY_TABLE.items() if not collection.costly)
        if self.collections == "all":
            return tuple(BY_TABLE)
        return tuple(table for table in BY_TABLE if table in (self.collections or ()))

    @property
    def named(self) -> frozenset[str]:
        """Tables the user asked for by name: one of these that is refused fails."""
        return frozenset(self.collections) if isinstance(self.collections, tuple) else frozenset()

    @field_validator("schema_")
    @classmethod
    def _schema(cls, value: str) -> str:
        if value and not NAME.fullmatch(value):
            raise ValueError("is no plain name")
        return value

    @field_validator("api_key", mode="before")
    @classmethod
    def _key(cls, value: str) -> str | None:
        key = value.strip().strip("'\"")
        if not _fits_header(key):
            raise ValueError("holds a character no API key has")
        return key or None

    @field_validator("on_behalf_of")
    @classmethod
    def _subuser(cls, value: str) -> str:
        name = value.strip()
        if not _fits_header(name):
            raise ValueError("holds a character no subuser's name has")
        return name

    @field_validator("api_url")
    @classmethod
    def _url(cls, value: str) -> str:
        url = value.strip()
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("is no address") from None
        plain = parts.scheme in ("http", "https") and parts.hostname and port != 0
        if not plain or not _fits_header(url) or parts.query or parts.username or parts.password:
            raise ValueError("is no address")
        return url.rstrip("/")

    @field_validator("collections", mode="before")
    @classmethod
    def _collections(cls, value: str) -> tuple[str, ...] | str:
        names = listed(value)
        if not names:
            raise ValueError("names no table")
        if names == ("all",):
            return "all"
        for name in names:
            if name not in BY_TABLE:
                close = difflib.get_close_matches(name, BY_TABLE, n=1)
                hint = f"; did you mean {close[0]}" if close else f"; there are {', '.join(BY_TABLE)}"
                raise ValueError(f"names {name}, which is no object collection{hint}")
        return names

    @field_validator("start_date", mode="before")
    @classmethod
    def _day(cls, value: str) -> dt.date:
        try:
            return dt.date.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("is no date") from None

    @field_validator("webhook_secret", mode="before")
    @classmethod
    def _path_secret(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]{16,}", secret := value.strip()):
            raise ValueError("is too short, or holds a character that an address would change")
        return secret

    @field_validator("webhook_public_key", mode="before")
    @classmethod
    def _public_keys(cls, value: str) -> tuple[PublicKey, ...]:
        return tuple(read_public_key(text) for text in listed(value))


def listed(value: str) -> tuple[str, ...]:
    """The parts of a comma-separated value."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _fits_header(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _months_ago(months: int) -> dt.date:
    today = dt.datetime.now(dt.UTC).date()
    month = today.year * 12 + today.month - 1 - months
    return dt.date(month // 12, month % 12 + 1, min(today.day, 28))
