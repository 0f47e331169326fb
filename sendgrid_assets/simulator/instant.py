"""Instants as SendGrid writes them.

Belongs here: the text shapes of a moment. Does not: choosing moments.
"""

from __future__ import annotations

import datetime as dt

DAY = 86_400
"""Seconds of a day."""


def iso(seconds: float) -> str:
    """Unix seconds as the marketing endpoints write them: `2026-01-31T12:00:00Z`."""
    return f"{dt.datetime.fromtimestamp(int(seconds), dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def zoneless(seconds: float) -> str:
    """Unix seconds as templates write them: `2026-01-31 12:00:00`, in UTC and without saying so."""
    return f"{dt.datetime.fromtimestamp(int(seconds), dt.UTC):%Y-%m-%d %H:%M:%S}"


def american(seconds: float) -> str:
    """Unix seconds as legacy date fields hold them: `01/31/2026`."""
    return f"{dt.datetime.fromtimestamp(int(seconds), dt.UTC):%m/%d/%Y}"


def day(seconds: float) -> dt.date:
    """The day of unix seconds in UTC, which is the simulated account's time zone."""
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC).date()
