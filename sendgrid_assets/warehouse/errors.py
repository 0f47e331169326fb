"""What can go wrong with the warehouse; each text says what to do.

    WarehouseError
    ├── WarehouseBusyError         somebody else holds it
    ├── WarehouseUnreadableError   it is no DuckDB database, or not one that can be opened
    ├── NewerWarehouseError        a newer release wrote it
    ├── PublishError               the copy could not be made; the file published before stands
    ├── RestoreError               nothing was restored; what was there stands
    ├── KeylessRowError            a row has no key: the listing cannot be what it should be
    ├── OlderListingError          a listing begun later has been loaded already
    ├── LoadError                  no file of events can be loaded; they wait
    └── FrameError                 a DataFrame cannot be upserted as it is

Belongs here: the hierarchy. Does not: raising them.
"""

from __future__ import annotations


class WarehouseError(Exception):
    """Something went wrong with the warehouse."""


class WarehouseBusyError(WarehouseError):
    """The warehouse could not be opened, because somebody else holds it."""


class WarehouseUnreadableError(WarehouseError):
    """The warehouse file cannot be opened as what it should be."""


class NewerWarehouseError(WarehouseError):
    """The warehouse was written by a newer release."""


class PublishError(WarehouseError):
    """The copy could not be made; the file published before stands."""


class RestoreError(WarehouseError):
    """Nothing was restored; what was there stands."""


class KeylessRowError(WarehouseError):
    """A row has no key: the listing cannot be what it should be."""


class OlderListingError(WarehouseError):
    """A listing begun later has been loaded already."""


class LoadError(WarehouseError):
    """No file of events can be loaded; they wait."""


class FrameError(WarehouseError, ValueError):
    """A DataFrame cannot be upserted as it is."""
