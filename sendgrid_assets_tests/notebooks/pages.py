"""The notebooks as pages: run by their own programs, and looked at in a real browser.

Belongs here: running, serving and reading a page. Does not: what a test expects on it.
"""

from __future__ import annotations

import functools
import html
import json
import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

from sendgrid_assets_tests.processes import call, environment

_ELSEWHERE = re.compile(r"https://cdn\.jsdelivr\.net/npm/@marimo-team/frontend@[^/\"']+/dist")
# Elements of marimo stand in shadow roots, which a dumped page lacks.
_LOOK = """
<script>
setTimeout(() => {
  const seen = {tables: [], charts: 0, bold: [], stats: []};
  const look = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) look(element.shadowRoot);
      if (element.matches("table"))
        seen.tables.push([...element.rows].map((row) => [...row.cells].map((cell) => cell.innerText.trim())));
      if (element.matches("marimo-stat")) seen.stats.push(element.shadowRoot.textContent.trim());
      if (element.matches("td b")) seen.bold.push(element.innerText);
      const size = element.getBoundingClientRect();
      const drawn = element.matches("canvas, svg.marks") || (element.matches("img") && element.naturalWidth > 0);
      if (drawn && size.width > 200 && size.height > 50) seen.charts += 1;
    }
  };
  look(document);
  const told = document.createElement("pre");
  told.id = "seen";
  told.textContent = JSON.stringify(seen);
  document.body.append(told);
}, 15000);
</script>
"""


@dataclass(frozen=True)
class Seen:
    """What stands on a page.

    Attributes:
        tables: the texts of each table's cells, row by row, its head first.
        charts: how many charts are drawn.
        bold: texts within a table's cell that its HTML makes bold.
        stats: the texts of the cards that show one number.
    """

    tables: list[list[list[str]]]
    charts: int
    bold: list[str]
    stats: list[str]

    @property
    def totals(self) -> set[tuple[str, str]]:
        """The numbers of the whole period by their names, from cards or from a table of one row."""
        rows = [self.tables[1]] if not self.stats else []
        named = {(name, text) for head, row in rows for name, text in zip(head, row, strict=True)}
        return named | {(word.replace(" ", "_"), text) for word, text in map(_card, self.stats)}

    def table(self, *columns: str) -> list[dict[str, str]]:
        """The rows of the one table that has these columns."""
        (found,) = (rows for rows in self.tables if set(columns) <= set(rows[0]))
        return [dict(zip(found[0], row, strict=True)) for row in found[1:]]


def marimo_page(folder: Path, published: Path | str) -> str:
    """Runs the notebook of the folder as `marimo export html` does."""
    return _page(
        folder, published, "-m", "marimo", "export", "html", "--force", "deliverability.py", "-o", "page.html"
    )


def jupyter_page(folder: Path, published: Path | str) -> str:
    """Runs the notebook of the folder as `jupyter nbconvert --execute` does."""
    command = (
        "-m",
        "nbconvert",
        "--to",
        "html",
        "--execute",
        "deliverability.ipynb",
        "--output",
        "page.html",
    )
    return _page(folder, published, *command)


def _card(text: str) -> tuple[str, str]:
    """What a card says, its name apart from its number."""
    found = re.search(r"[\d,.]+%?", text)
    assert found, text
    return text.replace(found[0], "").strip(), found[0]


class RunError(Exception):
    """The notebook did not run to its end; the text is what its program said."""


def _page(folder: Path, published: Path | str, *command: str) -> str:
    (folder / "page.html").unlink(missing_ok=True)
    variables = environment(SENDGRID_PUBLISHED=str(published)) if published else environment()
    done = call(sys.executable, *command, cwd=folder, env=variables, seconds=240)
    if done.returncode:
        raise RunError(done.stdout + done.stderr)
    return (folder / "page.html").read_text(encoding="utf-8")


def look(page: str, folder: Path) -> Seen:
    """The page in Chromium, all it needs served from this machine."""
    chromium = shutil.which("chromium")
    assert chromium
    with _served(_ELSEWHERE.sub(".", page).replace("</body>", f"{_LOOK}</body>"), folder / "www") as url:
        # A busy machine may not have drawn the page within a browser's patience.
        for _ in range(3):
            shown = call(
                *(
                    chromium,
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--no-first-run",
                    "--disable-sync",
                ),
                *("--disable-background-networking", "--disable-component-update", "--window-size=1200,9000"),
                *(f"--user-data-dir={folder / 'browser'}", "--virtual-time-budget=30000", "--dump-dom", url),
                cwd=folder,
                env=os.environ,
                seconds=90,
            ).stdout
            found = re.search(r'<pre id="seen">(.*?)</pre>', shown, re.DOTALL)
            seen = Seen(**json.loads(html.unescape(found[1]))) if found else Seen([], 0, [], [])
            if seen.tables and seen.charts:
                break
    return seen


@contextmanager
def _served(page: str, folder: Path) -> Iterator[str]:
    """The page beside marimo's own scripts, which its export would load from elsewhere."""
    spec = find_spec("marimo")
    assert spec
    assert spec.origin
    shutil.copytree(Path(spec.origin).parent / "_static", folder)
    (folder / "page.html").write_text(page, encoding="utf-8")
    handler = functools.partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/page.html"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass
