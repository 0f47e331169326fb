from sendgrid_assets.simulator.account import Account

from .conftest import Serve


def test_whose_account_it_is(serve: Serve, account: Account) -> None:
    client = serve(account)
    assert client.get("/v3/user/account").json() == {"type": "paid", "reputation": 99.7}
    account.user["username"] = "other"
    assert client.get("/v3/user/username").json() == {"username": "other", "user_id": 12345678}
