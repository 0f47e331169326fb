"""The demo: a simulated SendGrid account, the receiver and Dagster, apart from any real account's data.

Belongs here: what the demo puts together and says. Does not: the account (`simulator`), processes (`processes`).
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import duckdb
import httpx

from .defs.build import build_definitions
from .defs.console import run_job
from .processes import Group, answers, dagster_dev, ending_on_signals, require_free, this_command
from .settings import Settings, SourceSettings, load_settings
from .simulator.account import Account
from .simulator.running import running
from .simulator.server import create_app
from .simulator.signing_key import kept_key, shown
from .simulator.traffic import Traffic
from .webhook import receiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from .simulator.account import Row

HOST = "127.0.0.1"
API_KEY = "SG.simulated.not-a-real-key"
SOURCE = "sendgrid"
QUERY = "SELECT event, count(*) AS events FROM sendgrid.activity GROUP BY event ORDER BY events DESC"

_MARK = "simulated-account"
_OF_AN_ACCOUNT = ("warehouse.duckdb", "published.duckdb", "landing")
_START_SECONDS = 90.0
_POSTS, _EVENTS_A_POST, _PAST_DAYS = 12, 50, 30


class DemoError(Exception):
    """The demo cannot run; the text says why and what to do."""


class Demo:
    """A demo's place on disk and its settings.

    Args:
        environ: the process's environment; only `SENDGRID_DATA_DIR` of ours counts.
        simulator_url: where the simulated account answers.
        receiver_port: where the receiver listens.

    Raises:
        DemoError: the folder holds a real account's data.
    """

    def __init__(self, environ: dict[str, str], *, simulator_url: str, receiver_port: int) -> None:
        self.folder = Path(environ.get("SENDGRID_DATA_DIR") or "demo-data").absolute()
        self._claim()
        key = kept_key(self.signing_key)
        ours = (f"{SOURCE.upper()}_",)
        inherited = {name: value for name, value in environ.items() if not name.startswith(ours)}
        self.variables = {
            "SENDGRID_DATA_DIR": str(self.folder),
            "SENDGRID_API_KEY": API_KEY,
            "SENDGRID_API_URL": simulator_url,
            "SENDGRID_WEBHOOK_PUBLIC_KEY": shown(key),
            "SENDGRID_RECEIVER_PORT": str(receiver_port),
            "SENDGRID_DRAIN_INTERVAL_SECONDS": "10",
        }
        self.environ = {**inherited, **self.variables, "DAGSTER_HOME": str(self.home)}
        self.settings: Settings = load_settings(self.variables)
        self.source: SourceSettings = self.settings.source(SOURCE)
        self.key = key

    @property
    def home(self) -> Path:
        """Dagster's home, and the processes' working directory: no `.env` of a real account is there."""
        return self.folder / "dagster"

    @property
    def signing_key(self) -> Path:
        """The simulated account's private webhook key."""
        return self.folder / "webhook-key.pem"

    def definitions(self) -> dg.Definitions:
        """What Dagster loads."""
        return build_definitions(self.settings, executor=dg.in_process_executor)

    def instance(self) -> dg.DagsterInstance:
        """The Dagster instance that keeps the demo's history, its storage made.

        Made here, since two processes that make it at once trip over each other.
        """
        os.environ["DAGSTER_HOME"] = str(self.home)
        instance = dg.DagsterInstance.get()
        instance.get_runs(limit=1)
        instance.all_asset_keys()
        instance.all_instigator_state()
        return instance

    def _claim(self) -> None:
        mark = self.folder / _MARK
        # A warehouse may be kept elsewhere, so landed events alone tell of an account too.
        if not mark.exists() and any((self.folder / name).exists() for name in _OF_AN_ACCOUNT):
            raise DemoError(
                f"{self.folder} holds an account's data that is not the demo's: unset SENDGRID_DATA_DIR, or set it "
                "to another folder for the demo."
            )
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            mark.touch()
        except OSError as error:
            raise DemoError(
                f"{self.folder} cannot be used ({error.strerror}): set SENDGRID_DATA_DIR to a folder for the demo."
            ) from error
        config = files("sendgrid_assets").joinpath("instance.yaml").read_text(encoding="utf-8")
        (self.home / "dagster.yaml").write_text(config, encoding="utf-8")


def run_once(environ: dict[str, str], say: Callable[[str], object]) -> bool:
    """One sync, one burst of signed webhooks, one drain, through the real Dagster jobs.

    Returns:
        whether nothing failed.

    Raises:
        DemoError: the demo cannot run here.
    """
    account = Account()
    with running(create_app(account, api_key=API_KEY)) as api:
        demo = Demo(environ, simulator_url=api, receiver_port=1)
        definitions = demo.definitions()
        with demo.instance() as instance:
            say("Syncing the simulated account:")
            synced = run_job(definitions, f"{SOURCE}_sync", instance, say)
            say("Posting signed webhooks:")
            posted = _burst(demo, account, say)
            say("Draining them:")
            drained = run_job(definitions, f"{SOURCE}_drain", instance, say)
    say("")
    _say_tables(demo, say)
    return synced and posted and drained


