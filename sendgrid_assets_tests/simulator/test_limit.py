import httpx

from sendgrid_assets.simulator.account import Account

from .conftest import Serve


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.25

    def __call__(self) -> float:
        return self.seconds


def _rate(answer: httpx.Response) -> tuple[int, ...]:
    return tuple(int(answer.headers[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset"))


def test_one_request_too_many_waits_for_the_window_to_end(serve: Serve) -> None:
    clock = Clock()
    client = serve(Account(contacts=0, clock=clock), limits={"/v3/asm": (2, 5.0)})
    end = 1_800_000_006
    assert _rate(client.get("/v3/asm/groups")) == (2, 1, end)
    assert _rate(client.get("/v3/asm/groups")) == (2, 0, end)
    refused = client.get("/v3/asm/groups")
    assert refused.status_code == 429
    assert refused.json() == {"errors": [{"field": None, "message": "too many requests"}]}
    assert _rate(refused) == (2, 0, end)
    assert client.get("/v3/asm/suppressions").status_code == 200, "each endpoint has its own window"
    clock.seconds = end - 0.01
    assert client.get("/v3/asm/groups").status_code == 429
    clock.seconds = end
    assert client.get("/v3/asm/groups").status_code == 200


def test_longest_prefix_counts(serve: Serve) -> None:
    client = serve(Account(contacts=0), limits={"/v3": (9, 60), "/v3/marketing/lists": (1, 60)})
    assert _rate(client.get("/v3/marketing/lists"))[0] == 1
    assert _rate(client.get("/v3/marketing/senders"))[0] == 9


def test_email_activity_is_asked_six_times_a_minute_unless_told_otherwise(serve: Serve) -> None:
    account = Account(contacts=0, clock=Clock())
    client = serve(account)
    statuses = [client.get("/v3/messages").status_code for _ in range(7)]
    assert statuses == [400] * 6 + [429]
    assert _rate(client.get("/v3/messages")) == (6, 0, 1_800_000_061)
    for prefix in ("/v3/messages", "/v3"):
        assert _rate(serve(account, limits={prefix: (90, 60)}).get("/v3/messages"))[0] == 90
    assert _rate(serve(account, limits={"/v3/asm": (90, 60)}).get("/v3/messages"))[0] == 6


def test_every_answer_says_the_rate(serve: Serve, account: Account) -> None:
    client = serve(account, refused=["/v3/campaigns"])
    answers = [client.get(path) for path in ("/v3/scopes", "/v3/campaigns", "/v3/nowhere")]
    answers.append(httpx.get(client.base_url.join("/v3/scopes")))
    assert [answer.status_code for answer in answers] == [200, 403, 404, 401]
    assert all(_rate(answer)[0] == 600 for answer in answers)


def test_all_single_sends_share_one_endpoint(serve: Serve, account: Account) -> None:
    client = serve(account, limits={"/v3/marketing/singlesends/{id}": (1, 60)})
    first, second = (
        client.get(f"/v3/marketing/singlesends/{row['id']}") for row in account.mc_single_sends[:2]
    )
    assert (first.status_code, second.status_code) == (200, 429)
