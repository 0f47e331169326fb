import socket
import threading
import time

import httpx
import pytest
from starlette.applications import Starlette

from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.running import running
from sendgrid_assets.simulator.server import create_app


def test_two_run_side_by_side_and_end(account: Account) -> None:
    before = set(threading.enumerate())
    with (
        running(create_app(account, api_key="one")) as one,
        running(create_app(account, api_key="two")) as two,
    ):
        assert one != two
        for url, key in ((one, "one"), (two, "two")):
            assert (
                httpx.get(f"{url}/v3/scopes", headers={"Authorization": f"Bearer {key}"}).status_code == 200
            )
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{one}/v3/scopes")
    assert set(threading.enumerate()) <= before


def test_taken_port_is_an_error() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(OSError, match="in use"),
        running(Starlette(), port=listener.getsockname()[1]),
    ):
        pytest.fail("it runs on a taken port")


def test_ends_soon_also_with_an_open_connection(account: Account) -> None:
    begun = time.monotonic()
    with httpx.Client() as client, running(create_app(account, api_key="key")) as url:
        client.get(f"{url}/v3/scopes")
    assert time.monotonic() - begun < 5
