"""Whether SendGrid sends to an address now, and why not."""

from __future__ import annotations

import datetime as dt

from sendgrid_assets.warehouse.schema import SourceSchema
from sendgrid_assets_tests.warehouse.conftest import Row, Store, at

from .conftest import part, rows

VIEW = "suppression_state"
NAMES = ("kinds", "suppressed", "suppressed_groups", "since", "lifted_kinds", "lifted_at")


def _on(email: str, day: int, **fields: object) -> Row:
    """An entry made on a day of March 2026."""
    made = int(dt.datetime(2026, 3, day, tzinfo=dt.UTC).timestamp())
    return {"email": email, "created": made, "created_at": made} | fields


def _lift(store: Store, table: str, email: str, day: int) -> None:
    """The entry was found gone on a day of March 2026."""
    with store.warehouse.open() as connection:
        connection.execute(
            f"UPDATE sendgrid.{table} SET deleted_at = ? WHERE email = ?", [at(2026, 3, day), email]
        )


def _state(store: Store) -> dict[str, tuple[object, ...]]:
    return {row["email"]: tuple(part(row, *NAMES).values()) for row in rows(store, VIEW)}


def test_every_list_holds_mail_back_but_blocks(store: Store) -> None:
    for day, name in enumerate(("bounces", "invalid_emails", "spam_reports", "unsubscribes", "blocks"), 1):
        store.sync(f"suppression_{name}", _on(f"{name}@example.com", day), _on("Casey@Example.com", 10 - day))
    since = {"bounces": 1, "invalid_emails": 2, "spam_reports": 3, "unsubscribes": 4}
    assert _state(store) == {
        **{
            f"{name}@example.com": ([name], True, [], at(2026, 3, day), [], None)
            for name, day in since.items()
        },
        # On all four, the earliest of them of the sixth; blocked earlier still, which does not count.
        "casey@example.com": (sorted(since), True, [], at(2026, 3, 6), [], None),
    }


def test_who_left_groups_gets_other_mail(store: Store) -> None:
    store.sync("suppression_groups", {"id": 12, "name": "Offers"})
    store.sync(
        "suppression_group_members",
        _on("groups@example.com", 5, group_id=12, group_name="an older name"),
        _on("groups@example.com", 4, group_id=3, group_name="News"),
        _on("groups@example.com", 6, group_id=9),
        _on("both@example.com", 2, group_id=9),
    )
    store.sync("suppression_unsubscribes", _on("both@example.com", 3))
    assert _state(store) == {
        "groups@example.com": (
            ["group:9", "group:News", "group:Offers"], False, [3, 9, 12], at(2026, 3, 4), [], None,
        ),
        # Since it is suppressed, not since it left the group.
        "both@example.com": (["group:9", "unsubscribes"], True, [9], at(2026, 3, 3), [], None),
    }  # fmt: skip


def test_what_is_lifted(store: Store) -> None:
    store.sync("suppression_bounces", *(_on(f"{name}@example.com", 1) for name in ("all", "one", "rest")))
    store.sync("suppression_unsubscribes", *(_on(f"{name}@example.com", 2) for name in ("all", "one")))
    store.sync(
        "suppression_group_members",
        _on("rest@example.com", 3, group_id=9),
        _on("one@example.com", 3, group_id=9),
    )
    _lift(store, "suppression_group_members", "one@example.com", 10)
    _lift(store, "suppression_bounces", "all@example.com", 20)
    _lift(store, "suppression_unsubscribes", "all@example.com", 10)
    _lift(store, "suppression_bounces", "one@example.com", 20)
    _lift(store, "suppression_bounces", "rest@example.com", 20)
    assert _state(store) == {
        "all@example.com": ([], False, [], None, ["bounces", "unsubscribes"], at(2026, 3, 20)),
        "one@example.com": (["unsubscribes"], True, [], at(2026, 3, 2), ["bounces", "group:9"], None),
        "rest@example.com": (["group:9"], False, [9], at(2026, 3, 3), ["bounces"], None),
    }


def test_an_address_that_a_sync_no_longer_finds(store: Store) -> None:
    store.sync("suppression_bounces", _on("casey@example.com", 1), _on("kim@example.com", 1))
    store.sync("suppression_bounces", _on("kim@example.com", 1))
    ((found,),) = store.query(
        "SELECT deleted_at FROM sendgrid.suppression_bounces WHERE deleted_at IS NOT NULL"
    )
    assert _state(store)["casey@example.com"] == ([], False, [], None, ["bounces"], found)
    assert _state(store)["kim@example.com"][1]


def test_without_an_instant_of_sendgrids_it_is_since_it_was_seen(store: Store) -> None:
    store.sync("suppression_bounces", {"email": "casey@example.com"})
    store.sync("suppression_group_members", {"email": "kim@example.com", "group_id": 9})
    ((bounced,),) = store.query("SELECT first_synced_at FROM sendgrid.suppression_bounces")
    ((left,),) = store.query("SELECT first_synced_at FROM sendgrid.suppression_group_members")
    assert [row["since"] for row in rows(store, VIEW)] == [bounced, left]


def test_one_address_written_in_two_ways_is_one(store: Store) -> None:
    store.sync("suppression_bounces", _on("Casey@example.com", 2), _on("casey@example.com", 1))
    assert _state(store) == {"casey@example.com": (["bounces"], True, [], at(2026, 3, 1), [], None)}


def test_sources_stand_apart(store: Store) -> None:
    store.change(schemas=(SourceSchema("sendgrid", "sendgrid"), SourceSchema("eu", "eu")))
    store.sync("suppression_bounces", _on("casey@example.com", 1))
    store.sync("suppression_bounces", _on("kim@example.com", 1), source="eu")
    assert [row["email"] for row in rows(store, VIEW)] == ["casey@example.com"]
    assert [row["email"] for row in rows(store, VIEW, source="eu")] == ["kim@example.com"]


def test_without_suppressions_there_are_no_rows(store: Store) -> None:
    store.sync("suppression_blocks", _on("casey@example.com", 1))
    assert rows(store, VIEW) == []
