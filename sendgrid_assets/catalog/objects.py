"""Every object collection there is, in the order tables are shown: a parent before what is asked for by it."""

from __future__ import annotations

from .account import ACCOUNT
from .legacy_marketing import LEGACY_MARKETING
from .marketing import MARKETING
from .suppressions import SUPPRESSIONS

OBJECT_COLLECTIONS = (*LEGACY_MARKETING, *MARKETING, *SUPPRESSIONS, *ACCOUNT)

BY_TABLE = {collection.table: collection for collection in OBJECT_COLLECTIONS}
