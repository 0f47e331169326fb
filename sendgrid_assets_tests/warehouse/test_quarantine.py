"""A file that ends the process that reads it costs that file; a process that is killed over a file costs nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sendgrid_assets.warehouse import trial
from sendgrid_assets_tests.processes import wait_for

from .conftest import Store, event, ndjson

ROOT = Path(__file__).parents[2]

# What a flaw of a native library does, in every process that loads files: it dies over what has the word in it.
FLAWED = """
    import ctypes, os, signal, time
    from sendgrid_assets.warehouse import chunk

    sound = chunk.load_chunk

    def load_chunk(warehouse, source, files, scratch, **options):
        for file in files:
            content = file.path.read_bytes()
            if b"poison" in content:
                ctypes.string_at(0)
            if b"hang" in content:
                time.sleep(600)
            if b"once" in content and (once := file.path.parents[1] / "once").exists():
                once.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
        return sound(warehouse, source, files, scratch, **options)

    chunk.load_chunk = load_chunk
"""
DRAIN = """
    import sys
    from pathlib import Path
    from sendgrid_assets_tests.warehouse.conftest import Store
    from sendgrid_assets.warehouse import quarantine, trial

    store = Store(Path(sys.argv[1]))
    seconds = float(sys.argv[2])
    quarantine.tried = lambda *asked: trial.tried(*asked, seconds if asked[2] else 60)
    done = store.drain(chunk_bytes=int(sys.argv[3]))
    print(done.files, sum(done.rows.values()), done.rejected, done.unreadable)
