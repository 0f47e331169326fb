"""Mail put off: how often, and how long until it was delivered."""

from __future__ import annotations

from sendgrid_assets_tests.warehouse.conftest import Store, at

from .conftest import insight, load, rows, sent


def test_a_deferred_message_that_is_delivered_in_the_end(store: Store) -> None:
    found = insight(
        store,
        "deferrals",
        sent("processed", "2026-03-02T12:00:00", email="Casey@Example.com"),
        sent("deferred", "2026-03-02T12:00:10", email="Casey@Example.com", attempt="1"),
        sent("deferred", "2026-03-02T12:05:10", email="Casey@Example.com", attempt="4"),
        sent("delivered", "2026-03-02T12:30:00", email="Casey@Example.com"),
        sent("processed", "2026-03-02T12:00:00", "never deferred"),
        sent("delivered", "2026-03-02T12:00:01", "never deferred"),
    )
    assert found == [
        {
            "message_id": "m1",
            "email": "Casey@Example.com",
            "domain": "example.com",
            "attempts": 4,
            "first_deferred_at": at(2026, 3, 2, 12, 0, 10),
            "delivered_at": at(2026, 3, 2, 12, 30),
            "seconds_to_delivery": 1800.0,
        }
    ]


def test_what_is_missing(store: Store) -> None:
    found = insight(
        store,
        "deferrals",
        # Three deferrals that bear no number, and no `processed`.
        *(sent("deferred", f"2026-03-02T12:00:0{n}", "unnumbered") for n in (1, 2, 3)),
        sent("delivered", "2026-03-02T12:00:31.500", "unnumbered"),
        # Not delivered; and events that name nobody, and no domain.
        sent("processed", "2026-03-02T12:00:00", "waiting"),
        sent("deferred", "2026-03-02T12:00:05", "waiting", attempt="2"),
        sent("deferred", "2026-03-02T12:00:05", "nobody", email=None, attempt="1"),
        sent("deferred", "2026-03-02T12:00:05", "odd", email="no address", attempt="1"),
    )
    said = {row["message_id"]: row for row in found}
    assert {name: (row["attempts"], row["seconds_to_delivery"]) for name, row in said.items()} == {
        "unnumbered": (3, 30.0),
        "waiting": (2, None),
        "nobody": (1, None),
        "odd": (1, None),
    }
    assert (said["waiting"]["domain"], said["waiting"]["delivered_at"]) == ("example.com", None)
    assert (said["nobody"]["email"], said["nobody"]["domain"]) == (None, None)
    assert (said["odd"]["email"], said["odd"]["domain"]) == ("no address", None)


def test_a_delivery_that_comes_late_is_added(store: Store) -> None:
    load(store, sent("processed", "2026-03-02T12:00:00"), sent("deferred", "2026-03-02T12:00:05"))
    (row,) = rows(store, "deferrals")
    assert row["seconds_to_delivery"] is None
    (row,) = insight(store, "deferrals", sent("delivered", "2026-03-04T12:00:00"))
    assert row["seconds_to_delivery"] == 172800.0


def test_a_retry_under_a_new_id_is_no_attempt(store: Store) -> None:
    first = sent("deferred", "2026-03-02T12:00:05")
    (row,) = insight(store, "deferrals", first, first | {"sg_event_id": "another"})
    assert row["attempts"] == 1


def test_without_deferrals_there_are_no_rows(store: Store) -> None:
    assert insight(store, "deferrals", sent("delivered", "2026-03-02T12:00:00")) == []
