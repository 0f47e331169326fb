"""Syncs, drains and publishes in a loop, and others who open the published file meanwhile and check what they read.

`python -m sendgrid_assets_tests.publishing_loop 300` does so for five minutes and prints what was counted.

Every committed state follows from how many files were loaded and how many syncs were done: file n holds 10 + n % 7
events, whose `asm_group_id` is n, and sync n gives every list the name `sync n`. Readers hold each answer against that.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

from sendgrid_assets.defs.resources import make_warehouse
from sendgrid_assets.warehouse.drain import drain
from sendgrid_assets.webhook.landing import Landing

from .processes import ROOT, environment
from .site import Site, make_site

ANSWER = """
SELECT (SELECT count(*) FROM _sendgrid_assets.loaded_files) AS files,
    (SELECT coalesce(sum(events), 0) FROM _sendgrid_assets.loaded_files)::BIGINT AS in_ledger,
    (SELECT count(*) FROM sendgrid.activity) AS events,
    (SELECT coalesce(sum(asm_group_id), 0) FROM sendgrid.activity)::BIGINT AS weight,
    (SELECT count(DISTINCT sg_event_id) FROM sendgrid.activity) AS ids,
    (SELECT coalesce(sum(opens + clicks + delivered), 0) FROM sendgrid.email_daily)::BIGINT AS in_insights,
    (SELECT count(*) FROM sendgrid.messages) AS messages,
    (SELECT count(*) FROM _sendgrid_assets.sync_runs WHERE table_name = 'lists' AND status = 'ok') AS syncs,
    (SELECT coalesce(min(name), 'sync 0') FROM sendgrid.lists) AS first_name,
    (SELECT coalesce(max(name), 'sync 0') FROM sendgrid.lists) AS last_name,
    (SELECT count(*) FROM _sendgrid_assets.published) AS publishes,
    (SELECT max(loaded_at) FROM _sendgrid_assets.loaded_files)
        IS NOT DISTINCT FROM (SELECT loaded_at FROM _sendgrid_assets.published) AS fresh
"""

# What a notebook has: DuckDB, and nothing of ours.
READER = """
import json, sys, time, duckdb
from pathlib import Path
path, stop, query = sys.argv[1:]
answers = []
while True:
    ended = Path(stop).exists()
    with duckdb.connect(path, read_only=True) as connection:
        found = connection.execute(query)
        answers.append(dict(zip([column[0] for column in found.description], found.fetchone())))
    if ended:
        break
    time.sleep(0.01)
