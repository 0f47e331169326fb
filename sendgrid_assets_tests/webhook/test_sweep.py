"""Every call that makes bytes last fails once, or ends the process, in turn until a run meets no failure.

Whatever happened, after the next start every acknowledged line is there once, and none that was never sent.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.recovery import recover

from .recorder import FailingOnce
from .session import FILE, LINES, session

ORPHANS = [b'{"o":0}\n', b'{"o":1}\n{"to', b"\0" * 20]

# A process of its own: that of the test must outlive the kill.
CHILD = """
import sys
from pathlib import Path
from sendgrid_assets_tests.webhook.recorder import DyingDisk
from sendgrid_assets_tests.webhook.session import session
disk = DyingDisk(None, int(sys.argv[2]), after=sys.argv[3] == "after")
session(Path(sys.argv[1]), disk, lambda line: print(line.decode(), flush=True))
"""


def orphaned(root: Path) -> None:
    landing = Landing(root, "sendgrid")
    landing.prepare()
    for number, content in enumerate(ORPHANS):
        (landing.tmp / f"1700000000000-host-1-{number:016x}.ndjson").write_bytes(content)
    linked = landing.tmp / f"1700000000000-host-1-{9:016x}.ndjson"
    linked.write_bytes(b'{"o":9}\n')
    os.link(linked, landing.new / linked.name)


def held(root: Path) -> Counter[bytes]:
    """Every line after the next start, by how often it is there."""
    landing = Landing(root, "sendgrid")
    landing.prepare()
    recover(landing)
    assert list(landing.tmp.iterdir()) == []
    return Counter(line for file in landing.waiting() for line in file.path.read_bytes().splitlines())


def check(root: Path, acknowledged: list[bytes]) -> None:
    found = held(root)
    earlier = {b'{"o":0}', b'{"o":1}', b'{"o":9}'}
    assert set(found) <= {*LINES, FILE.strip(), *earlier}, "something was made up"
    assert {*acknowledged, *earlier} <= set(found), "something was lost"
    assert set(found.values()) == {1}, "something is there twice"


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC], ids=errno.errorcode.get)
def test_no_failing_call_loses_what_was_acknowledged(tmp_path: Path, error: int) -> None:
    number, disk, refused = 0, None, 0
    while disk is None or disk.made >= number:
        number += 1
        root, acknowledged = tmp_path / str(number), []
        orphaned(root)
        disk = FailingOnce(number, error)
        try:
            session(root, disk, acknowledged.append)
        except OSError:
            # The start itself failed, and is made again by hand.
            refused += 1
        check(root, acknowledged)
    assert number > 20
    assert refused > 3


@pytest.mark.parametrize("when", ["before", "after"])
def test_no_kill_loses_what_was_acknowledged(tmp_path: Path, when: str) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    number, killed, most = 0, True, 0
    while killed:
        number += 1
        root = tmp_path / str(number)
        orphaned(root)
        ended = subprocess.run(
            [sys.executable, "-c", CHILD, root, str(number), when],
            env=environ,
            capture_output=True,
            timeout=60,
        )
        killed = ended.returncode == -signal.SIGKILL
        assert killed or ended.returncode == 0, ended.stderr.decode()
        acknowledged = [line for line in ended.stdout.splitlines() if line]
        most = max(most, len(acknowledged))
        check(root, acknowledged)
    assert number > 20
    assert most == len(LINES) + 1
