"""A run that is cancelled while it waits for SendGrid ends within seconds, and leaves its table as it was."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sendgrid_assets_tests.processes import environment, started, wait_for
from sendgrid_assets_tests.site import make_site

SECONDS = 45.0
"""Far less than the waits and answers below take."""


@pytest.mark.parametrize("how", ["a rate limit's reset", "an answer that does not come"])
def test_cancelled_while_waiting(tmp_path: Path, how: str) -> None:
    reached, release = threading.Event(), threading.Event()

    def intercept(request: Request) -> Response | None:
        if request.url.path != "/v3/contactdb/recipients" or request.query_params.get("page") == "1":
            return None
        reached.set()
        if how == "an answer that does not come":
            release.wait(200)
            return None
        reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 250)}
        return JSONResponse({"errors": []}, 429, headers=reset)

    with make_site(tmp_path, intercept=intercept) as site:
        site.sync("lists")
        rows = site.account.recipients
        site.account.recipients[:] = [{**rows[n % len(rows)], "id": f"r{n}"} for n in range(3000)]
        command = (
            *(sys.executable, "-m", "dagster", "asset", "materialize"),
            *("--select", "sendgrid/recipients", "-m", "sendgrid_assets.definitions"),
        )
        env = environment(**site.variables, DAGSTER_HOME=str(tmp_path / "dagster"), PYTHONFAULTHANDLER="1")
        try:
            with started(*command, cwd=tmp_path, env=env, log=tmp_path / "run.log") as run:
                wait_for(lambda: reached.is_set() or run.poll() is not None, "the request", 60)
                assert run.poll() is None, (tmp_path / "run.log").read_text()
                run.send_signal(signal.SIGINT)
                try:
                    run.wait(SECONDS)
                except subprocess.TimeoutExpired:
                    # Each thread's stack goes into the log.
                    run.send_signal(signal.SIGABRT)
                    run.wait(SECONDS)
                    pytest.fail((tmp_path / "run.log").read_text())
        finally:
            release.set()
        with duckdb.connect(site.settings.warehouse, read_only=True) as connection:
            assert connection.execute("SELECT count(*) FROM sendgrid.recipients").fetchall() == [(0,)]
        staging = site.settings.data_dir / "staging"
        assert not [path for path in staging.rglob("*") if path.is_file()]
