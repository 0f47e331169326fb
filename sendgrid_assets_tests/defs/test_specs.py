"""Everything that Dagster shows and others rely on, held against a snapshot."""

from __future__ import annotations

from typing import Any

import dagster as dg
from syrupy.assertion import SnapshotAssertion

from sendgrid_assets.defs.build import build_definitions
from sendgrid_assets.settings import load_settings


def _definitions(**variables: str) -> dg.Definitions:
    return build_definitions(load_settings(variables))


def _shown(spec: dg.AssetSpec) -> dict[str, Any]:
    columns = spec.metadata.get("dagster/column_schema")
    return {
        "group": spec.group_name,
        "description": spec.description,
        "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
        "kinds": sorted(spec.kinds),
        "table": spec.metadata.get("dagster/table_name"),
        "key": spec.metadata.get("primary_key"),
        "columns": [f"{column.name} {column.type}" for column in columns.columns] if columns else None,
    }


def test_all_asset_specs(snapshot: SnapshotAssertion) -> None:
    specs = _definitions(SENDGRID_DATA_DIR="data").resolve_all_asset_specs()
    assert {spec.key.to_user_string(): _shown(spec) for spec in specs} == snapshot


def test_jobs_schedules_sensors_checks_and_resources(snapshot: SnapshotAssertion) -> None:
    definitions = _definitions()
    repository = definitions.get_repository_def()
    assert {
        "jobs": sorted(job.name for job in repository.get_all_jobs()),
        "schedules": sorted(schedule.name for schedule in repository.schedule_defs),
        "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
        "resources": sorted(definitions.resources or {}),
        "checks": sorted(
            f"{key.asset_key.to_user_string()}:{key.name}" for key in repository.asset_graph.asset_check_keys
        ),
    } == snapshot


def test_every_asset_has_a_description_and_every_table_its_columns() -> None:
    for spec in _definitions().resolve_all_asset_specs():
        assert spec.description, spec.key
        if "dagster/table_name" in spec.metadata:
            assert all(column.description for column in spec.metadata["dagster/column_schema"].columns)


def test_sources_stand_side_by_side() -> None:
    definitions = _definitions(SENDGRID_SOURCES="prod,marketing_eu", PROD_SCHEMA="sendgrid_prod")
    dg.Definitions.validate_loadable(definitions)
    keys = {key.to_user_string() for key in definitions.resolve_all_asset_keys()}
    assert {
        "prod/lists",
        "marketing_eu/lists",
        "prod/open",
        "marketing_eu/open",
        "warehouse/published",
    } <= keys
    lists = definitions.resolve_assets_def(dg.AssetKey(["prod", "lists"])).specs_by_key
    assert next(iter(lists.values())).metadata["dagster/table_name"] == "sendgrid_prod.lists"
    jobs = {job.name for job in definitions.get_repository_def().get_all_jobs()}
    assert {"prod_sync", "prod_drain", "marketing_eu_sync", "marketing_eu_drain", "publish"} <= jobs


def test_it_merges_into_another_project() -> None:
    @dg.asset(key=["sendgrid", "mine"], deps=[dg.AssetKey(["sendgrid", "lists"])])
    def mine() -> None: ...

    theirs = dg.Definitions(
        assets=[mine],
        jobs=[dg.define_asset_job("sync", selection=dg.AssetSelection.assets(mine))],
        resources={"warehouse": object(), "io_manager": dg.mem_io_manager},
        executor=dg.multiprocess_executor,
    )
    merged = dg.Definitions.merge(theirs, _definitions())
    dg.Definitions.validate_loadable(merged)
    assert mine.key in merged.resolve_all_asset_keys()


def test_selective_sync_makes_only_the_named_assets() -> None:
    definitions = _definitions(SENDGRID_COLLECTIONS="lists,mc_contacts")
    assets = {
        spec.key.path[-1]
        for spec in definitions.resolve_all_asset_specs()
        if spec.group_name not in ("events", "insights")
    }
    assert assets == {"lists", "mc_contacts", "sendgrid_api", "landing", "published"}


def test_parts_can_be_replaced() -> None:
    replaced = object()
    definitions = build_definitions(load_settings({}), resources={"sendgrid_account": replaced})
    assert (definitions.resources or {})["sendgrid_account"] is replaced


def test_no_key_is_in_what_dagster_stores() -> None:
    definitions = _definitions(SENDGRID_API_KEY="SG.secret-marker")
    job = definitions.resolve_job_def("sendgrid_sync")
    assert "secret-marker" not in dg.serialize_value(job.get_job_snapshot())
