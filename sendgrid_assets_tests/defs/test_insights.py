"""Insights in Dagster: lineage from the tables they read, current in the published file, materialized on demand."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pandas as pd

from sendgrid_assets.catalog.insights import INSIGHTS
from sendgrid_assets.defs.build import build_definitions
from sendgrid_assets.settings import load_settings
from sendgrid_assets_tests.site import Site

VIEWS = [insight.view for insight in INSIGHTS]


def key(table: str) -> dg.AssetKey:
    return dg.AssetKey(["sendgrid", table])


def upstream(of: str, **variables: str) -> set[str]:
    graph = build_definitions(load_settings(variables)).resolve_asset_graph()
    return {parent.path[-1] for parent in graph.get(key(of)).parent_keys}


def delivered(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "email": f"reader{number}@example.com",
        "event": "delivered",
        "timestamp": 1_719_000_000 + number,
        "sg_event_id": f"event-{number}",
        "sg_message_id": f"message-{number}.filter.1",
    } | fields


def test_each_is_downstream_of_what_it_reads_and_upstream_of_the_published_file() -> None:
    assert {"delivered", "bounce", "open", "click"} <= upstream("email_daily")
    assert {"mc_single_sends", "mc_single_send_stats"} <= upstream("single_send_performance")
    graph = build_definitions(load_settings({})).resolve_asset_graph()
    published = graph.get(dg.AssetKey(["warehouse", "published"])).parent_keys
    assert {key(view) for view in VIEWS} <= set(published)
    assert {graph.get(key(view)).group_name for view in VIEWS} == {"insights"}


def test_a_collection_that_is_not_synced_is_no_node_of_the_lineage() -> None:
    assert "mc_single_sends" not in upstream("single_send_performance", SENDGRID_COLLECTIONS="lists")
    assert "delivered" in upstream("single_send_performance", SENDGRID_COLLECTIONS="lists")


def test_a_drain_leaves_them_current_in_the_published_file(site: Site) -> None:
    site.post([delivered(1), delivered(2)])
    site.run("sendgrid_drain")
    assert site.query("SELECT day::VARCHAR, delivered FROM sendgrid.email_daily") == [("2024-06-21", 2)]
    site.post([delivered(2), delivered(3)])
    site.run("sendgrid_drain")
    assert site.query("SELECT day::VARCHAR, delivered FROM sendgrid.email_daily") == [("2024-06-21", 3)]


def test_the_days_are_those_of_the_time_zone_that_is_set(site: Site) -> None:
    site.variables["SENDGRID_TIME_ZONE"] = "Asia/Tokyo"
    site.post([delivered(1)])
    site.run("sendgrid_drain")
    assert site.query("SELECT day::VARCHAR, delivered FROM sendgrid.email_daily") == [("2024-06-22", 1)]


def test_materializing_them_shows_how_many_rows_they_have(site: Site) -> None:
    site.post([delivered(1), delivered(2)])
    site.run("sendgrid_drain")
    done = site.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=site.instance, asset_selection=[key(view) for view in VIEWS]
    )
    rows = {
        event.asset_key.path[-1]: event.step_materialization_data.materialization.metadata[
            "dagster/row_count"
        ].value
        for event in done.get_asset_materialization_events()
        if event.asset_key and event.asset_key.path[0] == "sendgrid"
    }
    assert set(rows) == set(VIEWS)
    assert (rows["messages"], rows["email_daily"], rows["list_growth"]) == (2, 1, 0)


def test_a_sync_tells_dagster_of_them_and_a_drain_does_not(site: Site) -> None:
    site.post([delivered(1), delivered(2)])
    site.run("sendgrid_drain")
    assert site.instance.get_latest_materialization_event(key("messages")) is None
    site.sync("lists")
    for view, rows in {"messages": 2, "email_daily": 1, "bounce_reasons": 0}.items():
        event = site.instance.get_latest_materialization_event(key(view))
        assert event is not None
        assert event.asset_materialization is not None
        assert event.asset_materialization.metadata["dagster/row_count"].value == rows


def test_an_asset_of_ones_own_takes_one_as_a_frame_with_what_was_just_loaded(site: Site) -> None:
    taken: list[pd.DataFrame] = []

    @dg.asset(ins={"messages": dg.AssetIn(key=["sendgrid", "messages"])}, deps=[key("delivered")])
    def mine(messages: pd.DataFrame) -> None:
        taken.append(messages)

    site.post([delivered(1), delivered(2)])
    site.run("sendgrid_drain")
    site.post([delivered(3)])
    definitions = dg.Definitions.merge(site.definitions, dg.Definitions(assets=[mine]))
    job = definitions.resolve_implicit_global_asset_job_def()
    selection = [key("delivered"), dg.AssetKey("mine")]
    assert job.execute_in_process(instance=site.instance, asset_selection=selection).success
    assert sorted(taken[0]["message_id"]) == ["message-1", "message-2", "message-3"]
