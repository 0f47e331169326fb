"""README's table of settings, from the fields that read them.

Belongs here: the table. Does not: the settings. `python -m sendgrid_assets.docs.settings_table` writes it into the
README of the working directory; a test tells when that is due.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sendgrid_assets.settings import Settings, variables
from sendgrid_assets.source_settings import Model, SourceSettings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_PLACE = re.compile(r"(<!-- settings: .*? -->\n).*?(<!-- end of settings -->)", re.DOTALL)


def settings_table() -> str:
    """The settings as Markdown tables."""
    return (
        f"{_table(Settings, 'SENDGRID_')}\n"
        "Per source, with the source's name in upper case as prefix (`sendgrid`: `SENDGRID_API_KEY`; `marketing_eu`: "
        f"`MARKETING_EU_API_KEY`):\n\n{_table(SourceSettings, '<S>_')}"
    )


def filled_in(readme: str) -> str:
    """The README with today's table between its marks."""
    return _PLACE.sub(lambda marks: f"{marks[1]}\n{settings_table()}\n{marks[2]}", readme)


def _table(model: type[Model], prefix: str) -> str:
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    lines += [
        f"| `{prefix}{variable.upper()}` | {_default(field)} | {field.description} |"
        for variable, field in variables(model).items()
    ]
    return "\n".join(lines) + "\n"


def _default(field: FieldInfo) -> str:
    extra: Any = field.json_schema_extra or {}
    if "shown" in extra:
        return str(extra["shown"])
    if field.default is None:
        return "none"
    shown = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"`{shown}`"


if __name__ == "__main__":
    readme = Path("README.md")
    readme.write_text(filled_in(readme.read_text(encoding="utf-8")), encoding="utf-8")
