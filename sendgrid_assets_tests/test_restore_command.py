"""`sendgrid-assets restore`: from lost or damaged to all events again, in the command's own words."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import duckdb

from .processes import call, environment, ours
from .site import Site


def restored(site: Site, *arguments: str) -> CompletedProcess[str]:
    return call(*ours("restore", *arguments), cwd=site.folder, env=environment(**site.variables))


def filled(site: Site) -> int:
    """Publishes thirty events, then loads twenty more that are not published."""
    site.post(site.traffic.batch(30))
    assert site.run("sendgrid_drain").success
    copy = site.settings.published
    assert copy
    before = copy.read_bytes()
    site.post(site.traffic.batch(20))
    assert site.run("sendgrid_drain").success
    loaded: int = site.query("SELECT sum(events) FROM _sendgrid_assets.loaded_files")[0][0]
    copy.chmod(0o644)
    copy.write_bytes(before)
    return loaded


def test_a_damaged_warehouse_is_whole_again_after_a_restore_and_a_drain(site: Site) -> None:
    events = filled(site)
    warehouse = site.settings.warehouse
    warehouse.write_bytes(b"damaged" * 1000)
    assert not site.run("sendgrid_drain").success
    done = restored(site)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{warehouse} is a copy of {site.settings.published}, as it was published 20" in done.stdout
    (moved,) = warehouse.parent.glob("warehouse.duckdb.replaced-*")
    assert f"What stood there is {moved}: remove it when" in done.stdout
    assert moved.read_bytes() == b"damaged" * 1000
    assert "Start Dagster again. The next drain" in done.stdout
    assert "kept for 30 days" in done.stdout
    assert "not in either" not in done.stdout
    assert site.run("sendgrid_drain").success
    assert site.query("SELECT sum(events) FROM _sendgrid_assets.loaded_files") == [(events,)]
    assert site.query("SELECT count(*) FROM sendgrid.activity") == [(events,)]


def test_one_that_can_be_read_needs_force(site: Site) -> None:
    filled(site)
    done = restored(site)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "--force" in done.stderr
    assert done.stderr.count("\n") == 1
    assert restored(site, "--force").returncode == 0


def test_another_copy_is_named_with_from(site: Site, tmp_path: Path) -> None:
    filled(site)
    assert site.settings.published
    copy = tmp_path / "backup.duckdb"
    site.settings.published.rename(copy)
    site.settings.warehouse.unlink()
    missing = restored(site)
    assert missing.returncode == 1
    assert "published.duckdb is no file: give a copy of the warehouse with --from" in missing.stderr
    done = restored(site, "--from", str(copy))
    assert done.returncode == 0
    assert f"is a copy of {copy}" in done.stdout


def test_with_no_published_file_a_copy_must_be_named(site: Site) -> None:
    site.variables["SENDGRID_PUBLISHED"] = "off"
    done = restored(site)
    assert done.returncode == 1
    assert "SENDGRID_PUBLISHED is off: name a copy of the warehouse with --from" in done.stderr


def test_events_that_are_in_neither_are_told_of(site: Site) -> None:
    site.run("sendgrid_drain")
    site.settings.warehouse.unlink()
    site.variables["SENDGRID_DONE_RETENTION_DAYS"] = "2"
    assert site.settings.published
    with duckdb.connect(site.settings.published) as connection:
        connection.execute(
            "UPDATE _sendgrid_assets.published SET published_at = published_at - INTERVAL 3 DAY"
        )
    done = restored(site)
    assert "kept for 2 days" in done.stdout
    assert (
        "Events that landed before those days and after that copy was made are not in either" in done.stdout
    )
