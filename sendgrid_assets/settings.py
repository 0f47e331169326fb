"""Every environment variable, read and validated once.

Belongs here: what the environment may say, its defaults, and the sentence for each wrong value. Does not:
acting on any of it. `load_settings` is the one way in.
"""

from __future__ import annotations

import datetime as dt
import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from .catalog.objects import BY_TABLE
from .webhook.signature import PublicKey, read_public_key

RESERVED_SCHEMAS = frozenset(
    {"main", "temp", "system", "information_schema", "pg_catalog", "_sendgrid_assets"}
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class SettingsError(ValueError):
    """A variable has a value that cannot be used. Its text names the variable and the mend."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True)


Port = Annotated[int, Field(ge=1, le=65535)]


class SourceSettings(_Model):
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
    on_behalf_of: str | None = Field(default=None, description="subuser to act for")
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
        description="first day of the stats tables",
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
            "shown": "",
            "mend": "paste the whole verification key from SendGrid's webhook page",
        },
    )
    webhook_unsigned: bool = Field(
        default=False,
        description="accept unsigned events: whoever reaches the port can then write events",
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
        if self.collections in (None, "all"):
            return tuple(BY_TABLE)
        return tuple(table for table in BY_TABLE if table in (self.collections or ()))

    @property
    def named(self) -> frozenset[str]:
        """Tables the user asked for by name: one of these that is refused fails."""
        return frozenset(self.collections) if isinstance(self.collections, tuple) else frozenset()

    @field_validator("schema_")
    @classmethod
    def _schema(cls, value: str) -> str:
        if value and not _NAME.fullmatch(value):
            raise ValueError("is no plain name")
        return value

    @field_validator("api_key", mode="before")
    @classmethod
    def _key(cls, value: str) -> str:
        key = value.strip().strip("'\"")
        if not key.isascii() or any(character.isspace() or not character.isprintable() for character in key):
            raise ValueError("holds a character no API key has")
        return key

    @field_validator("api_url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise ValueError("is no address")
        return value.rstrip("/")

    @field_validator("collections", mode="before")
    @classmethod
    def _collections(cls, value: str) -> tuple[str, ...] | str:
        names = _listed(value)
        if names == ("all",):
            return "all"
        for name in names:
            if name not in BY_TABLE:
                close = difflib.get_close_matches(name, BY_TABLE, n=1)
                hint = f"; did you mean {close[0]}" if close else f"; there are {', '.join(BY_TABLE)}"
                raise ValueError(f"names {name}, which is no object collection{hint}")
        return names

    @field_validator("webhook_public_key", mode="before")
    @classmethod
    def _public_keys(cls, value: str) -> tuple[PublicKey, ...]:
        return tuple(read_public_key(text) for text in _listed(value))


class Settings(_Model):
    """What the environment says; each field is `SENDGRID_<FIELD>`."""

    sources: tuple[SourceSettings, ...] = Field(
        description="source names, comma-separated; one source is one SendGrid account",
        json_schema_extra={"shown": "sendgrid", "mend": "use distinct names such as sendgrid,marketing_eu"},
    )
    data_dir: Path = Field(default=Path("data"), description="everything this project writes")
    warehouse: Path = Field(
        description="the DuckDB file that only the pipeline opens",
        json_schema_extra={"shown": "<data dir>/warehouse.duckdb", "mend": "give the path of a file"},
    )
    published: Path | None = Field(
        description="the file to query, replaced after each run; `off` for none",
        json_schema_extra={"shown": "<data dir>/published.duckdb", "mend": "give the path of a file, or off"},
    )
    landing_dir: Path = Field(
        description="where webhook events land", json_schema_extra={"shown": "<data dir>/landing"}
    )
    sync_cron: str = Field(
        default="0 */3 * * *",
        description="when the object collections are synced",
        json_schema_extra={"mend": "write a cron line of five fields, such as 0 */3 * * *"},
    )
    drain_interval_seconds: int = Field(
        default=30,
        ge=1,
        description="shortest time between two looks at the landing directory",
        json_schema_extra={"mend": "write a whole number of seconds, 1 or more"},
    )
    time_zone: str = Field(
        default="UTC",
        description="where a day begins and ends in the insights",
        json_schema_extra={"mend": "use a name such as Europe/Berlin"},
    )
    done_retention_days: int = Field(
        default=30,
        ge=1,
        description="how long loaded landing files are kept",
        json_schema_extra={"mend": "write a whole number of days, 1 or more"},
    )
    receiver_host: str = Field(default="127.0.0.1", description="address the receiver listens on")
    receiver_port: Port = Field(
        default=8025,
        description="port the receiver listens on",
        json_schema_extra={"mend": "use a free port between 1 and 65535"},
    )
    max_body_bytes: int = Field(
        default=4 * 1024 * 1024,
        ge=1024,
        description="largest webhook body taken; SendGrid posts at most about 768 KB",
        json_schema_extra={"mend": "write a whole number of bytes, 1024 or more"},
    )

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError("is no time zone") from error
        return value

    def source(self, name: str) -> SourceSettings:
        """The source of that name.

        Raises:
            KeyError: there is none.
        """
        for source in self.sources:
            if source.name == name:
                return source
        raise KeyError(name)


def load_settings(environ: dict[str, str] | None = None) -> Settings:
    """Reads the settings.

    Args:
        environ: variables to read instead of the process's own and those of `.env` in the working directory.

    Raises:
        SettingsError: a value cannot be used.
    """
    if environ is None:
        from_file = {name: value for name, value in dotenv_values(".env").items() if value is not None}
        environ = {**from_file, **os.environ}
    names = _source_names(environ)
    data_dir = Path(environ.get("SENDGRID_DATA_DIR") or "data")
    given = _given(environ, "SENDGRID_", Settings)
    given["sources"] = tuple(_source(name, environ) for name in names)
    given["warehouse"] = _warehouse(given.get("warehouse"), data_dir)
    given["published"] = _published(given.get("published"), data_dir)
    given.setdefault("landing_dir", data_dir / "landing")
    settings: Settings = _build(Settings, given, "SENDGRID_")
    _check_schemas(settings)
    return settings


def settings_table() -> str:
    """The settings as Markdown tables, for the README."""
    return (
        _table(Settings, "SENDGRID_")
        + "\nPer source, with the source's name in upper case as prefix (`sendgrid`: `SENDGRID_API_KEY`; "
        "`marketing_eu`: `MARKETING_EU_API_KEY`):\n\n" + _table(SourceSettings, "<S>_")
    )


def _table(model: type[_Model], prefix: str) -> str:
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for variable, field in _variables(model).items():
        extra: Any = field.json_schema_extra or {}
        default = extra.get("shown")
        if default is None:
            default = "" if field.default is None else str(field.default)
            default = default.lower() if isinstance(field.default, bool) else default
        shown = f"`{default}`" if default and " " not in default.replace(" dir>", "") else default
        shown = f"`{default}`" if "*" in str(default) else shown
        lines.append(f"| `{prefix}{variable.upper()}` | {shown} | {field.description} |")
    return "\n".join(lines) + "\n"


def _variables(model: type[_Model]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items() if not field.exclude}


def _given(environ: dict[str, str], prefix: str, model: type[_Model]) -> dict[str, Any]:
    """The variables that are set; an empty one counts as not set."""
    return {
        variable: environ[name]
        for variable in _variables(model)
        if (environ.get(name := f"{prefix}{variable.upper()}") or "").strip()
    }


def _build(model: type[Any], given: dict[str, Any], prefix: str) -> Any:
    try:
        return model(**given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        variable = str(first["loc"][0])
        extra: Any = _variables(model)[variable].json_schema_extra or {}
        raise SettingsError(
            _sentence(prefix + variable.upper(), given.get(variable), first, extra.get("mend"))
        ) from None


def _sentence(name: str, value: object, error: Any, mend: str | None) -> str:
    secret = name.endswith("_KEY")
    shown = "its value" if secret else f"{str(value)!r}"
    cause = error.get("ctx", {}).get("error")
    reason = str(cause) if cause else f"cannot be used ({error['msg'].lower()})"
    return f"{name}: {shown} {reason}: {mend or 'correct or unset it'}."


def _source(name: str, environ: dict[str, str]) -> SourceSettings:
    prefix = f"{name.upper()}_"
    built: SourceSettings = _build(
        SourceSettings, {"name": name, **_given(environ, prefix, SourceSettings)}, prefix
    )
    return built


def _source_names(environ: dict[str, str]) -> tuple[str, ...]:
    names = _listed(environ.get("SENDGRID_SOURCES") or "sendgrid")
    mend = "use distinct lower-case names such as sendgrid,marketing_eu."
    for name in names:
        if not _NAME.fullmatch(name):
            raise SettingsError(f"SENDGRID_SOURCES: {name!r} is no source name: {mend}")
    if len(set(names)) < len(names):
        raise SettingsError(f"SENDGRID_SOURCES: a source is named twice: {mend}")
    if not names:
        raise SettingsError(f"SENDGRID_SOURCES: no source is named: {mend}")
    return names


def _warehouse(value: str | None, data_dir: Path) -> Path:
    if value is None:
        return data_dir / "warehouse.duckdb"
    if re.match(r"(md|ducklake|motherduck):", value):
        raise SettingsError(
            f"SENDGRID_WAREHOUSE: {value.split(':')[0]}: is not supported yet: give a DuckDB file's path."
        )
    return Path(value)


def _published(value: str | None, data_dir: Path) -> Path | None:
    if value is None:
        return data_dir / "published.duckdb"
    return None if value.strip().lower() == "off" else Path(value)


def _check_schemas(settings: Settings) -> None:
    if settings.published and settings.published.absolute() == settings.warehouse.absolute():
        raise SettingsError("SENDGRID_PUBLISHED: it is the warehouse itself: give another file, or off.")
    stems = {settings.warehouse.stem: "SENDGRID_WAREHOUSE"}
    if settings.published:
        stems[settings.published.stem] = "SENDGRID_PUBLISHED"
    taken: dict[str, str] = {}
    for source in settings.sources:
        schema, variable = source.schema_name, f"{source.prefix}SCHEMA"
        if schema in stems:
            raise SettingsError(
                f"{variable}: schema {schema!r} has the name of the file in {stems[schema]}, "
                "and DuckDB could not tell them apart: set another schema name."
            )
        if schema in RESERVED_SCHEMAS:
            raise SettingsError(f"{variable}: schema {schema!r} is taken by DuckDB or us: set another.")
        if schema in taken:
            raise SettingsError(
                f"{variable}: schema {schema!r} is already that of source {taken[schema]}: set another."
            )
        taken[schema] = source.name


def _listed(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _months_ago(months: int) -> dt.date:
    today = dt.datetime.now(dt.UTC).date()
    month = today.year * 12 + today.month - 1 - months
    return dt.date(month // 12, month % 12 + 1, min(today.day, 28))
