"""A whole site for tests: a simulated account on loopback, its settings, definitions and a Dagster instance."""

from __future__ import annotations

import atexit
import datetime as dt
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
import httpx

from sendgrid_assets.defs.build import build_definitions
from sendgrid_assets.settings import Settings, load_settings
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.running import running
from sendgrid_assets.simulator.server import create_app
from sendgrid_assets.simulator.traffic import Traffic
from sendgrid_assets.webhook import receiver

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

API_KEY = "SG.test-key-that-must-not-be-seen"


@dataclass
class Site:
    """What a test works with; `variables` are the settings it was made from."""

    folder: Path
    account: Account
    traffic: Traffic
    variables: dict[str, str]
    instance: dg.DagsterInstance

    @property
    def settings(self) -> Settings:
        return load_settings(self.variables)

    @property
    def definitions(self) -> dg.Definitions:
        return _definitions(tuple(sorted(self.variables.items())))

    def run(
        self, job: str, *, run_config: dict[str, Any] | None = None, **what: Any
    ) -> dg.ExecuteInProcessResult:
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, raise_on_error=False, run_config=quiet | (run_config or {}), **what
        )

    def sync(self, *tables: str, run_config: dict[str, Any] | None = None) -> dg.ExecuteInProcessResult:
        """Syncs these tables only: a run of all takes seconds."""
        return self.run(
            "sendgrid_sync",
            run_config=run_config,
            asset_selection=[dg.AssetKey(["sendgrid", table]) for table in tables],
        )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """What a reader of the published file gets."""
        published = self.settings.published
        assert published is not None
        with duckdb.connect(published, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    @contextmanager
    def receiving(self) -> Iterator[str]:
        with running(receiver.create_app(self.settings)) as url:
            yield f"{url}/webhooks"

    def post(self, *batches: list[dict[str, Any]], source: str = "sendgrid") -> None:
        """Posts batches of events, signed, through a real receiver."""
        with self.receiving() as url, httpx.Client() as client:
            for batch in batches:
                assert self.traffic.post(f"{url}/{source}", batch, client).is_success


@contextmanager
def make_site(
    folder: Path, *, refused: Collection[str] = (), intercept: Any = None, **variables: str
) -> Iterator[Site]:
    account = Account(contacts=40)
    traffic = Traffic(account)
    with ExitStack() as stack:
        app = create_app(account, api_key=API_KEY, refused=refused, intercept=intercept)
        url = stack.enter_context(running(app))
        settings = {
            "SENDGRID_DATA_DIR": str(folder / "data"),
            "SENDGRID_API_KEY": API_KEY,
            "SENDGRID_API_URL": url,
            "SENDGRID_WEBHOOK_PUBLIC_KEY": traffic.public_key,
        }
        shutil.copytree(_dagster_home(), folder / "dagster")
        instance = stack.enter_context(dg.instance_for_test(temp_dir=str(folder / "dagster")))
        yield Site(folder, account, traffic, settings | variables, instance)


@lru_cache(maxsize=1)
def _definitions(variables: tuple[tuple[str, str], ...]) -> dg.Definitions:
    """As a code server has them: made once, for all runs."""
    return build_definitions(load_settings(dict(variables)), executor=dg.in_process_executor)


@cache
def _dagster_home() -> Path:
    """A home with nothing in it but Dagster's empty tables, which take half a second to make."""
    folder = Path(tempfile.mkdtemp(prefix="dagster-home-"))
    atexit.register(shutil.rmtree, folder)
    with dg.instance_for_test(temp_dir=str(folder)):
        return folder


def asked_for(site: Site, *, seconds_ago: float) -> None:
    """Makes all runs ones that were asked for so long ago."""
    made = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds_ago)
    storage: Any = site.instance.run_storage
    with storage.connect() as connection:
        connection.exec_driver_sql(
            "UPDATE runs SET create_timestamp = ?", (made.replace(tzinfo=None).isoformat(" "),)
        )
