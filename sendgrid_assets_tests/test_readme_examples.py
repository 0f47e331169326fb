"""README's examples, run as they stand there."""

from __future__ import annotations

import re

import dagster as dg
import yaml

from .processes import ROOT
from .site import Site

README = (ROOT / "README.md").read_text(encoding="utf-8")


def _block(language: str, word: str) -> str:
    """The one block in that language with the word in it."""
    (found,) = (
        block for block in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if word in block
    )
    return str(found)


def test_an_asset_of_the_users_own_is_upserted(site: Site) -> None:
    names = {"dg": dg}
    exec(compile(_block("python", "primary_key"), "README.md", "exec"), names)
    site.sync("recipients")
    theirs = dg.Definitions.merge(site.definitions, dg.Definitions(assets=[names["recipient_domains"]]))
    job = theirs.resolve_implicit_global_asset_job_def()
    selected = [dg.AssetKey(["sendgrid", "recipient_domains"])]
    assert job.execute_in_process(instance=site.instance, asset_selection=selected).success
    (total,) = site.query("SELECT sum(recipients) FROM sendgrid.recipient_domains WHERE deleted_at IS NULL")[
        0
    ]
    assert total == len(site.account.recipients)


def test_the_history_query_tells_what_was_lifted(site: Site) -> None:
    site.sync("suppression_bounces")
    site.account.bounces.pop()
    site.sync("suppression_bounces", run_config=yaml.safe_load(_block("yaml", "full_refresh")))
    (row,) = site.query(_block("sql", "_sendgrid_assets.changes"))
    assert row[1:] == ("suppression_bounces", 0, 1)


def test_the_launchpad_config_asks_for_everything(site: Site) -> None:
    config = yaml.safe_load(_block("yaml", "full_refresh"))
    site.sync("suppression_bounces")
    site.account.requests.clear()
    assert site.sync("suppression_bounces", run_config=config).success
    assert [path for _, path in site.account.requests if "start_time" in path] == []
    site.sync("suppression_bounces")
    assert [path for _, path in site.account.requests if "start_time" in path] != []
