from sendgrid_assets.simulator.account import Account

from .conftest import Serve


def test_unverified_ones_are_listed_too(serve: Serve, account: Account) -> None:
    rows = serve(account).get("/v3/verified_senders").json()["results"]
    assert rows == account.verified_senders
    assert [row["verified"] for row in rows] == [True, True, True, False, False]
    assert "address2" in rows[0]


def test_they_are_verified_one_after_another(account: Account) -> None:
    account.advance(3)
    assert [row["verified"] for row in account.verified_senders] == [True] * 4 + [False]
    account.advance(6)
    assert all(row["verified"] for row in account.verified_senders)
