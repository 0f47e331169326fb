import datetime as dt

import httpx
import pytest

from sendgrid_assets.simulator.account import Account

from .conftest import Serve

TODAY = dt.date(2027, 1, 15)
OF_ALL = {
    "blocks", "bounce_drops", "bounces", "clicks", "deferred", "delivered", "invalid_emails", "opens",
    "processed", "requests", "spam_report_drops", "spam_reports", "unique_clicks", "unique_opens",
    "unsubscribe_drops", "unsubscribes",
}  # fmt: skip
OF_MAILBOXES = {
    "blocks", "bounces", "clicks", "deferred", "delivered", "drops", "opens", "processed", "requests",
    "spam_reports", "unique_clicks", "unique_opens",
}  # fmt: skip
OPENS, CLICKS = {"opens", "unique_opens"}, {"clicks", "unique_clicks"}
BREAKDOWNS = {
    "/v3/mailbox_providers/stats": ("mailbox_provider", OF_MAILBOXES),
    "/v3/devices/stats": ("device", OPENS),
    "/v3/clients/stats": ("client", OPENS),
    "/v3/browsers/stats": ("browser", CLICKS),
    "/v3/geo/stats": ("country", OPENS | CLICKS),
    "/v3/geo/stats?country=US": ("province", OPENS | CLICKS),
}
PATHS = ("/v3/stats", *BREAKDOWNS, "/v3/categories/stats?categories=shop", "/v3/subusers/stats?subusers=shop")


def _days(client: httpx.Client, path: str, start: str = "2026-12-01", **query: object) -> list[dict]:
    url = httpx.URL(path).copy_merge_params({"start_date": start, **query})
    return client.get(url).raise_for_status().json()


def _sum(days: list[dict], metric: str) -> int:
    return sum(entry["metrics"].get(metric, 0) for day in days for entry in day["stats"])


@pytest.mark.parametrize("path", PATHS)
def test_a_row_for_every_day_both_ends_inclusive(serve: Serve, account: Account, path: str) -> None:
    client = serve(account)
    dates = [row["date"] for row in _days(client, path, "2026-12-30", end_date="2027-01-02")]
    assert dates == ["2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"]
    assert [row["date"] for row in _days(client, path, "2027-01-14")] == ["2027-01-14", "2027-01-15"]
    assert len(_days(client, path, "2027-01-15", end_date="2027-01-15")) == 1
    future = _days(client, path, "2027-01-16", end_date="2027-01-17")
    assert len(future) == 2
    assert {value for day in future for entry in day["stats"] for value in entry["metrics"].values()} == {0}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "start_date"),
        ({"start_date": "2026-13-01"}, "start_date"),
        ({"start_date": "20261201"}, "start_date"),
        ({"start_date": "2026-12-02", "end_date": "2026-12-01"}, "end_date"),
        ({"start_date": "2026-12-02", "end_date": "soon"}, "end_date"),
        ({"start_date": "2026-12-02", "aggregated_by": "hour"}, "aggregated_by"),
    ],
)
def test_bad_dates_are_refused(
    serve: Serve, account: Account, path: str, query: dict[str, str], field: str
) -> None:
    refused = serve(account).get(httpx.URL(path).copy_merge_params(query))
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == field


def test_the_account_has_sixteen_numbers_that_agree(serve: Serve, account: Account) -> None:
    account.advance(60)
    for day in _days(serve(account), "/v3/stats", "2026-01-01", aggregated_by="day"):
        (entry,) = day["stats"]
        assert set(entry) == {"metrics"}
        numbers = entry["metrics"]
        assert set(numbers) == OF_ALL
        assert numbers["requests"] >= numbers["processed"] >= numbers["delivered"] > 0
        assert numbers["delivered"] >= numbers["unique_opens"] >= numbers["unique_clicks"]
        assert numbers["opens"] >= numbers["unique_opens"]
        assert numbers["clicks"] >= numbers["unique_clicks"]


@pytest.mark.parametrize("path", BREAKDOWNS)
def test_breakdowns_have_their_own_metrics(serve: Serve, account: Account, path: str) -> None:
    kind, metrics = BREAKDOWNS[path]
    days = _days(serve(account), path, "2026-11-01")
    names = [[entry["name"] for entry in day["stats"]] for day in days]
    shown = ["CA", "NY", "TX"] if kind == "province" else account.stat_names[kind]
    assert names == [shown] * len(days)
    entries = [entry for day in days for entry in day["stats"]]
    assert all(entry["type"] == kind and set(entry["metrics"]) == metrics for entry in entries)
    assert any(not any(entry["metrics"].values()) for entry in entries), "some days are quiet"