def _burst(demo: Demo, account: Account, say: Callable[[str], object]) -> bool:
    traffic = Traffic(account, key=demo.key, seed=secrets.randbits(64))
    batches = [
        *traffic.past(_PAST_DAYS, _EVENTS_A_POST),
        *(traffic.batch(_EVENTS_A_POST) for _ in range(_POSTS)),
    ]
    with running(receiver.create_app(demo.settings)) as url:
        return _post(traffic, batches, f"{url}/webhooks/{SOURCE}", say)


def _post(traffic: Traffic, batches: list[list[Row]], url: str, say: Callable[[str], object]) -> bool:
    with httpx.Client(timeout=30) as client:
        answers = [traffic.post(url, batch, client).is_success for batch in batches]
    events = sum(map(len, batches))
    say(
        f"  {sum(answers)} of {len(answers)} posts were taken, {events} events of the last {_PAST_DAYS} days in all"
    )
    return all(answers)


def _had_events(demo: Demo) -> bool:
    """Whether an earlier start of the demo has posted the past."""
    published = demo.settings.published
    if published is None or not published.exists():
        return False
    with duckdb.connect(published, read_only=True) as connection:
        return connection.execute(f"SELECT 1 FROM {SOURCE}.activity LIMIT 1").fetchone() is not None


def _say_tables(demo: Demo, say: Callable[[str], object]) -> None:
    published = demo.settings.published
    assert published is not None  # noqa: S101 - the demo's own settings
    if not published.exists():
        say(f"Nothing was published to {published}.")
        return
    say(f"In {published}:")
    with duckdb.connect(published, read_only=True) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY table_type, table_name",
            [SOURCE],
        ).fetchall()
        for (table,) in tables:
            count = connection.execute(f'SELECT count(*) FROM "{SOURCE}"."{table}"').fetchone()
            say(f"  {SOURCE}.{table:<28} {count[0] if count else 0:>8} rows")
    say(f'\nTry: duckdb -readonly {published} "{QUERY}"')


def run(
    environ: dict[str, str],
    say: Callable[[str], object],
    *,
    port: int,
    receiver_port: int,
    simulator_port: int,
) -> None:
    """Everything together until Ctrl-C, SIGTERM, or the end of one of the processes.

    Args:
        environ: the process's environment.
        say: takes each line.
        port: for Dagster's UI.
        receiver_port: for webhooks.
        simulator_port: for the simulated account.

    Raises:
        PortTakenError: a port is in use.
        DemoError: the demo cannot run here, or a process ended by itself.
    """
    require_free(HOST, port, "--port")
    require_free(HOST, receiver_port, "--receiver-port")
    require_free(HOST, simulator_port, "--simulator-port")
    demo = Demo(environ, simulator_url=f"http://{HOST}:{simulator_port}", receiver_port=receiver_port)
    has_past = _had_events(demo)
    ui, webhook = f"http://{HOST}:{port}", f"http://{HOST}:{receiver_port}/webhooks/{SOURCE}"
    with ending_on_signals(), demo.instance() as instance, Group() as group:
        try:
            _start(group, demo, port, simulator_port, webhook)
            _await(group, demo, f"http://{HOST}:{simulator_port}/v3/scopes")
            say("Syncing the simulated account:")
            run_job(demo.definitions(), f"{SOURCE}_sync", instance, say)
            _await(group, demo, f"http://{HOST}:{receiver_port}/healthz")
            if not has_past:
                say("Posting signed webhooks:")
                traffic = Traffic(Account(), key=demo.key, seed=secrets.randbits(64))
                _post(traffic, traffic.past(_PAST_DAYS, _EVENTS_A_POST), webhook, say)
            _await(group, demo, f"{ui}/server_info")
            say(
                f"\nDagster's UI       {ui}\nReceiver           {webhook}\nSimulated account  http://{HOST}:{simulator_port}"
                f"\nFile to query      {demo.settings.published}\n"
                f'\nTry: duckdb -readonly {demo.settings.published} "{QUERY}"'
                f"\nEvents keep arriving and are loaded every few seconds; logs: {demo.folder}. Ctrl-C ends it all."
            )
            while (ended := group.ended()) is None:
                time.sleep(0.5)
            raise _ended(demo, *ended)
        except KeyboardInterrupt:
            # Its terminal may be gone.
            with suppress(OSError):
                say("\nStopping.")


def _start(group: Group, demo: Demo, port: int, simulator_port: int, webhook: str) -> None:
    def start(name: str, command: list[str]) -> None:
        group.start(name, command, env=demo.environ, cwd=demo.home, log=demo.folder / f"{name}.log")

    start(
        "simulator",
        this_command(
            *("simulate", "--port", str(simulator_port), "--api-key", API_KEY),
            *("--webhook-url", webhook, "--private-key-file", str(demo.signing_key)),
        ),
    )
    start("receiver", this_command("receive"))
    start("dagster", dagster_dev(HOST, port, "-m", "sendgrid_assets.definitions"))


def _await(group: Group, demo: Demo, url: str) -> None:
    patience = time.monotonic() + _START_SECONDS
    while time.monotonic() < patience:
        if ended := group.ended():
            raise _ended(demo, *ended)
        if answers(url):
            return
        time.sleep(0.2)
    raise DemoError(f"{url} did not answer within {_START_SECONDS:.0f} s: see the logs in {demo.folder}.")


def _ended(demo: Demo, name: str, status: int) -> DemoError:
    return DemoError(f"The {name} ended with status {status}: see {demo.folder / name}.log.")
