"""A served account for each test that asks for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.running import running
from sendgrid_assets.simulator.server import create_app

API_KEY = "SG.simulated.key"

Serve = Callable[..., httpx.Client]


class Stage:
    """The application of the test that is running: one server for all, since each takes long to stop."""

    app: ASGIApp
    url: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    stage = Stage()
    with running(stage) as stage.url:
        yield stage


@pytest.fixture
def serve(stage: Stage) -> Iterator[Serve]:
    """Serves an account, and returns a client that has the key; more arguments go to `create_app`."""
    headers = {"Authorization": f"Bearer {API_KEY}"}
    with httpx.Client(base_url=stage.url, headers=headers, timeout=10) as client:

        def start(account: Account, **options: object) -> httpx.Client:
            stage.app = create_app(account, api_key=API_KEY, **options)
            return client

        yield start


@pytest.fixture
def account() -> Account:
    """A small account whose clock stands still."""
    return Account(contacts=60, clock=lambda: 1_800_000_000.5)
