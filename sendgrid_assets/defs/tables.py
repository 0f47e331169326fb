"""The I/O manager as Dagster is given it.

Belongs here: the resource, and making the manager when it is first used. Does not: storing and loading (`io_managers`),
which need pandas: a drain's run opens this resource and is spared half a second of importing.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import dagster as dg

from . import names

if TYPE_CHECKING:
    from .io_managers import UpsertIOManager
    from .resources import WarehouseResource


class Tables(dg.IOManager):
    """Hands tables to the manager that stores and loads them."""

    def __init__(self, resource: WarehouseResource) -> None:
        self._resource = resource

    @cached_property
    def _manager(self) -> UpsertIOManager:
        from .io_managers import UpsertIOManager

        return UpsertIOManager(self._resource)

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Upserts a table."""
        self._manager.handle_output(context, obj)

    def load_input(self, context: dg.InputContext) -> Any:
        """The whole table."""
        return self._manager.load_input(context)


def tables_io_manager() -> dg.IOManagerDefinition:
    """The I/O manager all tables go through."""

    def make(context: dg.InitResourceContext) -> Tables:
        return Tables(getattr(context.resources, names.WAREHOUSE))

    return dg.IOManagerDefinition(
        make,
        required_resource_keys={names.WAREHOUSE},
        description="Upserts by key into the warehouse; loads a table as a pandas.DataFrame.",
    )
