"""Loaded files are removed by the day, when they are past their time and nothing needs them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest

from sendgrid_assets.webhook.archive import Archive, Archived
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.packing import pack_days
from sendgrid_assets.webhook.retention import sweep

from .test_archive import AFTER, CONTENTS, DAY, fill


def nothing_missing(_files: Sequence[Archived]) -> list[Archived]:
    return []


def swept(landing: Landing, **changes: object) -> int:
    asked = {
        "days": 30,
        "most_bytes": None,
        "before": dt.date.max,
        "today": dt.date(2026, 3, 31),
        "missing": nothing_missing,
    }
    return sweep(Archive(landing), **(asked | changes))  # type: ignore[arg-type]


def days(landing: Landing) -> list[str]:
    return sorted(path.name for path in landing.done.iterdir())


def test_days_past_their_time_are_removed(landing: Landing) -> None:
    for day in ("2026-02-26", "2026-02-27", "2026-02-28", "2026-03-29", "2026-03-31"):
        fill(landing, dt.date.fromisoformat(day), {f"{day}.json": b"{}"})
    (landing.done / "mine").mkdir()
    assert swept(landing) == 1
    assert days(landing) == ["2026-02-27", "2026-02-28", "2026-03-29", "2026-03-31", "mine"]
    assert swept(landing, days=10**9) == 0


def test_a_clock_that_jumps_ahead_removes_nothing_until_it_has_stood_there_over_a_midnight(
    landing: Landing,
) -> None:
    for day in (DAY, AFTER, dt.date(2036, 3, 3)):
        fill(landing, day)
    assert swept(landing, today=dt.date(2036, 3, 3)) == 0
    assert swept(landing, today=dt.date(2036, 3, 4)) == 0
    # Back again, the day that never was is no reason either.
    assert swept(landing, today=dt.date(2026, 3, 3)) == 0
    fill(landing, dt.date(2036, 3, 4))
    assert swept(landing, today=dt.date(2036, 3, 4)) == 2 * len(CONTENTS)


def test_nothing_since_the_last_publish_is_removed_whatever_its_age_or_size(landing: Landing) -> None:
    for day in (1, 2, 3, 4):
        fill(landing, dt.date(2026, 1, day))
    for day in (30, 31):
        fill(landing, dt.date(2026, 3, day))
    swept(landing, before=dt.date(2026, 1, 3), most_bytes=1)
    assert days(landing) == ["2026-01-03", "2026-01-04", "2026-03-30", "2026-03-31"]


def test_the_oldest_days_go_where_there_is_too_much_but_never_todays(landing: Landing) -> None:
    for day in range(25, 32):
        fill(landing, dt.date(2026, 3, day), {"a.json": bytes(1000)})
    assert swept(landing, most_bytes=7000) == 0
    assert swept(landing, most_bytes=4500) == 3
    assert days(landing)[0] == "2026-03-28"
    assert swept(landing, most_bytes=1) == 3
    assert days(landing) == ["2026-03-31"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_day_with_a_file_that_the_ledger_lacks_goes_back_instead(landing: Landing, packed: bool) -> None:
    fill(landing, DAY, {"a.json": b"{}", "b.json": b"{}"})
    for day in (29, 30):
        fill(landing, dt.date(2026, 4, day), {"c.json": b"{}"})
    if packed:
        pack_days(Archive(landing), before=AFTER, seconds=60)

    def missing(files: Sequence[Archived]) -> list[Archived]:
        return [file for file in files if file.name == "b.json"]

    assert swept(landing, today=dt.date(2026, 5, 1), missing=missing) == 0
    assert [file.name for file in landing.waiting()] == ["b.json"]
    assert "a.json" in [file.name for file in Archive(landing).files(DAY)]


def test_a_day_with_a_damaged_pack_is_kept(landing: Landing) -> None:
    for day in (DAY, dt.date(2026, 7, 1), dt.date(2026, 7, 2)):
        fill(landing, day)
    (landing.done / DAY.isoformat() / "packed-1.zip").write_bytes(b"garbage")
    assert swept(landing, today=dt.date(2026, 7, 3)) == 0
    assert len(Archive(landing).loose(DAY)) == len(CONTENTS)


def test_what_is_not_ours_stays_in_its_folder(landing: Landing) -> None:
    for day in (DAY, dt.date(2026, 7, 1), dt.date(2026, 7, 2)):
        fill(landing, day)
    (landing.done / DAY.isoformat() / "notes.txt").write_bytes(b"")
    assert swept(landing, today=dt.date(2026, 7, 3)) == len(CONTENTS)
    assert [path.name for path in (landing.done / DAY.isoformat()).iterdir()] == ["notes.txt"]
