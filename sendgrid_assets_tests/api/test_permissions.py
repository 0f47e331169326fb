"""What a refusal is said to mean, by what the key may do."""

from dataclasses import replace

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from sendgrid_assets.api.errors import UnavailableError
from sendgrid_assets.api.permissions import Permissions
from sendgrid_assets.catalog.objects import BY_TABLE, OBJECT_COLLECTIONS

from .conftest import API_KEY, FakeTime, MakeClient, Script
from .waiting import begun

PATH = "/v3/asm/groups"
BOUNCES = replace(BY_TABLE["suppression_bounces"], scopes=("suppression.read", "suppression.bounces.read"))
CATEGORY_STATS = replace(BOUNCES, scopes=("categories.stats.read", "stats.read"))
LISTS = replace(BOUNCES, scopes=("marketing.read", "marketing_campaigns.read"))
AUTOMATIONS = replace(BOUNCES, scopes=("marketing.automation.read",))
FLAGGED = replace(BOUNCES, scopes=("sender_verification_eligible",))

LACKS = (
    "the key lacks the permission Suppressions (`suppression.read` or `suppression.bounces.read`): "
    "tick it in SendGrid under Settings > API Keys."
)


def scopes(*held: str) -> Response:
    return JSONResponse({"scopes": [*held]})


def test_key_without_the_permission_is_told_what_to_tick(make_client: MakeClient) -> None:
    script = Script(scopes("mail.send", "2fa_required"))
    assert Permissions(make_client(script)).sentence(BOUNCES) == LACKS
    assert [request.url.path for request in script.requests] == ["/v3/scopes"]


@pytest.mark.parametrize(
    ("held", "collection", "permission"),
    [
        ("suppression.bounces.read", BOUNCES, "Suppressions (`suppression.bounces.read`)"),
        ("suppression.read", BOUNCES, "Suppressions (`suppression.read`)"),
        (
            "suppression.read",
            replace(BOUNCES, scopes=("suppression.bounces.read",)),
            "Suppressions (`suppression.read`)",
        ),
        ("marketing_campaigns.read", LISTS, "Marketing (`marketing_campaigns.read`)"),
        ("stats.read", CATEGORY_STATS, "Stats > Stats Overview (`stats.read`)"),
    ],
)
def test_key_with_the_permission_shows_that_the_account_lacks_the_product(
    make_client: MakeClient, held: str, collection: object, permission: str
) -> None:
    sentence = Permissions(make_client(Script(scopes(held)))).sentence(collection)  # type: ignore[arg-type]
    assert sentence == f"the key has the permission {permission}, so the account has no such product."


@pytest.mark.parametrize(
    ("held", "collection"),
    [
        ("suppression.blocks.read", BOUNCES),
        ("marketing.automation.read", LISTS),
        ("marketing.read", AUTOMATIONS),
        ("categories.read", CATEGORY_STATS),
    ],
)
def test_relative_of_the_permission_proves_nothing(
    make_client: MakeClient, held: str, collection: object
) -> None:
    sentence = Permissions(make_client(Script(scopes(held)))).sentence(collection)  # type: ignore[arg-type]
    assert sentence.startswith("the account has no such product, or the key lacks the permission ")


@pytest.mark.parametrize("held", ["suppression.create", "suppressions.read", "mail.suppression.read"])
def test_other_permission_of_a_like_name_is_no_relative(make_client: MakeClient, held: str) -> None:
    assert Permissions(make_client(Script(scopes(held)))).sentence(BOUNCES) == LACKS


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_without_scopes_it_may_be_either(make_client: MakeClient, fake_time: FakeTime, status: int) -> None:
    script = Script(JSONResponse({"errors": []}, status), JSONResponse([]))
    client = make_client(script)
    permissions = Permissions(client)
    for _ in range(2):
        assert permissions.sentence(BOUNCES) == f"the account has no such product, or {LACKS}"
    assert len(script.requests) == 1
    assert fake_time.waits == []
    # Neither the key nor the host is held to be dead for it.
    assert client.get(PATH) == b"[]"


@pytest.mark.parametrize(
    "answer",
    [
        Response(b""),
        HTMLResponse("<html>"),
        JSONResponse([]),
        JSONResponse({}),
        JSONResponse({"scopes": None}),
        JSONResponse({"scopes": [1]}),
        Response(b"[" * 100_000),
    ],
)
def test_answer_that_tells_nothing_costs_the_hint_only(make_client: MakeClient, answer: Response) -> None:
    permissions = Permissions(make_client(Script(answer)))
    assert permissions.sentence(BOUNCES) == f"the account has no such product, or {LACKS}"


def test_asking_in_vain_does_not_spend_the_patience(make_client: MakeClient, fake_time: FakeTime) -> None:
    client = make_client(Script(JSONResponse({}, 503), JSONResponse({}, 503), JSONResponse([])))
    for _ in range(2):
        Permissions(client).sentence(BOUNCES)
        fake_time.now += 10_000
    assert client.get(PATH) == b"[]"


def test_host_that_is_gone_costs_the_hint_only(make_client: MakeClient) -> None:
    permissions = Permissions(make_client(url="http://127.0.0.1:9"))
    assert permissions.sentence(BOUNCES).startswith("the account has no such product, or")
    with pytest.raises(UnavailableError):
        make_client(url="http://127.0.0.1:9").glance(PATH)


def test_stopped_client_costs_the_hint_only(make_client: MakeClient) -> None:
    client = make_client()
    client.close()
    assert Permissions(client).sentence(BOUNCES).startswith("the account has no such product, or")


def test_scopes_are_asked_for_once_by_however_many(make_client: MakeClient) -> None:
    script = Script(scopes("mail.send"))
    permissions = Permissions(make_client(script))
    assert script.requests == []
    answers = [begun(lambda: permissions.sentence(BOUNCES)) for _ in range(8)]
    assert {future.result(10) for future in answers} == {LACKS}
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("held", "sentence"),
    [
        (
            "mail.send",
            "the account has no such product, for it is not marked `sender_verification_eligible`.",
        ),
        ("sender_verification_eligible", "the account has no such product."),
    ],
)
def test_flag_of_the_account_cannot_be_ticked(make_client: MakeClient, held: str, sentence: str) -> None:
    assert Permissions(make_client(Script(scopes(held)))).sentence(FLAGGED) == sentence


@pytest.mark.parametrize("collection", OBJECT_COLLECTIONS, ids=lambda collection: collection.table)
def test_every_permission_has_its_name_on_sendgrids_page(make_client: MakeClient, collection: object) -> None:
    wanted = [scope for scope in collection.scopes if "." in scope]  # type: ignore[attr-defined]
    sentence = Permissions(make_client(Script(scopes()))).sentence(collection)  # type: ignore[arg-type]
    assert all(f"`{scope}`" in sentence for scope in wanted)
    assert sentence.count(" (`") >= bool(wanted)
    assert API_KEY not in sentence
