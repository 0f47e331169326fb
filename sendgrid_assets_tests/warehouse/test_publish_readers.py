"""Readers are never in the way of a publish, and never see half of one."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import duckdb

from sendgrid_assets.warehouse.publish import publish

from .conftest import Store, commit, read

COUNT = "SELECT count(*) FROM sendgrid.lists"

READER = """
import sys, duckdb
path, count = sys.argv[1:]
connection = duckdb.connect(path, read_only=True)
print(connection.execute(count).fetchone()[0], flush=True)
for line in sys.stdin:
    print(connection.execute(count).fetchone()[0], flush=True)
"""

COUNTER = """
import sys, time, duckdb
from pathlib import Path
path, count, stop = sys.argv[1:]
while True:
    ended = Path(stop).exists()
    with duckdb.connect(path, read_only=True) as connection:
        rows, files, events = connection.execute(count).fetchone()
    assert rows == events, (rows, events)
    print(rows, flush=True)
    if ended:
        break
    time.sleep(0.06)
"""


def test_readers_keep_what_they_opened_and_later_ones_see_the_new(store: Store) -> None:
    commit(store, "A")
    publish(store.warehouse, store.published)
    command = [sys.executable, "-c", READER, str(store.published), COUNT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdin
        assert reader.stdout
        assert reader.stdout.readline() == "1\n"
        commit(store, "B")
        assert publish(store.warehouse, store.published) is not None
        reader.stdin.write("again\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "1\n"
        assert read(store.published) == ["A", "B"]
        reader.stdin.close()


def test_a_log_that_a_reader_left_is_not_replayed_into_the_new_file(store: Store) -> None:
    commit(store, "A")
    publish(store.warehouse, store.published)
    store.published.chmod(0o644)
    with duckdb.connect(store.published) as connection:
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        connection.execute("INSERT INTO sendgrid.lists (id) VALUES ('mine')")
    assert store.published.with_name("published.duckdb.wal").stat().st_size > 0
    commit(store, "B")
    publish(store.warehouse, store.published)
    assert read(store.published) == ["A", "B"]


def test_whoever_opens_it_while_it_is_replaced_sees_a_committed_state(store: Store, tmp_path: Path) -> None:
    publish(store.warehouse, store.published)
    stop = tmp_path / "stop"
    # Rows and ledger are of one commit, so they agree in every state that was committed.
    count = (
        "SELECT (SELECT count(*) FROM sendgrid.activity), count(*), coalesce(sum(events), 0)::BIGINT"
        " FROM _sendgrid_assets.loaded_files"
    )
    command = [sys.executable, "-c", COUNTER, str(store.published), count, str(stop)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as counting:
        told: list[str] = []
        thread = threading.Thread(target=lambda: told.extend(counting.communicate()))
        thread.start()
        for number in range(50):
            with store.warehouse.open() as connection:
                connection.execute("BEGIN")
                connection.execute(
                    "INSERT INTO sendgrid.open (sg_event_id) SELECT range::VARCHAR FROM range(10)"
                )
                connection.execute(
                    "INSERT INTO _sendgrid_assets.loaded_files (file, events) VALUES (?, 10)", [str(number)]
                )
                connection.execute("COMMIT")
            assert publish(store.warehouse, store.published) is not None
        stop.touch()
        thread.join(60)
    assert (counting.returncode, told[1]) == (0, "")
    counts = [int(line) for line in told[0].split()]
    assert counts == sorted(counts)
    assert counts[-1] == 500
    assert len(set(counts)) > 5
    assert all(count % 10 == 0 for count in counts)
