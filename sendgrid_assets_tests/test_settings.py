"""What the environment may say, and the sentence for each wrong value."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path

import duckdb
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.docs.settings_table import settings_table
from sendgrid_assets.settings import Settings, SettingsError, SourceSettings, load_settings


def public_key(curve: ec.EllipticCurve) -> str:
    key = ec.generate_private_key(curve).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


KEY, OTHER_KEY = public_key(ec.SECP256R1()), public_key(ec.SECP256R1())
MARK = "marked"
GLOBAL = [
    ("DATA_DIR", "d", "data_dir", Path("d")),
    ("WAREHOUSE", "w/x.duckdb", "warehouse", Path("w/x.duckdb")),
    ("PUBLISHED", "p/y.duckdb", "published", Path("p/y.duckdb")),
    ("PUBLISHED", "off", "published", None),
    ("PUBLISHED", " OFF ", "published", None),
    ("LANDING_DIR", "l", "landing_dir", Path("l")),
    ("SYNC_CRON", "5 4 * * 1", "sync_cron", "5 4 * * 1"),
    ("DRAIN_INTERVAL_SECONDS", "7", "drain_interval_seconds", 7),
    ("TIME_ZONE", "Europe/Berlin", "time_zone", "Europe/Berlin"),
    ("DONE_RETENTION_DAYS", "2", "done_retention_days", 2),
    ("RECEIVER_HOST", "0.0.0.0", "receiver_host", "0.0.0.0"),
    ("RECEIVER_PORT", "65535", "receiver_port", 65535),
    ("MAX_BODY_BYTES", "1024", "max_body_bytes", 1024),
    ("MAX_BACKLOG_BYTES", "1048576", "max_backlog_bytes", 1048576),
    ("DONE_RETENTION_BYTES", "1000000000", "done_retention_bytes", 1_000_000_000),
    ("DRAIN_HISTORY_HOURS", "3", "drain_history_hours", 3),
]
PER_SOURCE = [
    ("SCHEMA", "sendgrid_prod", "schema_name", "sendgrid_prod"),
    ("API_URL", "https://api.eu.sendgrid.com/", "api_url", "https://api.eu.sendgrid.com"),
    ("API_URL", " http://127.0.0.1:8030 ", "api_url", "http://127.0.0.1:8030"),
    ("ON_BEHALF_OF", " sub_user\n", "on_behalf_of", "sub_user"),
    ("COLLECTIONS", "mc_lists, lists,lists", "selected", ("lists", "mc_lists")),
    ("COLLECTIONS", "mc_lists, lists", "named", frozenset({"lists", "mc_lists"})),
    ("COLLECTIONS", "all", "selected", tuple(BY_TABLE)),
    ("COLLECTIONS", "all", "named", frozenset()),
    ("START_DATE", "2026-02-28", "start_date", dt.date(2026, 2, 28)),
    ("SEGMENT_VIEWS", "true", "segment_views", True),
    ("SEGMENT_VIEWS", "0", "segment_views", False),
    ("WEBHOOK_UNSIGNED", "TRUE", "webhook_unsigned", True),
]
VARIABLES = [f"SENDGRID_{name}" for name in ("SOURCES", *(entry[0] for entry in GLOBAL))] + [
    f"SENDGRID_{name}"
    for name in ("API_KEY", "WEBHOOK_PUBLIC_KEY", "WEBHOOK_SECRET", *(entry[0] for entry in PER_SOURCE))
]


def sentence(**environ: str) -> str:
    """What is said of these variables; it is one sentence, and it says what to do."""
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert ". " not in text.replace("SG. and", "")
    assert caught.value.__cause__ is None
    return text


def test_defaults() -> None:
    settings = load_settings({})
    assert {name: getattr(settings, name) for name in Settings.model_fields if name != "sources"} == {
        "data_dir": Path("data"),
        "warehouse": Path("data/warehouse.duckdb"),
        "published": Path("data/published.duckdb"),
        "landing_dir": Path("data/landing"),
        "sync_cron": "0 */3 * * *",
        "drain_interval_seconds": 30,
        "time_zone": "UTC",
        "done_retention_days": 30,
        "receiver_host": "127.0.0.1",
        "receiver_port": 8025,
        "max_body_bytes": 4 * 1024 * 1024,
        "max_backlog_bytes": 8 * 1024**3,
        "done_retention_bytes": None,
        "drain_history_hours": 24,
    }
    (source,) = settings.sources
    assert (source.name, source.schema_name, source.prefix) == ("sendgrid", "sendgrid", "SENDGRID_")
    assert (source.api_key, source.on_behalf_of, source.collections) == (None, None, None)
    assert source.api_url == "https://api.sendgrid.com"
    costly = {"mc_segment_contacts", "mc_single_send_links", "email_activity"}
    assert source.selected == tuple(table for table in BY_TABLE if table not in costly)
    assert source.named == frozenset()
    assert source.webhook_secret is None
    assert (source.segment_views, source.webhook_public_key, source.webhook_unsigned) == (False, (), False)
    today = dt.datetime.now(dt.UTC).date()
    assert 365 + 28 <= (today - source.start_date).days <= 365 + 34


@pytest.mark.parametrize(("name", "value", "attribute", "expected"), GLOBAL)
def test_variable_is_read(name: str, value: str, attribute: str, expected: object) -> None:
    assert getattr(load_settings({f"SENDGRID_{name}": value}), attribute) == expected


@pytest.mark.parametrize("source", ["sendgrid", "marketing_eu", "a1"])
@pytest.mark.parametrize(("name", "value", "attribute", "expected"), PER_SOURCE)
def test_variable_of_a_source_is_read(
    source: str, name: str, value: str, attribute: str, expected: object
) -> None:
    settings = load_settings({"SENDGRID_SOURCES": f"other,{source}", f"{source.upper()}_{name}": value})
    assert getattr(settings.source(source), attribute) == expected
    bare = load_settings({"SENDGRID_SOURCES": "other"}).source("other")
    assert getattr(settings.source("other"), attribute) == getattr(bare, attribute)


@pytest.mark.parametrize("given", ["SG.k", " SG.k\n", "'SG.k'", '"SG.k" ', "\tSG.k"])
def test_api_key_is_trimmed(given: str) -> None:
    key = load_settings({"SENDGRID_API_KEY": given}).sources[0].api_key
    assert key is not None
    assert key.get_secret_value() == "SG.k"


def test_several_verification_keys_hold_at_once() -> None:
    keys = (
        load_settings({"SENDGRID_WEBHOOK_PUBLIC_KEY": f"{KEY}, {OTHER_KEY},"}).sources[0].webhook_public_key
    )
    read = [
        base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
        for key in keys
    ]
    assert read == [KEY, OTHER_KEY]


def test_data_directory_moves_what_lies_in_it() -> None:
    settings = load_settings({"SENDGRID_DATA_DIR": "/var/sg", "SENDGRID_PUBLISHED": "p.duckdb"})
    assert settings.warehouse == Path("/var/sg/warehouse.duckdb")
    assert settings.published == Path("p.duckdb")
    assert settings.landing_dir == Path("/var/sg/landing")


def test_empty_variable_counts_as_unset() -> None:
    for blank in ("", "  "):
        assert load_settings(dict.fromkeys(VARIABLES, blank)) == load_settings({})
    assert load_settings({"SENDGRID_API_KEY": "''"}).sources[0].api_key is None


def test_env_file_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert load_settings() == load_settings({})
    (tmp_path / ".env").write_text(
        "# settings\nSENDGRID_SOURCES=sendgrid,eu\nEU_API_KEY='SG.file'\n"
        "export SENDGRID_TIME_ZONE=Asia/Tokyo\nSENDGRID_RECEIVER_PORT=1\nSENDGRID_SYNC_CRON\n"
    )
    monkeypatch.setenv("SENDGRID_RECEIVER_PORT", "2")
    monkeypatch.setenv("SENDGRID_DRAIN_INTERVAL_SECONDS", "7")
    settings = load_settings()
    key = settings.source("eu").api_key
    assert key is not None
    assert (key.get_secret_value(), settings.time_zone) == ("SG.file", "Asia/Tokyo")
    assert (settings.receiver_port, settings.drain_interval_seconds) == (1, 7)
    assert load_settings({}).sources[0].name == "sendgrid"


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        *(("SOURCES", v, "distinct lower-case names") for v in ("Prod", "1a", "a-b", "a b", "_a", "a,a", ",", "é")),
        *(("WAREHOUSE", v, "DuckDB file's path") for v in ("md:db", "ducklake:c", "motherduck:db", "md:")),
        *(("DRAIN_INTERVAL_SECONDS", v, "whole number of seconds, 1 or more") for v in ("0", "-1", "1.5", "x")),
        *(("DONE_RETENTION_DAYS", v, "whole number of days, 1 or more") for v in ("0", "a week")),
        *(("TIME_ZONE", v, "such as Europe/Berlin") for v in (
            "Mars", "../etc", "/etc/localtime", "Europe", "\0", "localtime", "posix/Asia/Tokyo",
        )),
        *(("RECEIVER_PORT", v, "between 1 and 65535") for v in ("0", "65536", "-1", "http")),
        *(("MAX_BODY_BYTES", v, "whole number of bytes, 1024 or more") for v in ("1023", "4 MiB")),
        *(("SCHEMA", v, "lower-case name") for v in ("Prod", "a.b", 'a"b', "1a", "a b", "ä")),
        *(("API_KEY", v, "paste the key itself") for v in ("Bearer SG.k", "SG.k\nSG.l", "SG.ключ", "SG.\x07")),
        *(("API_URL", v, "such as https://api.sendgrid.com") for v in (
            "api.sendgrid.com", "ftp://api.sendgrid.com", "https://", "https://a b", "https://[", "https://é.com",
            "https://a:99999", "https://a:0", "https://a:x", "https://a?b=1", "https://u@a",
        )),
        *(("ON_BEHALF_OF", v, "subuser's name") for v in ("josé", "a\nb", "a b")),
        *(("COLLECTIONS", v, "object collections") for v in ("recipient", "open", "all,lists", "lists;mc_lists", ",")),
        *(("START_DATE", v, "YYYY-MM-DD") for v in ("2026-13-01", "last year", "1735689600", "86400", "1.2.2026")),
        *(("SEGMENT_VIEWS", v, "true or false") for v in ("perhaps", "2")),
        *(("WEBHOOK_UNSIGNED", v, "true or false") for v in ("perhaps", "2")),
        *(("WEBHOOK_PUBLIC_KEY", v, "whole verification key") for v in (
            KEY[:-4], KEY[1:], "é", f"{KEY},x", f"{KEY} {OTHER_KEY}", public_key(ec.SECP384R1()),
        )),
    ],
)  # fmt: skip
def test_wrong_value_is_answered_with_variable_and_mend(name: str, value: str, mend: str) -> None:
    text = sentence(**{f"SENDGRID_{name}": value})
    assert text.startswith(f"SENDGRID_{name}: ")
    assert mend in text
    assert not (name.endswith("_KEY") and value in text)


def test_wrong_value_of_a_second_source_names_its_variable() -> None:
    text = sentence(SENDGRID_SOURCES="sendgrid,marketing_eu", MARKETING_EU_SEGMENT_VIEWS="perhaps")
    assert text.startswith("MARKETING_EU_SEGMENT_VIEWS: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_KEY", f"SG.{MARK} {MARK}"),
        ("WEBHOOK_PUBLIC_KEY", f"{MARK}=="),
        ("API_URL", f"https://user:{MARK}@api.sendgrid.com"),
        ("API_URL", f"SG.{MARK}"),
        ("SOURCES", f"SG.{MARK}-0.1_2"),
        ("SCHEMA", f"SG.{MARK}"),
        ("COLLECTIONS", f"SG.{MARK}"),
        ("START_DATE", f"SG.{MARK}"),
        ("TIME_ZONE", f"SG.{MARK}"),
        ("RECEIVER_PORT", f"SG.{MARK}"),
    ],
)
def test_no_sentence_shows_a_secret(name: str, value: str) -> None:
    assert MARK not in sentence(**{f"SENDGRID_{name}": value})


def test_settings_do_not_show_the_api_key() -> None:
    settings = load_settings({"SENDGRID_API_KEY": f"SG.{MARK}"})
    assert MARK not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize(("given", "hint"), [("recipient", "recipients"), ("mc_contact", "mc_contacts")])
def test_unknown_collection_is_answered_with_the_nearest(given: str, hint: str) -> None:
    assert f"did you mean {hint}" in sentence(SENDGRID_COLLECTIONS=f"lists,{given}")
    assert "mc_single_sends" in sentence(SENDGRID_COLLECTIONS="qqq")


@pytest.mark.parametrize(
    "schema", ["main", "temp", "system", "information_schema", "pg_catalog", "_sendgrid_assets"]
)
def test_reserved_schema_is_refused(schema: str) -> None:
    assert sentence(SENDGRID_SCHEMA=schema).startswith("SENDGRID_SCHEMA: ")
    if schema[0] != "_":
        text = sentence(SENDGRID_SOURCES=f"sendgrid,{schema}")
        assert text.startswith(f"{schema.upper()}_SCHEMA: ")


@pytest.mark.parametrize("variable", ["SENDGRID_WAREHOUSE", "SENDGRID_PUBLISHED"])
@pytest.mark.parametrize(
    "file", ["sendgrid.duckdb", "a/sendgrid.db", "SendGrid.duckdb", "sendgrid.v2.duckdb", "sendgrid"]
)
def test_schema_named_like_a_file_is_refused(variable: str, file: str, tmp_path: Path) -> None:
    text = sentence(**{variable: file})
    assert text.startswith("SENDGRID_SCHEMA: ")
    assert variable in text
    assert load_settings({variable: file, "SENDGRID_SCHEMA": "sg"}).sources[0].schema_name == "sg"
    with duckdb.connect(str(tmp_path / Path(file).name)) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS sendgrid")
        with pytest.raises(duckdb.BinderException, match="Ambiguous"):
            connection.execute("CREATE TABLE sendgrid.lists (id INTEGER)")


def test_schemas_and_files_must_differ() -> None:
    twice = sentence(SENDGRID_SOURCES="a,b", B_SCHEMA="a")
    assert twice.startswith("B_SCHEMA: ")
    assert "source a" in twice
    swapped = load_settings({"SENDGRID_SOURCES": "a,b", "A_SCHEMA": "b", "B_SCHEMA": "a"})
    assert [source.schema_name for source in swapped.sources] == ["b", "a"]
    assert sentence(SENDGRID_PUBLISHED="data/warehouse.duckdb").startswith("SENDGRID_PUBLISHED: ")
    off = load_settings({"SENDGRID_PUBLISHED": "off", "SENDGRID_SOURCES": "published"})
    assert off.source("published").schema_name == "published"


def test_sources_keep_their_order_and_are_found_by_name() -> None:
    settings = load_settings({"SENDGRID_SOURCES": " b , a,,c "})
    assert [source.name for source in settings.sources] == ["b", "a", "c"]
    with pytest.raises(KeyError):
        settings.source("d")


def test_table_names_every_variable_once() -> None:
    lines = settings_table().splitlines()
    named = [line.split("`")[1] for line in lines if line.startswith("| `")]
    fields = {f"SENDGRID_{name.upper()}" for name in Settings.model_fields}
    fields |= {f"<S>_{name.rstrip('_').upper()}" for name in SourceSettings.model_fields if name != "name"}
    assert sorted(named) == sorted(fields)
    assert {name.replace("<S>", "SENDGRID") for name in named} == set(VARIABLES)
    rows = [line for line in lines if line.startswith("| `")]
    assert all(line.count("|") == 4 and line.split("|")[3].strip() for line in rows)
    assert "0 */3 * * *" in settings_table()
