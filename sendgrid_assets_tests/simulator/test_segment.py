from sendgrid_assets.simulator.account import Account

from .conftest import Serve

PATH = "/v3/marketing/segments/2.0"


def test_details_add_the_query_and_a_sample(serve: Serve) -> None:
    account = Account(contacts=400)
    client, row = serve(account), account.mc_segments[0]
    details = client.get(f"{PATH}/{row['id']}").json()
    assert row.items() <= details.items()
    assert details["query_dsl"].endswith("c.plan = 'gold'")
    assert len(details["contacts_sample"]) == 50 < row["contacts_count"]
    assert {contact["id"] for contact in details["contacts_sample"]} <= account.members[row["id"]]
    assert {contact["custom_fields"]["plan"] for contact in details["contacts_sample"]} == {"gold"}


def test_the_sample_may_be_left_out(serve: Serve, account: Account) -> None:
    row = account.mc_segments[1]
    details = serve(account).get(f"{PATH}/{row['id']}?contacts_sample=false").json()
    assert set(details) - set(row) == {
        "query_dsl", "refreshes_used", "max_refreshes", "last_refreshed_at",
    }  # fmt: skip


def test_an_unknown_segment_is_not_found(serve: Serve, account: Account) -> None:
    assert serve(account).get(f"{PATH}/none").status_code == 404
