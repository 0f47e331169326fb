"""What the notebooks ask: the same of both, of any recipient, and of the user's own data."""

from __future__ import annotations

import ast
import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sendgrid_assets_tests.processes import ROOT, call, environment

from .conftest import IRISH
from .pages import jupyter_page, marimo_page

NOTEBOOKS = ROOT / "sendgrid_assets" / "notebooks"

RUN = """
import json, sys
from types import SimpleNamespace
import duckdb
import deliverability
given = json.loads(sys.argv[1])
replaced = {}
if "address" in given:
    replaced["address"] = SimpleNamespace(value=given["address"])
if "days" in given:
    replaced |= {"days": SimpleNamespace(value=given["days"]), "reload": SimpleNamespace(value=0)}
if "orders" in given:
    replaced["orders"] = duckdb.read_csv(given["orders"]).df()
_, found = deliverability.app.run(defs=replaced)
names = ("daily", "state", "received", "timeline", "by_recency", "by_send")
frames = {name: found[name].to_dict("records") for name in names}
print(json.dumps(frames, default=str))
"""


def _queries(code: str) -> list[str]:
    """The SQL of all calls of `sql`, what stands for a setting left out."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sql":
            parts = node.args[0].values if isinstance(node.args[0], ast.JoinedStr) else [node.args[0]]
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
            found.append(textwrap.dedent(text).strip())
    return found


def _cells() -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads((NOTEBOOKS / "deliverability.ipynb").read_text())["cells"]
    return cells


def _answers(folder: Path, published: Path, **replaced: str | int) -> dict[str, list[dict[str, Any]]]:
    """What the marimo notebook's cells find, with other values of what a user changes."""
    done = call(
        *(sys.executable, "-c", RUN, json.dumps(replaced)),
        cwd=folder,
        env=environment(SENDGRID_PUBLISHED=str(published)),
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return answers


def test_both_ask_the_same() -> None:
    marimo = _queries((NOTEBOOKS / "deliverability.py").read_text())
    jupyter = _queries("\n".join("".join(cell["source"]) for cell in _cells() if cell["cell_type"] == "code"))
    assert len(marimo) >= 15
    assert jupyter == marimo


def test_both_say_the_same() -> None:
    marimo = re.findall(
        r'mo\.md\(r"""\n(.*?)\n    """\)', (NOTEBOOKS / "deliverability.py").read_text(), re.DOTALL
    )
    jupyter = ["".join(cell["source"]) for cell in _cells() if cell["cell_type"] == "markdown"]
    assert [textwrap.dedent(text) for text in marimo[1:]] == jupyter[1:]


def test_jupyters_keeps_no_answers() -> None:
    kept = [cell for cell in _cells() if cell.get("outputs") or cell.get("execution_count")]
    assert kept == []


def test_marimos_is_well_formed(folder: Path) -> None:
    done = call(
        *(sys.executable, "-m", "marimo", "check", "--strict", "deliverability.py"),
        cwd=folder,
        env=environment(),
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_period_is_as_many_days_as_chosen(folder: Path, published: Path) -> None:
    with duckdb.connect(published, read_only=True) as connection:
        days = connection.execute(
            "SELECT day::VARCHAR FROM sendgrid.email_daily ORDER BY day DESC LIMIT 7"
        ).fetchall()
    told = [row["day"][:10] for row in _answers(folder, published, days=7)["daily"]]
    assert told == [day for (day,) in days]


def test_a_recipient_is_found_however_the_address_is_written(folder: Path, published: Path) -> None:
    found = _answers(folder, published, address=f"  {IRISH.upper()} ")
    assert [row["email"] for row in found["state"]] == [IRISH.lower()]
    assert [row["outcome"] for row in found["received"]] == ["bounced"]
    assert [row["event"] for row in found["timeline"]] == ["bounce"]


def test_a_suppressed_recipient_is_told(folder: Path, published: Path) -> None:
    with duckdb.connect(published, read_only=True) as connection:
        row = connection.execute(
            "SELECT email, created FROM sendgrid.suppression_unsubscribes ORDER BY email LIMIT 1"
        ).fetchone()
    assert row
    (state,) = _answers(folder, published, address=row[0])["state"]
    assert state["suppressed"] is True
    assert "unsubscribes" in state["suppressed_by"]


def test_a_recipients_events_are_all_there_and_no_copies(folder: Path, published: Path) -> None:
    with duckdb.connect(published, read_only=True) as connection:
        (email,) = connection.execute(
            "SELECT email FROM sendgrid.activity WHERE duplicate_of IS NOT NULL"
            " GROUP BY email ORDER BY count(*) DESC, email"
        ).fetchall()[0]
        events = connection.execute(
            "SELECT timestamp::VARCHAR, event FROM sendgrid.activity"
            " WHERE email = ? AND duplicate_of IS NULL ORDER BY ALL",
            [email],
        ).fetchall()
    told = _answers(folder, published, address=email)["timeline"]
    assert sorted((row["timestamp"], row["event"].removesuffix(" by a machine")) for row in told) == events


def test_an_unknown_recipient_has_nothing(folder: Path, published: Path) -> None:
    found = _answers(folder, published, address="nobody@example.net")
    assert [row["suppressed"] for row in found["state"]] == [False]
    assert found["received"] == []


def test_orders_of_the_users_own_are_joined(folder: Path, published: Path) -> None:
    with duckdb.connect(published, read_only=True) as connection:
        clicked, send, at = connection.execute(
            "SELECT email, singlesend_name, last_human_click_at FROM sendgrid.messages"
            " WHERE singlesend_id IS NOT NULL AND last_human_click_at IS NOT NULL"
            " QUALIFY row_number() OVER (PARTITION BY email ORDER BY last_human_click_at DESC) = 1 ORDER BY ALL LIMIT 1"
        ).fetchall()[0]
    # One within the seven days, one before the click, one long after it, and one of nobody.
    orders = [(0, 10), (-30 * 24, 100), (8 * 24, 1000)]
    with duckdb.connect() as memory:
        memory.execute("CREATE TABLE orders (email VARCHAR, ordered_at TIMESTAMP, amount DOUBLE)")
        for hours, amount in orders:
            memory.execute(
                "INSERT INTO orders VALUES (?, ?::TIMESTAMP + to_hours(?) + INTERVAL 1 SECOND, ?)",
                [clicked.lower(), at, hours, amount],
            )
        memory.execute("INSERT INTO orders VALUES ('nobody@example.net', now()::TIMESTAMP, 5000)")
        memory.execute(f"COPY orders TO '{folder / 'orders.csv'}'")
    found = _answers(folder, published, orders="orders.csv")
    assert [(row["single_send"], row["orders"], row["revenue"]) for row in found["by_send"]] == [
        (send, 1, 10.0)
    ]
    bands = found["by_recency"]
    assert (sum(row["buyers"] for row in bands), sum(row["revenue"] for row in bands)) == (1, 1110.0)


def test_an_order_counts_for_the_send_clicked_last(folder: Path, published: Path) -> None:
    clicks = (
        "lower(email) AS email, last_human_click_at AS at, singlesend_name AS send FROM sendgrid.messages"
    )
    with duckdb.connect(published, read_only=True) as connection:
        (email, at, send) = connection.execute(
            f"SELECT a.email, b.at, b.send FROM (SELECT {clicks}) a JOIN (SELECT {clicks}) b USING (email)"
            " WHERE a.send <> b.send AND b.at > a.at AND b.at < a.at + INTERVAL 6 DAY ORDER BY b.at DESC LIMIT 1"
        ).fetchall()[0]
    (folder / "orders.csv").write_text(f"email,ordered_at,amount\n{email},{at},12.5\n")
    (row,) = _answers(folder, published, orders="orders.csv")["by_send"]
    assert (row["single_send"], row["orders"], row["revenue"]) == (send, 1, 12.5)


def test_the_texts_own_line_reads_a_csv_file_of_orders(folder: Path, published: Path) -> None:
    notebook = folder / "deliverability.ipynb"
    content = json.loads(notebook.read_text())
    (text,) = ("".join(cell["source"]) for cell in content["cells"] if cell["id"] == "orders-text")
    (orders,) = (cell for cell in content["cells"] if cell["id"] == "orders")
    (query,) = re.findall(r"`(SELECT .*?)`", text)
    orders["source"] = f'orders = sendgrid.sql("""{query}""").df()'
    notebook.write_text(json.dumps(content))
    (folder / "orders.csv").write_text(f"email,ordered_at,amount\n{IRISH},2026-11-01 10:00:00,77.25\n")
    assert "77.25" in jupyter_page(folder, published)


@pytest.mark.parametrize("page", [marimo_page, jupyter_page])
def test_a_file_without_any_event_says_so(page: Any, folder: Path, site: Any) -> None:
    site.sync("suppression_groups")
    assert "No event has come yet" in page(folder, site.settings.published)
