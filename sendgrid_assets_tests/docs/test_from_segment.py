"""The page "from Segment": today's, and true of a warehouse with Segment's views."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from sendgrid_assets.catalog.events import EVENT_COLLECTIONS
from sendgrid_assets.catalog.insights import INSIGHTS
from sendgrid_assets.catalog.objects import OBJECT_COLLECTIONS
from sendgrid_assets.docs.from_segment import COLLECTIONS, FILE, filled_in
from sendgrid_assets_tests.processes import ROOT
from sendgrid_assets_tests.site import Site, make_site

PAGE = FILE.read_text(encoding="utf-8")
SQL = [
    re.sub(r"^  ", "", block, flags=re.MULTILINE)
    for block in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
]
EVENT_TABLES = [events.table for events in EVENT_COLLECTIONS]
OBJECT_TABLES = [collection.table for collection in OBJECT_COLLECTIONS]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with Segment's views, a list that SendGrid no longer has, and events."""
    folder: Path = tmp_path_factory.mktemp("segment") / "site"
    folder.mkdir()
    with make_site(folder, SENDGRID_SEGMENT_VIEWS="true") as site:
        site.sync("lists", "recipients", "campaigns", "custom_fields")
        site.account.lists.pop()
        site.sync("lists")
        site.post(site.traffic.batch(300))
        assert site.run("sendgrid_drain").success
        yield site


def _columns(site: Site, table: str) -> dict[str, str]:
    return dict(
        site.query(
            "SELECT column_name, data_type FROM duckdb_columns()"
            f" WHERE schema_name = 'sendgrid' AND table_name = '{table}' ORDER BY column_index"
        )
    )


def _section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def test_its_tables_are_todays() -> None:
    assert filled_in(PAGE) == PAGE, "run python -m sendgrid_assets.docs.from_segment"


def test_every_collection_of_segment_has_a_table_and_the_views_it_names(site: Site) -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| \w+ \| \[`(\w+)`\]\(\S+\) \| (.*?) \|", _section("Tables"), re.MULTILINE
    )
    assert [(theirs, ours) for theirs, ours, _ in rows] == list(COLLECTIONS.items())
    for _, ours, views in rows:
        names = re.findall(r"`(\w+)`", views)
        assert names
        for table in (ours, *names):
            assert _columns(site, table), table


def test_nothing_we_have_is_left_out() -> None:
    told = set(re.findall(r"\[`(\w+)`\]", _section("What is here and not in Segment")))
    views = {insight.view for insight in INSIGHTS}
    assert told | set(COLLECTIONS.values()) - {"activity"} == {*EVENT_TABLES, *OBJECT_TABLES, *views}
    assert told & set(COLLECTIONS.values()) == set()


@pytest.mark.parametrize(
    ("title", "tables"),
    [
        ("Columns of event tables", ["activity"]),
        ("Columns of object tables", ["lists", "segments", "recipients", "campaigns"]),
    ],
)
def test_every_column_it_names_is_there(site: Site, title: str, tables: list[str]) -> None:
    there = set().union(*(_columns(site, table) for table in tables))
    named = []
    for row in _section(title).splitlines()[2:]:
        theirs, ours = [*row.split("|"), "", "", ""][1:3]
        # Where nothing differs, Segment's names are ours.
        cell = theirs if ours.strip() in ("the same", "the same name, text") else ours
        named += [name.split(".")[-1] for name in re.findall(r"`([\w.]+)`", cell)]
    named = [name for name in named if name not in ("TIMESTAMP", "event")]
    assert len(named) > 6
    assert [name for name in named if name not in there] == []


def test_the_types_it_tells_of(site: Site) -> None:
    types = _columns(site, "activity")
    told = {"timestamp": "TIMESTAMP", "category": "VARCHAR[]", "attempt": "BIGINT", "tls": "BOOLEAN"}
    assert {column: types[column] for column in told} == told
    assert types["marketing_campaign_id"] == "VARCHAR"
    for table in ("lists", "segments", "recipients", "campaigns"):
        assert _columns(site, table)["id"] == "VARCHAR"


