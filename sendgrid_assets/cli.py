"""The `sendgrid-assets` command.

Belongs here: options, and turning errors into one sentence and a status. Does not: any work.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .settings import SettingsError, load_settings

if TYPE_CHECKING:
    import datetime as dt

_DATE = click.DateTime(["%Y-%m-%d"])
_PORT = click.IntRange(1, 65535)


@click.group()
@click.version_option(package_name="sendgrid_assets")
def main() -> None:
    """SendGrid's data in DuckDB, through Dagster."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)


@main.command()
@click.option("--once", is_flag=True, help="One sync, one burst of webhooks, one drain; then end.")
@click.option("--port", type=_PORT, default=3000, show_default=True, help="Port of Dagster's UI.")
@click.option("--receiver-port", type=_PORT, default=8025, show_default=True, help="Port of the receiver.")
@click.option(
    "--simulator-port", type=_PORT, default=8026, show_default=True, help="Port of the simulated account."
)
def demo(once: bool, port: int, receiver_port: int, simulator_port: int) -> None:
    """Try everything on a simulated SendGrid account.

    Its data goes to demo-data/, or to SENDGRID_DATA_DIR where that is set.
    """
    from . import demo as demo_
    from .processes import PortTakenError

    # A sync's own retries and waits are told by its lines.
    logging.getLogger().setLevel(logging.WARNING)
    try:
        if once:
            sys.exit(0 if demo_.run_once(dict(os.environ), click.echo) else 1)
        demo_.run(
            dict(os.environ),
            click.echo,
            port=port,
            receiver_port=receiver_port,
            simulator_port=simulator_port,
        )
    except (demo_.DemoError, PortTakenError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--port", type=_PORT, default=3000, show_default=True, help="Port of Dagster's UI.")
@click.option("--receiver-port", type=_PORT, help="Port of the receiver, instead of SENDGRID_RECEIVER_PORT.")
def up(port: int, receiver_port: int | None) -> None:
    """The receiver and Dagster together, for a real account; syncs at once if it never has."""
    from . import up as up_
    from .processes import PortTakenError

    try:
        up_.run(load_settings(), click.echo, port=port, receiver_port=receiver_port)
    except (SettingsError, up_.UpError, PortTakenError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--host", help="Address to listen on, instead of SENDGRID_RECEIVER_HOST.")
@click.option("--port", type=_PORT, help="Port to listen on, instead of SENDGRID_RECEIVER_PORT.")
def receive(host: str | None, port: int | None) -> None:
    """The receiver alone: takes SendGrid's webhooks into the landing directory."""
    from .webhook.landing import LandingError
    from .webhook.receiver import ReceiverError, run

    try:
        run(load_settings(), host, port)
    except (SettingsError, ReceiverError, LandingError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_PORT, default=8026, show_default=True, help="Port to listen on.")
@click.option(
    "--api-key", default="SG.simulated.not-a-real-key", show_default=True, help="The key it accepts."
)
@click.option("--webhook-url", help="Where to post signed events.")
@click.option("--private-key-file", type=click.Path(path_type=Path), help="Keeps the webhook's signing key.")
@click.option("--public-key-file", type=click.Path(path_type=Path), help="Gets the verification key.")
def simulate(
    host: str,
    port: int,
    api_key: str,
    webhook_url: str | None,
    private_key_file: Path | None,
    public_key_file: Path | None,
) -> None:
    """The simulated SendGrid account alone."""
    from .processes import PortTakenError, require_free
    from .simulator.command import simulate as serve

    try:
        require_free(host, port, "--port")
        serve(
            host,
            port,
            api_key=api_key,
            webhook_url=webhook_url,
            private_key_file=private_key_file,
            public_key_file=public_key_file,
        )
    except (PortTakenError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--database", help="The published file's name in dbt's profile; unset, the profile's database.")
def dbt_sources(database: str | None) -> None:
    """Prints dbt's sources.yml of every table, with descriptions, tests and freshness."""
    from . import dbt_sources as dbt_sources_

    try:
        click.echo(dbt_sources_.dbt_sources(load_settings(), database), nl=False)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="The copy to put back; the published file by default.",
)
@click.option("--force", is_flag=True, help="Also where the warehouse can be read: it is moved aside.")
def restore(source: Path | None, force: bool) -> None:
    """Puts the published file, or another copy, back as the warehouse; nothing is removed."""
    from . import restore as restore_
    from .warehouse.errors import WarehouseError

    try:
        restore_.run(load_settings(), click.echo, source=source, over=force)
    except (SettingsError, WarehouseError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.argument("source", required=False)
@click.option("--from", "first", type=_DATE, help="First day, as in done/; the oldest by default.")
@click.option("--to", "last", type=_DATE, help="Last day; the newest by default.")
def replay(source: str | None, first: dt.datetime | None, last: dt.datetime | None) -> None:
    """Loads events that were loaded before once more, for rows that are gone; what is there stays as it is.

    SOURCE is one of SENDGRID_SOURCES; all of them by default.
    """
    from . import replay as replay_
    from .warehouse.errors import WarehouseError
    from .webhook.landing import LandingError

    try:
        replay_.run(
            load_settings(),
            click.echo,
            source=source,
            first=first.date() if first else None,
            last=last.date() if last else None,
        )
    except (SettingsError, WarehouseError, LandingError, replay_.ReplayError) as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
