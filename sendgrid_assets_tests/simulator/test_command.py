import logging
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from sendgrid_assets.simulator import command
from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.command import live
from sendgrid_assets.simulator.running import running
from sendgrid_assets.simulator.server import create_app
from sendgrid_assets.simulator.signing_key import kept_key, new_key, shown
from sendgrid_assets.simulator.traffic import Traffic
from sendgrid_assets.webhook.signature import read_public_key

PROGRAM = """
import logging, pathlib, sys
from sendgrid_assets.simulator.command import simulate
logging.basicConfig(level="INFO")
port, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
simulate("127.0.0.1", port, api_key="SG.secret", webhook_url=f"http://127.0.0.1:{port}/hook", every=0.05,
         private_key_file=folder / "key.pem", public_key_file=folder / "key.txt")
"""


def test_key_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "webhook.pem"
    made = kept_key(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert shown(kept_key(file)) == shown(made) != shown(new_key())
    assert read_public_key(shown(made)).public_numbers() == made.public_key().public_numbers()


def test_a_file_that_holds_no_key_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "webhook.pem"
    file.write_text("no key")
    with pytest.raises(ValueError, match="PEM"):
        kept_key(file)
    assert file.read_text() == "no key"


def test_simulate_serves_until_terminated(tmp_path: Path) -> None:
    with running(create_app(Account(contacts=0), api_key="")) as free:
        port = int(free.rpartition(":")[2])
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(port), str(tmp_path)], stderr=subprocess.PIPE, text=True
    )
    try:
        answer = _first_answer(f"http://127.0.0.1:{port}/v3/marketing/contacts/count")
        time.sleep(0.3)
    finally:
        process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=20)
    assert answer.json()["contact_count"] == 400
    assert (tmp_path / "key.txt").read_text() == shown(kept_key(tmp_path / "key.pem")) + "\n"
    assert f"http://127.0.0.1:{port}" in logged
    assert "The receiver takes no events yet." in logged
    assert not re.search(r"@|SG\.|PRIVATE|Traceback", logged)


def _first_answer(url: str) -> httpx.Response:
    deadline = time.monotonic() + 15
    while True:
        try:
            return httpx.get(url, headers={"Authorization": "Bearer SG.secret"})
        except httpx.ConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_account_lives_without_a_webhook(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_ADVANCE_SECONDS", 0.01)
    stop, contacts = threading.Event(), [row["contact_id"] for row in account.mc_contacts]
    thread = threading.Thread(target=live, args=(account, Traffic(account), None, 1.0, stop))
    thread.start()
    time.sleep(0.2)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert [row["contact_id"] for row in account.mc_contacts] != contacts


def test_room_logs_under_its_own_name() -> None:
    assert command.log is logging.getLogger("sendgrid_assets.simulator")
