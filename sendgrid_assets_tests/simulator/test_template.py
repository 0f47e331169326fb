import pytest

from sendgrid_assets.simulator.account import Account

from .conftest import Serve

DETAILS = {"html_content", "plain_content", "thumbnail_url", "test_data", "warnings"}
LISTED = {
    "id", "template_id", "active", "name", "subject", "updated_at", "generate_plain_content", "editor",
}  # fmt: skip


@pytest.mark.parametrize("query", ["generations=legacy,dynamic&page_size=200", "generations=legacy,dynamic"])
def test_listing_leaves_out_what_is_long(serve: Serve, account: Account, query: str) -> None:
    body = serve(account).get(f"/v3/templates?{query}").json()
    rows = body["result"] if "page_size" in query else body["templates"]
    assert [len(row["versions"]) for row in rows] == [1, 2, 1, 0]
    assert all(set(version) == LISTED for row in rows for version in row["versions"])
    assert account.templates[0]["versions"][0].keys() > LISTED, "what is listed is a copy"


def test_a_template_has_whole_versions(serve: Serve, account: Account) -> None:
    client = serve(account)
    for template in account.templates:
        assert client.get(f"/v3/templates/{template['id']}").json() == template
        for version in template["versions"]:
            path = f"/v3/templates/{template['id']}/versions/{version['id']}"
            assert client.get(path).json() == version
            assert set(version) == LISTED | DETAILS
            assert version["html_content"]
            assert version["template_id"] == template["id"]


def test_one_of_two_versions_is_active(account: Account) -> None:
    (two,) = [row["versions"] for row in account.templates if len(row["versions"]) == 2]
    assert sorted(version["active"] for version in two) == [0, 1]
    assert two[0]["id"] != two[1]["id"]
    assert two[1]["warnings"][0]["message"]


def test_unknown_ones_are_not_found(serve: Serve, account: Account) -> None:
    client, (one, two) = serve(account), account.templates[:2]
    for path in ("none", f"{one['id']}/versions/none", f"{one['id']}/versions/{two['versions'][0]['id']}"):
        assert client.get(f"/v3/templates/{path}").status_code == 404