def test_a_country_has_provinces_only_of_two(serve: Serve, account: Account) -> None:
    client = serve(account)
    (day,) = _days(client, "/v3/geo/stats?country=CA", str(TODAY))
    assert [entry["name"] for entry in day["stats"]] == ["ON"]
    assert client.get("/v3/geo/stats?country=DE&start_date=2027-01-01").status_code == 400


def test_names_of_a_breakdown_can_be_changed(serve: Serve, account: Account) -> None:
    account.stat_names["device"][:] = ["Fridge"]
    (day,) = _days(serve(account), "/v3/devices/stats", str(TODAY))
    assert [entry["name"] for entry in day["stats"]] == ["Fridge"]


@pytest.mark.parametrize("path", PATHS)
def test_numbers_are_the_seed_s(serve: Serve, account: Account, path: str) -> None:
    first = _days(serve(account), path)
    assert _days(serve(account), path) == first
    assert _days(serve(Account(contacts=3, clock=account.clock)), path) == first
    assert _days(serve(Account(contacts=3, clock=account.clock, seed=2)), path) != first


@pytest.mark.parametrize("path", PATHS)
def test_the_last_days_keep_growing_and_older_ones_stay(serve: Serve, account: Account, path: str) -> None:
    client = serve(account)
    for _ in range(3):
        before = _days(client, path)
        account.advance()
        after = _days(client, path)
        assert after[:-4] == before[:-4], "older than three days before today"
        for metric in ("opens", "clicks"):
            for old, new in zip(before[-4:], after[-4:], strict=True):
                grown = _sum([new], metric) - _sum([old], metric)
                assert grown > 0 or _sum([old], metric) == 0
            if any(metric in entry["metrics"] for entry in before[0]["stats"]):
                assert _sum(after[-4:], metric) > _sum(before[-4:], metric)
        for metric in ("requests", "delivered", "bounces"):
            assert _sum(after, metric) == _sum(before, metric)


def test_what_a_day_has_grown_stays_once_it_is_old(serve: Serve) -> None:
    seconds = [1_800_000_000.0]
    account = Account(contacts=3, clock=lambda: seconds[0])
    client, today = serve(account), str(TODAY)
    fresh = _days(client, "/v3/stats", today, end_date=today)
    account.advance(2)
    grown = _days(client, "/v3/stats", today, end_date=today)
    seconds[0] += 10 * 86_400
    account.advance(2)
    assert _days(client, "/v3/stats", today, end_date=today) == grown != fresh


def test_a_day_can_be_overwritten(serve: Serve, account: Account) -> None:
    client, day = serve(account), "2027-01-10"
    before = {path: _days(client, path, day, end_date=day) for path in PATHS}
    account.day_overrides["global", "", day] = {"opens": 7, "clicks": 8}
    account.day_overrides["category", "shop", day] = {"opens": 9}
    account.day_overrides["browser", "Chrome", day] = {"clicks": 10, "new_metric": 11}
    changed = {
        path: days for path in PATHS if (days := _days(client, path, day, end_date=day)) != before[path]
    }
    assert set(changed) == {"/v3/stats", "/v3/categories/stats?categories=shop", "/v3/browsers/stats"}
    metrics = changed["/v3/stats"][0]["stats"][0]["metrics"]
    assert metrics == before["/v3/stats"][0]["stats"][0]["metrics"] | {"opens": 7, "clicks": 8}
    chrome = changed["/v3/browsers/stats"][0]["stats"][0]["metrics"]
    assert (chrome["clicks"], chrome["new_metric"]) == (10, 11)


def test_days_can_be_asked_for_in_pages(serve: Serve, account: Account) -> None:
    client = serve(account)
    days = _days(client, "/v3/stats", "2027-01-01")
    assert len(days) == 15
    pages = [_days(client, "/v3/stats", "2027-01-01", limit=7, offset=offset) for offset in (0, 7, 14, 21)]
    assert [len(page) for page in pages] == [7, 7, 1, 0]
    assert [day for page in pages for day in page] == days
    assert client.get("/v3/stats?start_date=2027-01-01&limit=0").status_code == 400
