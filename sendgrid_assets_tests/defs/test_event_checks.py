"""The events' checks: what did not fit and what was no event is counted, and the warning stands for a while."""

from __future__ import annotations

import datetime as dt
from typing import Any

import dagster as dg
import pytest

from sendgrid_assets_tests.site import Site

LANDING = dg.AssetKey(["sendgrid", "landing"])
FITS, ACCEPTED = "every_value_fits_its_column", "every_line_is_an_event"
NOW = 1_780_000_000


def event(n: int, kind: str = "open", **fields: Any) -> dict[str, Any]:
    return {
        "sg_event_id": f"id-{n}",
        "event": kind,
        "timestamp": NOW + n,
        "email": "reader@example.com",
        **fields,
    }


def drained(site: Site, *events: dict[str, Any]) -> dg.ExecuteInProcessResult:
    site.post(list(events))
    result = site.run("sendgrid_drain")
    assert result.success
    return result


def results(site: Site, check: str) -> list[dg.AssetCheckEvaluation]:
    """What was ever told of a check, the latest first."""
    history = site.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(LANDING, check), limit=100
    )
    return [record.evaluation for record in history if record.evaluation]


def latest(site: Site, check: str) -> tuple[bool, dict[str, int]]:
    newest = results(site, check)[0]
    assert newest.severity is dg.AssetCheckSeverity.WARN
    counts: Any = {name: entry.value for name, entry in newest.metadata.items()}
    return newest.passed, counts


def aged(site: Site, hours: float) -> None:
    """Makes what was told of the checks so much older."""
    storage: Any = site.instance.event_log_storage
    with storage.index_connection() as connection:
        found = connection.exec_driver_sql("SELECT id, create_timestamp FROM asset_check_executions").all()
        for number, made in found:
            then = dt.datetime.fromisoformat(str(made)) - dt.timedelta(hours=hours)
            connection.exec_driver_sql(
                "UPDATE asset_check_executions SET create_timestamp = ? WHERE id = ?",
                (then.isoformat(" "), number),
            )


def test_the_checks_are_there_to_be_seen(site: Site) -> None:
    graph = site.definitions.resolve_asset_graph()
    keys = graph.get_check_keys_for_assets({LANDING})
    assert {key.name for key in keys} == {FITS, ACCEPTED}
    assert all(graph.get_check_spec(key).description for key in keys)


def test_what_did_not_fit_is_counted_by_table_and_column(site: Site) -> None:
    drained(
        site,
        event(1, asm_group_id="many"),
        event(2, asm_group_id="few", send_at="now and then"),
        event(3, "click", asm_group_id=[1]),
        event(4, asm_group_id=7, plan="large"),
    )
    assert latest(site, FITS) == (
        False,
        {"count": 4, "click.asm_group_id": 1, "open.asm_group_id": 2, "open.send_at": 1},
    )
    description = results(site, FITS)[0].description
    assert "open.asm_group_id 2" in (description or "")
    assert "many" not in (description or "")
    assert latest(site, ACCEPTED) == (True, {"count": 0})


@pytest.mark.parametrize(
    "fields",
    [
        {"plan": "large", "nested": {"asm_group_id": "x"}},
        {"message_id": "mine", "duplicate_of": "mine", "loaded_at": "mine"},
        {"type": "mine", "reason": "theirs"},
        {"newsletter": {"edition": 3}},
        {"asm_group_id": None, "send_at": ""},
    ],
    ids=["their own", "our columns' names", "other types' columns", "unknown within an object", "nothing"],
)
def test_arguments_of_the_senders_own_are_no_misfits(site: Site, fields: dict[str, Any]) -> None:
    drained(site, event(1, **fields))
    assert latest(site, FITS) == (True, {"count": 0})


def test_a_value_within_an_object_that_does_not_fit_is_counted(site: Site) -> None:
    drained(site, event(1, "processed", pool={"id": "no number", "name": "shared"}))
    assert latest(site, FITS) == (False, {"count": 1, "processed.pool_id": 1})