print(json.dumps(answers))
"""

# The same through DuckDB's own program.
CLI_READER = """
import json, subprocess, sys, time
from pathlib import Path
path, stop, query, cli = sys.argv[1:]
answers = []
while True:
    ended = Path(stop).exists()
    done = subprocess.run([cli, "-readonly", "-json", path, query], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    answers += json.loads(done.stdout)
    if ended:
        break
    time.sleep(0.01)
print(json.dumps(answers))
"""


def truth(files: int, syncs: int) -> dict[str, Any]:
    """What is in the tables once so many files were loaded and so many syncs done."""
    of_file = [10 + n % 7 for n in range(files)]
    return {
        "files": files,
        "in_ledger": sum(of_file),
        "events": sum(of_file),
        "weight": sum(n * events for n, events in enumerate(of_file)),
        "ids": sum(of_file),
        # A file's events of one kind differ in nothing but the id: all but the first are marked as its copies.
        "in_insights": 3 * files,
        "messages": 3 * files,
        "syncs": syncs,
        "first_name": f"sync {syncs}",
        "last_name": f"sync {syncs}",
        "publishes": 1,
        "fresh": True,
    }


def check(answers: list[dict[str, Any]]) -> None:
    """Each answer is of one committed state, and none is older than the one before."""
    before = (0, 0)
    for answer in answers:
        state = (answer["files"], answer["syncs"])
        wanted = truth(*state)
        # DuckDB's program writes its truth values as texts or numbers, by its version.
        given = answer | {"fresh": str(answer["fresh"]).lower() in ("true", "1")}
        assert given == wanted, (given, wanted)
        assert state[0] >= before[0], (before, state)
        assert state[1] >= before[1], (before, state)
        before = state


def landed(landing: Landing, number: int) -> None:
    kinds = ("open", "click", "delivered")
    lines = [
        {
            "sg_event_id": f"{number}-{n}",
            "event": kinds[n % 3],
            "timestamp": 1_719_000_000 + number,
            "email": "casey@example.com",
            "asm_group_id": number,
        }
        for n in range(10 + number % 7)
    ]
    landing.publish(f"{number:08}.ndjson", b"".join(json.dumps(line).encode() + b"\n" for line in lines))


def drains(site: Site, until: float) -> int:
    """Files loaded and published, every tenth by a run of Dagster's."""
    resource = make_warehouse(site.settings)
    landing = Landing(site.settings.landing_dir.absolute(), "sendgrid")
    landing.prepare()
    for number in count():
        if time.time() > until:
            return number
        landed(landing, number)
        if number % 10 == 9:
            assert site.run("sendgrid_drain").success
        else:
            drain(resource.warehouse, landing, scratch=resource.scratch, retention_days=30)
            resource.publish()
    raise AssertionError


def syncs(site: Site, until: float) -> int:
    """Runs of Dagster's, each after every list was renamed."""
    for number in count(1):
        if time.time() > until:
            return number - 1
        for row in site.account.lists:
            row["name"] = f"sync {number}"
        assert site.sync("lists").success
    raise AssertionError


def work(how: str, folder: Path, seconds: float) -> None:
    """What a writing process does; it prints how often."""
    with ExitStack() as stack:
        own = folder / how
        own.mkdir()
        site = stack.enter_context(make_site(own, SENDGRID_DATA_DIR=str(folder / "data")))
        done = {"drains": drains, "syncs": syncs}[how](site, time.time() + seconds)
    sys.stdout.write(f"{done}\n")


def loop(folder: Path, seconds: float, pythons: list[str], cli: str | None) -> dict[str, Any]:
    """Lets writers and readers run beside each other, and checks every answer.

    Args:
        folder: an empty one.
        seconds: for how long writers work.
        pythons: a reader runs in each.
        cli: DuckDB's program, for one more reader.

    Returns:
        How often each side did what.
    """
    published, stop = folder / "data" / "published.duckdb", folder / "stop"
    (folder / "empty").mkdir()
    with make_site(folder / "empty", SENDGRID_DATA_DIR=str(folder / "data")) as site:
        assert site.run("publish").success
    reading = [[python, "-c", READER, str(published), str(stop), ANSWER] for python in pythons]
    if cli:
        reading.append([sys.executable, "-c", CLI_READER, str(published), str(stop), ANSWER, cli])
    writing = [
        [sys.executable, "-m", __spec__.name, how, str(folder), str(seconds)] for how in ("drains", "syncs")
    ]
    with ExitStack() as stack:
        readers = [_started(stack, command, folder, f"reader-{n}") for n, command in enumerate(reading)]
        writers = [_started(stack, command, ROOT, f"writer-{n}", folder) for n, command in enumerate(writing)]
        files, syncs = (int(_ended(writer, seconds + 120)) for writer in writers)
        stop.touch()
        told = [json.loads(_ended(reader, 60)) for reader in readers]
    for answers in told:
        check(answers)
        # Whatever was committed is in the file that stands at the end.
        assert (answers[-1]["files"], answers[-1]["syncs"]) == (files, syncs)
    return {
        "files": files,
        "syncs": syncs,
        "answers": [len(answers) for answers in told],
        "states": [len({(answer["files"], answer["syncs"]) for answer in answers}) for answers in told],
    }


def _started(
    stack: ExitStack, command: list[str], cwd: Path, name: str, logs: Path | None = None
) -> tuple[subprocess.Popen[bytes], Path]:
    out, log = (logs or cwd) / f"{name}.out", (logs or cwd) / f"{name}.log"
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment(),
        stdout=stack.enter_context(out.open("wb")),
        stderr=stack.enter_context(log.open("wb")),
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process, out


def _ended(started: tuple[subprocess.Popen[bytes], Path], seconds: float) -> str:
    process, out = started
    code = process.wait(seconds)
    assert code == 0, out.with_suffix(".log").read_text()[-4000:]
    return out.read_text()


def main() -> None:
    if sys.argv[1] in ("drains", "syncs"):
        work(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
        return
    with tempfile.TemporaryDirectory() as folder:
        cli = sys.argv[2] if len(sys.argv) > 2 else None
        counted = loop(Path(folder), float(sys.argv[1]), [sys.executable], cli)
    sys.stdout.write(json.dumps(counted) + "\n")


if __name__ == "__main__":
    main()
