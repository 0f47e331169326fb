"""Every environment variable, read and validated once.

Belongs here: what the environment may say, its defaults, and the sentence for each wrong value. Does not:
acting on any of it. `load_settings` is the one way in.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from dotenv import dotenv_values
from pydantic import Field, ValidationError, field_validator

from .source_settings import NAME, Model, SourceSettings, listed

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

__all__ = ["Settings", "SettingsError", "SourceSettings", "load_settings", "variables"]

RESERVED_SCHEMAS = frozenset(
    {"main", "temp", "system", "information_schema", "pg_catalog", "_sendgrid_assets"}
)
_SECRET = re.compile(r"SG\.[\w.-]+|(?<=://)[^/@]*(?=@)")


class SettingsError(ValueError):
    """A variable has a value that cannot be used. Its text names the variable and the mend."""


Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(Model):
    """What the environment says; each field is `SENDGRID_<FIELD>`."""

    sources: tuple[SourceSettings, ...] = Field(
        description="source names, comma-separated; one source is one SendGrid account",
        json_schema_extra={"shown": "`sendgrid`", "mend": "use distinct names such as sendgrid,marketing_eu"},
    )
    data_dir: Path = Field(default=Path("data"), description="everything this project writes")
    warehouse: Path = Field(
        description="the DuckDB file that only the pipeline opens",
        json_schema_extra={"shown": "`<data dir>/warehouse.duckdb`", "mend": "give the path of a file"},
    )
    published: Path | None = Field(
        description="the file to query, replaced after each run; `off` for none",
        json_schema_extra={
            "shown": "`<data dir>/published.duckdb`",
            "mend": "give the path of a file, or off",
        },
    )
    landing_dir: Path = Field(
        description="where webhook events land", json_schema_extra={"shown": "`<data dir>/landing`"}
    )
    sync_cron: str = Field(
        default="0 */3 * * *",
        description="when the object collections are synced",
        json_schema_extra={"mend": "write a cron line of five fields, such as 0 */3 * * *"},
    )
    drain_interval_seconds: int = Field(
        default=30,
        ge=1,
        description="shortest time between two drains; files that come after a pause wait ten seconds at most",
        json_schema_extra={"mend": "write a whole number of seconds, 1 or more"},
    )
    drain_history_hours: int = Field(
        default=24,
        ge=1,
        description="how long Dagster's history keeps runs that the landing sensor asked for and that succeeded; "
        "the newest hundred stay",
        json_schema_extra={"mend": "write a whole number of hours, 1 or more"},
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
    done_retention_bytes: int | None = Field(
        default=None,
        ge=1,
        description="how much disk loaded landing files may take: past it the oldest days go first, but never what "
        "is not published yet; unset, no limit",
        json_schema_extra={"shown": "none", "mend": "write a whole number of bytes, 1 or more"},
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
    max_backlog_bytes: int = Field(
        default=8 * 1024 * 1024 * 1024,
        ge=1024 * 1024,
        description="bytes of a source's events that may wait to be loaded, some ten million of them; past that the "
        "receiver answers 503 until the drain has caught up, and SendGrid keeps the rest for a day",
        json_schema_extra={"mend": "write a whole number of bytes, 1048576 or more"},
    )

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError("is no time zone") from error
        # Files beside the zones, such as `localtime`, which DuckDB does not know.
        if value not in available_timezones() - {"localtime"}:
            raise ValueError("is no time zone")
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
        environ: variables to read instead of the process's own and, above these, those of `.env` in the working
            directory.

    Raises:
        SettingsError: a value cannot be used.
    """
    if environ is None:
        from_file = {name: value for name, value in dotenv_values(".env").items() if value is not None}
        # As in Dagster, whose commands put `.env` over the environment: else its processes and ours would differ.
        environ = {**os.environ, **from_file}
    names = _source_names(environ)
    given = _given(environ, "SENDGRID_", Settings)
    data_dir = Path(given.get("data_dir", "data"))
    given["sources"] = tuple(_source(name, environ) for name in names)
    given["warehouse"] = _warehouse(given.get("warehouse"), data_dir)
    given["published"] = _published(given.get("published"), data_dir)
    given.setdefault("landing_dir", data_dir / "landing")
    settings: Settings = _build(Settings, given, "SENDGRID_")
    _check_schemas(settings)
    return settings


def variables(model: type[Model]) -> dict[str, FieldInfo]:
    """The fields of a model by their variable's name, without its prefix and in lower case."""
    return {field.alias or name: field for name, field in model.model_fields.items() if not field.exclude}


def no_cron_line(value: str) -> SettingsError:
    """The error of a `SENDGRID_SYNC_CRON` that cannot be read."""
    shown = repr(_redacted(value))
    return SettingsError(
        f"SENDGRID_SYNC_CRON: {shown} is no cron line: write five fields, such as 0 */3 * * *."
    )


def _given(environ: dict[str, str], prefix: str, model: type[Model]) -> dict[str, Any]:
    """The variables that are set; an empty one counts as not set."""
    return {
        variable: environ[name]
        for variable in variables(model)
        if (environ.get(name := f"{prefix}{variable.upper()}") or "").strip()
    }


def _build(model: type[Any], given: dict[str, Any], prefix: str) -> Any:
    try:
        return model(**given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        variable = str(first["loc"][0])
        extra: Any = variables(model)[variable].json_schema_extra or {}
        raise SettingsError(
            _sentence(prefix + variable.upper(), given.get(variable), first, extra.get("mend"))
        ) from None


def _sentence(name: str, value: object, error: Any, mend: str | None) -> str:
    secret = name.endswith(("_KEY", "_SECRET"))
    shown = "its value" if secret else repr(str(value))
    cause = error.get("ctx", {}).get("error")
    reason = str(cause) if cause else f"cannot be used ({error['msg'].lower()})"
    return f"{name}: {_redacted(f'{shown} {reason}')}: {mend or 'correct or unset it'}."


def _redacted(text: str) -> str:
    """The text without a key that was put into the wrong variable."""
    return _SECRET.sub("…", text)


def _source(name: str, environ: dict[str, str]) -> SourceSettings:
    prefix = f"{name.upper()}_"
    built: SourceSettings = _build(
        SourceSettings, {"name": name, **_given(environ, prefix, SourceSettings)}, prefix
    )
    return built


def _source_names(environ: dict[str, str]) -> tuple[str, ...]:
    value = environ.get("SENDGRID_SOURCES") or ""
    names = listed(value if value.strip() else "sendgrid")
    mend = "use distinct lower-case names such as sendgrid,marketing_eu."
    for name in names:
        if not NAME.fullmatch(name):
            raise SettingsError(f"SENDGRID_SOURCES: {_redacted(name)!r} is no source name: {mend}")
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
    stems = {_database(settings.warehouse): "SENDGRID_WAREHOUSE"}
    if settings.published:
        stems[_database(settings.published)] = "SENDGRID_PUBLISHED"
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


def _database(file: Path) -> str:
    """What DuckDB calls the database in a file, which it compares without case."""
    return next((part.lower() for part in file.name.split(".") if part), "")
