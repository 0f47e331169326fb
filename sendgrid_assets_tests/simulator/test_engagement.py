import copy
from collections import defaultdict

import httpx

from sendgrid_assets.simulator.account import Account

from .conftest import Serve

SENDS = "/v3/marketing/stats/singlesends"


def _results(client: httpx.Client, path: str, **query: object) -> list[dict]:
    return client.get(path, params=query).raise_for_status().json()["results"]


def test_every_single_send_that_was_sent_has_numbers(serve: Serve, account: Account) -> None:
    rows = _results(serve(account), SENDS, page_size=50)
    sent = {row["id"]: row["is_abtest"] for row in account.mc_single_sends if row["status"] == "triggered"}
    parts = defaultdict(list)
    for row in rows:
        parts[row["id"]].append((row["ab_variation"], row["ab_phase"]))
    assert parts.keys() == sent.keys()
    for id_, tested in sent.items():
        if not tested:
            assert parts[id_] == [("all", "all")]
            continue
        (winner, first), (other, second), (shown, third) = parts[id_]
        assert (first, second, third) == ("test", "test", "send")
        assert winner == shown != other


def test_some_single_send_has_variations_whatever_the_seed() -> None:
    # By 33 alone none would be tested.
    for seed in range(30, 36):
        account = Account(seed=seed, contacts=0)
        assert any(row["ab_phase"] == "test" for row in account.mc_single_send_stats), seed
        tested = [row for row in account.mc_single_sends if row["is_abtest"]]
        assert all(row["abtest"]["winning_template_id"] for row in tested)


def test_automations_have_several_steps(serve: Serve, account: Account) -> None:
    steps = defaultdict(set)
    for row in _results(serve(account), "/v3/marketing/stats/automations"):
        steps[row["id"]].add(row["step_id"])
    assert [len(ids) for ids in steps.values()] == [3, 2, 4]


def test_numbers_agree_with_one_another() -> None:
    account = Account()
    account.advance(200)
    for row in (*account.mc_single_send_stats, *account.mc_automation_stats):
        stats = row["stats"]
        assert stats["requests"] > stats["delivered"] >= stats["unique_opens"] >= stats["unique_clicks"] >= 0
        assert stats["opens"] >= stats["unique_opens"]
        assert stats["clicks"] >= stats["unique_clicks"]


def test_links_count_the_clicks_of_their_part(serve: Serve, account: Account) -> None:
    client = serve(account)
    for _ in range(2):
        clicks = defaultdict(int)
        for row in account.mc_single_send_stats:
            clicks[row["id"], row["ab_variation"], row["ab_phase"]] += row["stats"]["clicks"]
        for id_ in {row["id"] for row in account.mc_single_send_stats}:
            body = client.get(f"{SENDS}/{id_}/links?page_size=50").json()
            linked = defaultdict(int)
            for row in body["results"]:
                linked[id_, row["ab_variation"], row["ab_phase"]] += row["clicks"]
            assert linked == {part: n for part, n in clicks.items() if part[0] == id_ and n}
            assert body["total_clicks"] == sum(linked.values())
        account.advance(5)


def test_links_come_in_pages(serve: Serve, account: Account) -> None:
    client, id_ = serve(account), account.mc_single_send_stats[0]["id"]
    account.mc_single_send_links[id_] = [{"url": str(number), "clicks": 2} for number in range(26)]
    first = client.get(f"{SENDS}/{id_}/links").json()
    assert len(first["results"]) == 25
    rest = client.get(first["_metadata"]["next"].removeprefix("https://api.sendgrid.com")).json()
    assert [row["url"] for row in rest["results"]] == ["25"]
    assert "next" not in rest["_metadata"]
    assert first["total_clicks"] == rest["total_clicks"] == 52
    assert client.get(f"{SENDS}/{id_}/links?page_size=51").status_code == 400


def test_links_of_what_is_not_sent_and_of_what_is_not(serve: Serve, account: Account) -> None:
    client = serve(account)
    draft = next(row for row in account.mc_single_sends if row["status"] == "draft")
    assert client.get(f"{SENDS}/{draft['id']}/links").json()["results"] == []
    assert client.get(f"{SENDS}/none/links").status_code == 404


def test_mail_is_opened_and_what_is_sent_is_counted(serve: Serve, account: Account) -> None:
    client, before = serve(account), copy.deepcopy(account.mc_single_send_stats)
    account.advance(3)
    rows = _results(client, SENDS, page_size=50)
    assert {row["id"] for row in rows} - {row["id"] for row in before}
    grown = [(old, new) for old, new in zip(before, rows, strict=False) if old != new]
    assert grown
    for old, new in grown:
        assert new["stats"]["opens"] > old["stats"]["opens"]
        assert new["stats"]["clicks"] > old["stats"]["clicks"]
        assert new["stats"]["requests"] == old["stats"]["requests"]