"""


@pytest.fixture
def flawed(tmp_path: Path) -> Mapping[str, str]:
    """An environment in which every process of ours has the flaw."""
    folder = tmp_path / "flaw"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(textwrap.dedent(FLAWED))
    return os.environ | {"PYTHONPATH": f"{folder}:{ROOT}"}


def drain(
    store: Store, env: Mapping[str, str], *, seconds: float = 60, chunk_bytes: int = 1 << 20
) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        textwrap.dedent(DRAIN),
        str(store.folder),
        str(seconds),
        str(chunk_bytes),
    ]
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_file_that_ends_the_process_is_set_aside_and_the_rest_loads_in_the_next_run(
    store: Store, flawed: Mapping[str, str]
) -> None:
    for number in range(4):
        lines = [event(f"e{number}", ip=str(number)), *(["poison"] if number in (1, 3) else [])]
        store.land(*lines, name=f"{number}.ndjson")
    assert drain(store, flawed).returncode == -signal.SIGSEGV
    assert (store.ledger(), len(store.waiting())) == ([], 4)
    done = drain(store, flawed)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2", "2", "2", "2"]
    assert store.activity("sg_event_id") == [(f"e{number}",) for number in (0, 2)]
    assert store.rejects("file, line, reason") == [
        ("1.ndjson", None, "process_ended"),
        ("3.ndjson", None, "process_ended"),
    ]
    assert sorted(path.name for path in store.landing.rejected.iterdir()) == [
        "1.ndjson",
        "1.ndjson.reason.json",
        "3.ndjson",
        "3.ndjson.reason.json",
    ]
    assert (store.waiting(), list((store.folder / "scratch").glob("trial-*"))) == ([], [])
    # Mended, that is with the flaw gone, it loads.
    (store.landing.rejected / "1.ndjson").rename(store.landing.new / "1.ndjson")
    assert store.drain().rows == {"open": 1}
    assert len(store.rejects()) == 3


def test_files_that_come_while_one_is_suspect_are_loaded_too(store: Store, flawed: Mapping[str, str]) -> None:
    store.land("poison", name="b.ndjson")
    assert drain(store, flawed).returncode == -signal.SIGSEGV
    store.land(event("A"), name="a.ndjson")
    store.land(event("C"), name="c.ndjson")
    done = drain(store, flawed)
    assert (done.returncode, done.stdout.split()) == (0, ["2", "2", "1", "1"])
    assert store.rejects("file, reason") == [("b.ndjson", "process_ended")]


def test_a_file_over_which_the_process_hangs_is_set_aside_after_a_time(
    store: Store, flawed: Mapping[str, str]
) -> None:
    store.land(event("A"), "hang", name="a.ndjson")
    store.land(event("B"), name="b.ndjson")
    command = [sys.executable, "-c", textwrap.dedent(DRAIN), str(store.folder), "60", "1"]
    noted = store.landing.root / ".drain.json"
    with subprocess.Popen(command, cwd=ROOT, env=flawed) as hanging:
        try:
            wait_for(lambda: "a.ndjson" in noted.read_text() if noted.exists() else False, "its attempt")
            with pytest.raises(subprocess.TimeoutExpired):
                hanging.wait(1)
        finally:
            hanging.kill()
    done = drain(store, flawed, seconds=2)
    assert (done.returncode, done.stdout.split()) == (0, ["1", "1", "1", "1"])
    assert store.rejects("file, reason") == [("a.ndjson", "process_ended")]


def test_a_process_killed_over_a_harmless_file_costs_nothing(store: Store, flawed: Mapping[str, str]) -> None:
    store.land(event("A"), "once", name="a.ndjson")
    (store.landing.root / "once").touch()
    assert drain(store, flawed).returncode == -signal.SIGKILL
    assert store.waiting() == ["a.ndjson"]
    done = drain(store, flawed)
    assert (done.returncode, done.stdout.split()) == (0, ["1", "1", "1", "0"])
    assert "apart" in done.stderr
    assert store.rejects() == [("not_json", "once")]


def test_an_error_is_no_end_and_leaves_no_suspect(store: Store, flawed: Mapping[str, str]) -> None:
    store.land(event("A"), name="a.ndjson")
    store.query("ALTER TABLE _sendgrid_assets.loaded_files RENAME COLUMN events TO old_events")
    assert drain(store, flawed).returncode == 1
    store.query("ALTER TABLE _sendgrid_assets.loaded_files RENAME COLUMN old_events TO events")
    done = drain(store, flawed)
    assert (done.returncode, done.stdout.split()) == (0, ["1", "1", "0", "0"])
    assert "apart" not in done.stderr


def test_where_even_no_file_ends_the_process_no_file_is_blamed(store: Store, tmp_path: Path) -> None:
    store.land(event("A"), name="a.ndjson")
    died_over(store, "a.ndjson")
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "if 'sendgrid_assets.warehouse.trial' in sys.orig_argv: os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = drain(store, os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert (done.returncode, done.stdout.split()) == (0, ["1", "1", "0", "0"])
    assert "no file is to blame" in done.stderr


def died_over(store: Store, *names: str) -> None:
    """Leaves the word of a process that died while it loaded these."""
    sizes = [(name, (store.landing.new / name).stat().st_size) for name in names]
    (store.landing.root / ".drain.json").write_bytes(msgspec.json.encode({"attempt": sizes}))


def test_files_loaded_apart_are_counted_as_others_are(store: Store) -> None:
    store.land(event("A"), event("A"), "torn", name="a.ndjson")
    store.land(event("B"), name="b.ndjson")
    store.land(event("C"), name="c.ndjson")
    died_over(store, "a.ndjson", "c.ndjson")
    done = store.drain()
    assert (done.files, done.rows, done.repeated, done.rejected) == (3, {"open": 3}, 1, 1)
    assert [file for file, _, _ in store.ledger()] == ["a.ndjson", "b.ndjson", "c.ndjson"]
    assert (store.waiting(), store.done()) == ([], ["a.ndjson", "b.ndjson", "c.ndjson"])


@pytest.mark.parametrize(
    "said", [b"", b"{", b'{"attempt": 5}', b"null", b'{"attempt": [["gone.ndjson", 5]]}']
)
def test_a_note_that_says_nothing_is_passed_over(store: Store, said: bytes) -> None:
    (store.landing.root / ".drain.json").write_bytes(said)
    assert store.load(event("A")).rows == {"open": 1}


def test_a_trial_ends_with_the_process_that_started_it(store: Store, flawed: Mapping[str, str]) -> None:
    store.land("hang", name="a.ndjson")
    died_over(store, "a.ndjson")
    command = [sys.executable, "-c", textwrap.dedent(DRAIN), str(store.folder), "60", "1"]
    with subprocess.Popen(command, cwd=ROOT, env=flawed) as parent:
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        if not children.exists():
            parent.kill()
            pytest.skip("the system does not say which processes a process started")
        child = wait_until(lambda: children.read_text().split())[0]
        parent.kill()
    wait_until(lambda: not Path(f"/proc/{child}").exists())


def wait_until(condition: Callable[[], Any]) -> Any:
    patience = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < patience
        time.sleep(0.02)
    return found


def test_a_hundred_thousand_levels_end_no_trial(store: Store) -> None:
    deep = b'{"event":"open","timestamp":1719000000,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    path = store.landing.new / "deep.ndjson"
    path.write_bytes(ndjson([deep, event("A")]))
    brought = trial.tried(store.warehouse, "sendgrid", store.landing.waiting(), store.folder)
    assert brought is not None
    assert brought.appended is not None
    assert (brought.appended.rows, brought.appended.rejected) == ({"open": 1}, 1)