def test_the_event_views_have_segments_columns_and_types(site: Site) -> None:
    types = {"timestamp": "BIGINT", "category": "VARCHAR", "attempt": "VARCHAR", "tls": "INTEGER"}
    for table, view in [
        *((table, f"{table}_view") for table in (*EVENT_TABLES, "activity")),
        ("open", "_open"),
    ]:
        ours, theirs = _columns(site, table), _columns(site, view)
        told = {column: type_ for column, type_ in types.items() if column in ours}
        assert theirs == ours | told | {"id": "VARCHAR", "uuid_ts": "TIMESTAMP"}, view
    ((seconds, instant),) = site.query(
        "SELECT max(v.timestamp), max(epoch(t.timestamp))::BIGINT FROM sendgrid._open v, sendgrid.open t"
    )
    assert seconds == instant


def test_the_object_views_leave_out_what_is_gone(site: Site) -> None:
    for table in OBJECT_TABLES:
        added = {"received_at": "TIMESTAMP", "uuid_ts": "TIMESTAMP"}
        assert _columns(site, f"{table}_view") == _columns(site, table) | added
    gone = "SELECT count(*) FROM sendgrid.lists WHERE deleted_at IS NOT NULL"
    assert site.query(gone) == [(1,)]
    assert site.query("SELECT count(*) FROM sendgrid.lists_view") == [(len(site.account.lists),)]


def test_its_sql_runs(site: Site) -> None:
    query, view = SQL
    assert len(site.query(query)) > 5
    with duckdb.connect() as own:
        own.execute(view.replace("data/published.duckdb", str(site.settings.published)))
        types = {name: type_ for name, type_, *_ in own.execute("DESCRIBE activity_as_segment").fetchall()}
        wanted = {
            "id": "VARCHAR",
            "category": "VARCHAR",
            "marketing_campaign_id": "BIGINT",
            "order_id": "VARCHAR",
        }
        assert wanted.items() <= types.items()
        assert own.execute(
            "SELECT count(*) = count(id) AND count(*) > 0 FROM activity_as_segment"
        ).fetchone() == (True,)


def test_what_to_do_can_be_done(site: Site) -> None:
    """The expressions of the last column, on the events and objects."""
    for title, table in (("Columns of event tables", "activity"), ("Columns of object tables", "campaigns")):
        for row in _section(title).splitlines():
            what = [*row.split("|"), "", "", "", ""][3]
            for expression in re.findall(r"`([^`]*(?:::|\(|->>| AS )[^`]*)`", what):
                runnable = expression.replace("TIMESTAMP_SECONDS(x)", "1").replace("(x *", "(1 *")
                site.query(f"SELECT {runnable} FROM sendgrid.{table} LIMIT 5")


def test_its_links_lead_somewhere() -> None:
    dictionary = (ROOT / "sendgrid_assets" / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    for file, anchor in re.findall(r"\]\((?!https?:)([^)#]+)(?:#(\w+))?\)", PAGE):
        assert (FILE.parent / file).exists(), file
        assert not anchor or f"\n### `{anchor}`\n" in dictionary, anchor


def test_a_segment_row_in_the_landing_directory_is_loaded_once(site: Site) -> None:
    """The way the page tells for bringing history along."""
    ((before, id_, timestamp),) = site.query(
        "SELECT count(*), min(sg_event_id), epoch(min_by(timestamp, sg_event_id))::BIGINT FROM sendgrid.click"
    )
    new = site.settings.landing_dir / "sendgrid" / "new"
    for number, known in enumerate(
        (("from-segment", 1_700_000_000), ("from-segment", 1_700_000_000), (id_, timestamp))
    ):
        row = {"event": "click", "email": "ada@example.com", "smtp-id": "<a@b>", "sg_event_id": known[0]}
        # Lines without content, so that each file is another to the ledger.
        (new / f"history-{number}.ndjson").write_text(
            json.dumps(row | {"timestamp": known[1]}) + "\n" * number
        )
    assert site.run("sendgrid_drain").success
    assert site.query("SELECT count(*) FROM sendgrid.click") == [(before + 1,)]
    assert site.query(
        "SELECT smtp_id, year(timestamp) FROM sendgrid.click WHERE sg_event_id = 'from-segment'"
    ) == [("<a@b>", 2023)]
    assert site.query("SELECT DISTINCT reason FROM _sendgrid_assets.rejected_events") == [("id_conflict",)]
