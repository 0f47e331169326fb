"""A user's own assets beside ours: DataFrames through the same I/O manager."""

import dagster as dg
import pandas as pd
import pytest

from sendgrid_assets_tests.site import Site


def test_an_asset_of_the_users_own_comes_and_goes_as_a_dataframe(site: Site) -> None:
    site.sync("lists")

    @dg.asset(
        key=["sendgrid", "list_owners"],
        io_manager_key="sendgrid_tables",
        metadata={"primary_key": ["list_id"]},
        ins={"lists": dg.AssetIn(key=["sendgrid", "lists"])},
    )
    def list_owners(lists: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"list_id": lists["id"], "owner": "marketing"})

    theirs = dg.Definitions.merge(site.definitions, dg.Definitions(assets=[list_owners]))
    for _ in range(2):
        result = theirs.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=site.instance, asset_selection=[list_owners.key]
        )
        assert result.success
    owned = site.query("SELECT count(*), count(DISTINCT list_id), max(owner) FROM sendgrid.list_owners")
    assert owned == [(len(site.account.lists), len(site.account.lists), "marketing")]


def test_a_frame_without_a_declared_key_is_told_what_to_declare(site: Site) -> None:
    @dg.asset(key=["sendgrid", "keyless"], io_manager_key="sendgrid_tables")
    def keyless() -> pd.DataFrame:
        return pd.DataFrame({"a": [1]})

    theirs = dg.Definitions.merge(site.definitions, dg.Definitions(assets=[keyless]))
    result = theirs.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=site.instance, asset_selection=[keyless.key], raise_on_error=False
    )
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "primary_key" in str(failure.step_failure_data.user_failure_data)


def test_events_come_as_a_dataframe(site: Site) -> None:
    site.post(site.traffic.batch(30))
    site.run("sendgrid_drain")
    seen: list[int] = []

    @dg.asset(ins={"activity": dg.AssetIn(key=["sendgrid", "activity"])})
    def looked(activity: pd.DataFrame) -> None:
        seen.append(len(activity))

    theirs = dg.Definitions.merge(site.definitions, dg.Definitions(assets=[looked]))
    assert (
        theirs.resolve_implicit_global_asset_job_def()
        .execute_in_process(instance=site.instance, asset_selection=[looked.key])
        .success
    )
    assert seen == [site.query("SELECT count(*) FROM sendgrid.activity")[0][0]]


def test_a_frame_that_does_not_fit_its_table_shows_none_of_its_values(
    site: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    values: list[object] = [1]

    @dg.asset(key=["sendgrid", "scores"], io_manager_key="sendgrid_tables", metadata={"primary_key": ["k"]})
    def scores() -> pd.DataFrame:
        return pd.DataFrame({"k": ["a"], "n": values})

    theirs = dg.Definitions.merge(site.definitions, dg.Definitions(assets=[scores]))
    for value, success in ((1, True), ("somebody@example.com", False)):
        values[0] = value
        result = theirs.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=site.instance, asset_selection=[scores.key], raise_on_error=False
        )
        assert result.success is success
    assert "sendgrid.scores does not fit" in str(result.all_events)
    logged = site.instance.all_logs(result.run_id)
    assert "somebody@example.com" not in str(logged) + "".join(capfd.readouterr())
