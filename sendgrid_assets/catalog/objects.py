"""Every object collection there is, in the order tables are shown."""

from __future__ import annotations

from .legacy_marketing import LEGACY_MARKETING
from .marketing import MARKETING
from .suppressions import SUPPRESSIONS

OBJECT_COLLECTIONS = (*LEGACY_MARKETING, *MARKETING, *SUPPRESSIONS)

BY_TABLE = {collection.table: collection for collection in OBJECT_COLLECTIONS}
