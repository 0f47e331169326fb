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


def week(landing: Landing, last: dt.date, apart: int = 1) -> None:
    """Files loaded on seven days, so many days apart, the last of which is given."""
    for number in range(7):
        fill(landing, last - number * dt.timedelta(days=apart), {f"{number}.json": b"{}"})


def test_days_past_their_time_are_removed(landing: Landing) -> None:
    for day in ("2026-02-26", "2026-02-27", "2026-02-28", "2026-03-07", "2026-03-29", "2026-03-31"):
        fill(landing, dt.date.fromisoformat(day), {f"{day}.json": b"{}"})
    week(landing, dt.date(2026, 3, 28), apart=3)
    (landing.done / "mine").mkdir()
    assert swept(landing) == 1
    assert days(landing)[:2] == ["2026-02-27", "2026-02-28"]
    assert swept(landing, days=10**9) == 0
    assert days(landing)[-1] == "mine"


def test_a_clock_that_jumps_ahead_removes_nothing_until_it_has_stood_there_for_a_week(
    landing: Landing,
) -> None:
    fill(landing, DAY)
    fill(landing, AFTER)
    for day in range(3, 9):
        fill(landing, dt.date(2036, 3, day))
        assert swept(landing, today=dt.date(2036, 3, day)) == 0
        # A day on which nothing came bears nothing out.
        assert swept(landing, today=dt.date(2036, 3, day) + dt.timedelta(days=1)) == 0
    # Back again, the days that never were are no reason either.
    assert swept(landing, today=dt.date(2026, 3, 3)) == 0
    fill(landing, dt.date(2036, 3, 9))
    assert swept(landing, today=dt.date(2036, 3, 9)) == 2 * len(CONTENTS)


def test_two_jumps_bear_each_other_not_out(landing: Landing) -> None:
    week(landing, dt.date(2026, 3, 31))
    for year in range(2027, 2033):
        fill(landing, dt.date(year, 3, 31))
        assert swept(landing, today=dt.date(year, 3, 31)) == 0


def test_after_a_pause_the_days_before_it_go_once_a_week_has_passed(landing: Landing) -> None:
    week(landing, dt.date(2026, 1, 31))
    week(landing, dt.date(2026, 3, 31))
    assert swept(landing, today=dt.date(2026, 3, 30)) == 0
    assert swept(landing, today=dt.date(2026, 3, 31)) == 7


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
    week(landing, dt.date(2026, 4, 30))
    if packed:
        pack_days(Archive(landing), before=AFTER, seconds=60)

    def missing(files: Sequence[Archived]) -> list[Archived]:
        return [file for file in files if file.name == "b.json"]

    assert swept(landing, today=dt.date(2026, 5, 1), missing=missing) == 0
    assert [file.name for file in landing.waiting()] == ["b.json"]
    assert "a.json" in [file.name for file in Archive(landing).files(DAY)]


def test_a_day_with_a_damaged_pack_is_kept(landing: Landing) -> None:
    fill(landing, DAY)
    week(landing, dt.date(2026, 7, 2))
    (landing.done / DAY.isoformat() / "packed-1.zip").write_bytes(b"garbage")
    assert swept(landing, today=dt.date(2026, 7, 3)) == 0
    assert len(Archive(landing).loose(DAY)) == len(CONTENTS)


def test_what_is_not_ours_stays_in_its_folder(landing: Landing) -> None:
    fill(landing, DAY)
    week(landing, dt.date(2026, 7, 2))
    (landing.done / DAY.isoformat() / "notes.txt").write_bytes(b"")
    assert swept(landing, today=dt.date(2026, 7, 3)) == len(CONTENTS)
    assert [path.name for path in (landing.done / DAY.isoformat()).iterdir()] == ["notes.txt"]
