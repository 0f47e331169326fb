"""What `sendgrid-assets simulate` does: serve the account, let it change, and post its events.

Belongs here: putting the parts together for one process. Does not: the command line itself.
"""

from __future__ import annotations

import logging
import secrets
import threading
from typing import TYPE_CHECKING

from .account import Account
from .running import serve
from .server import create_app
from .signing_key import kept_key
from .traffic import Traffic

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("sendgrid_assets.simulator")

_ADVANCE_SECONDS = 20.0
_STOP_SECONDS = 15.0


def simulate(
    host: str,
    port: int,
    *,
    api_key: str,
    webhook_url: str | None = None,
    private_key_file: Path | None = None,
    public_key_file: Path | None = None,
    seed: int = 1,
    contacts: int = 400,
    every: float = 2.0,
) -> None:
    """Serves a simulated account until the process is interrupted or terminated.

    Args:
        host: address to listen on.
        port: port to listen on.
        api_key: the only key that is accepted.
        webhook_url: where signed events are posted; None for nowhere.
        private_key_file: PEM file that keeps the webhook's key, made if missing; None for a key of this run.
        public_key_file: where the verification key is written, as SendGrid shows it.
        seed: what the account's contents depend on; its events are new each time.
        contacts: how many contacts there are at first.
        every: seconds between two posts.

    Raises:
        OSError: the port is taken, or a key file cannot be read or written.
        ValueError: the private key file holds no P-256 key.
    """
    account = Account(seed=seed, contacts=contacts)
    traffic = Traffic(
        account, key=kept_key(private_key_file) if private_key_file else None, seed=secrets.randbits(64)
    )
    if public_key_file:
        public_key_file.write_text(traffic.public_key + "\n")
    stop = threading.Event()
    living = threading.Thread(
        target=live, args=(account, traffic, webhook_url, every, stop), name="simulated-life", daemon=True
    )
    living.start()
    log.info("A simulated SendGrid account answers on http://%s:%d", host, port)
    try:
        serve(create_app(account, api_key=api_key), host, port)
    finally:
        stop.set()
        living.join(_STOP_SECONDS)


def live(
    account: Account, traffic: Traffic, webhook_url: str | None, every: float, stop: threading.Event
) -> None:
    """Lets the account change every twenty seconds, and posts its events if there is where to."""
    if webhook_url:
        traffic.run(webhook_url, every=every, stop=stop)
    while not stop.wait(_ADVANCE_SECONDS):
        account.advance()
