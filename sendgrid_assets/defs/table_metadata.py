"""What Dagster's UI shows of a table, from the catalog.

Belongs here: column schemas, descriptions with an example, links. Does not: what a run adds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sendgrid_assets.catalog.column import Column


def table_metadata(
    schema: str, table: str, columns: Iterable[Column], *, docs: str, key: Sequence[str] = ()
) -> dict[str, Any]:
    """Definition metadata of a table's asset.

    Args:
        schema: the table's schema.
        table: its name.
        columns: its columns.
        docs: address of SendGrid's reference page.
        key: columns that identify a row.
    """
    return {
        "dagster/table_name": f"{schema}.{table}",
        "dagster/uri": dg.MetadataValue.url(docs),
        "dagster/column_schema": dg.TableSchema([_shown(column, key) for column in columns]),
        "schema": schema,
        **({"primary_key": list(key)} if key else {}),
    }


def described(sentence: str, schema: str, table: str) -> str:
    """The sentence, and a query to try."""
    return f"{sentence}\n\n```sql\nSELECT * FROM {schema}.{table} LIMIT 10;\n```"


def _shown(column: Column, key: Sequence[str]) -> dg.TableColumn:
    is_key = column.name in key
    return dg.TableColumn(
        column.name,
        column.type,
        column.description,
        constraints=dg.TableColumnConstraints(nullable=not is_key, unique=is_key and len(key) == 1),
        tags={"personal_data": ""} if column.personal else None,
    )