@pytest.mark.parametrize("whole", ["shared", 5, [7]])
def test_a_value_where_an_object_should_be_is_counted_once(site: Site, whole: object) -> None:
    drained(site, event(1, "processed", pool=whole), event(2, "processed", pool=None))
    passed, counts = latest(site, FITS)
    assert (passed, counts.pop("count")) == (False, 1)
    assert [column.partition("_")[0] for column in counts] == ["processed.pool"]


def test_lines_that_are_no_events_are_counted_by_reason(site: Site) -> None:
    drained(
        site,
        {"event": "open"},
        {"timestamp": NOW},
        {"event": "open", "timestamp": "soon"},
        {"event": "click"},
    )
    assert latest(site, ACCEPTED) == (
        False,
        {"count": 4, "bad_timestamp": 1, "no_event": 1, "no_timestamp": 2},
    )
    assert latest(site, FITS) == (True, {"count": 0})


def test_only_what_this_drain_loaded_is_counted(site: Site) -> None:
    drained(site, event(1, asm_group_id="many"), {"event": "open"})
    drained(site, event(2, send_at="never"), {"timestamp": NOW})
    assert latest(site, FITS) == (False, {"count": 1, "open.send_at": 1})
    assert latest(site, ACCEPTED) == (False, {"count": 1, "no_event": 1})


def test_a_warning_stands_for_a_day_and_is_repeated_by_the_hour(site: Site) -> None:
    drained(site, event(1, asm_group_id="many"))
    drained(site, event(2))
    drained(site, event(3, asm_group_id="many"))
    assert [found.passed for found in results(site, FITS)] == [False]
    aged(site, 2)
    drained(site, event(4, asm_group_id="many"))
    assert [found.passed for found in results(site, FITS)] == [False, False]
    drained(site, event(5))
    aged(site, 25)
    drained(site, event(6))
    assert [found.passed for found in results(site, FITS)] == [True, False, False]
    drained(site, event(7))
    assert len(results(site, FITS)) == 3


def test_a_warning_is_shown_whatever_is_materialized_after_it(site: Site) -> None:
    drained(site, event(1, asm_group_id="many"))
    for n in range(2, 4):
        drained(site, event(n))
    [table] = site.instance.fetch_materializations(dg.AssetKey(["sendgrid", "open"]), limit=1).records
    warning = site.instance.get_latest_asset_check_evaluation_record(dg.AssetCheckKey(LANDING, FITS))
    assert warning
    assert warning.evaluation
    assert not warning.evaluation.passed
    assert table.timestamp > warning.create_timestamp
    # Dagster calls a result outdated once its asset is materialized again.
    assert not site.instance.get_latest_materialization_event(LANDING)


def test_a_drain_plans_no_check_and_reports_nothing_where_nothing_came(site: Site) -> None:
    assert site.run("sendgrid_drain").success
    assert results(site, FITS) == []
    result = drained(site, event(1))
    assert not [e for e in result.all_events if e.event_type_value.startswith("ASSET_CHECK")]
    drained(site, event(2))
    assert len(results(site, FITS)) == 1


def test_started_by_hand_the_checks_look_at_a_days_events(site: Site) -> None:
    drained(site, event(1, asm_group_id="many"), {"event": "open"})
    drained(site, event(2, asm_group_id="few"))
    keys = [dg.AssetCheckKey(LANDING, name) for name in (FITS, ACCEPTED)]
    selection: Any = dg.AssetSelection.checks(*keys)
    by_hand = dg.define_asset_job("by_hand", selection=selection)
    merged = dg.Definitions.merge(site.definitions, dg.Definitions(jobs=[by_hand]))
    result = merged.resolve_job_def("by_hand").execute_in_process(instance=site.instance)
    found = {
        one.check_name: (one.passed, one.metadata["count"].value)
        for one in result.get_asset_check_evaluations()
    }
    assert found == {FITS: (False, 2), ACCEPTED: (False, 1)}
