"""Readers are never in the way of a publish, and never see half of one."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb

from sendgrid_assets.warehouse.publish import publish

from .conftest import Store, commit, read

COUNT = "SELECT count(*) FROM sendgrid.lists"

PUBLISHES, OPENS = 50, 500

READER = """
import sys, duckdb
path, count = sys.argv[1:]
connection = duckdb.connect(path, read_only=True)
print(connection.execute(count).fetchone()[0], flush=True)
for line in sys.stdin:
    print(connection.execute(count).fetchone()[0], flush=True)
"""

COUNTER = """
import sys, duckdb
from pathlib import Path
path, count, stop = sys.argv[1:]
while True:
    ended = Path(stop).exists()
    with duckdb.connect(path, read_only=True) as connection:
        rows, files, told = connection.execute(count).fetchone()
    assert rows == told, (rows, told)
    print(rows, flush=True)
    if ended:
        break
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


def test_whoever_opens_it_while_it_is_replaced_sees_a_committed_state(tmp_path: Path) -> None:
    # Of no source: each open reads the whole catalog, and there are to be many.
    store = Store(tmp_path).change(schemas=())
    publish(store.warehouse, store.published)
    stop = tmp_path / "stop"
    # Rows and ledger are of one commit, so they agree in every state that was committed.
    count = (
        "SELECT (SELECT count(*) FROM _sendgrid_assets.rejected_events), count(*),"
        " coalesce(sum(rejected), 0)::BIGINT FROM _sendgrid_assets.loaded_files"
    )
    command = [sys.executable, "-c", COUNTER, str(store.published), count, str(stop)]
    counts: list[int] = []
    with (
        (tmp_path / "said").open("w+") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as counting,
    ):
        assert counting.stdout
        lines = counting.stdout
        thread = threading.Thread(target=lambda: counts.extend(map(int, lines)))
        thread.start()
        for number in range(PUBLISHES):
            with store.warehouse.open() as connection:
                connection.execute("BEGIN")
                connection.execute(
                    "INSERT INTO _sendgrid_assets.rejected_events (raw) SELECT range::VARCHAR FROM range(10)"
                )
                connection.execute(
                    "INSERT INTO _sendgrid_assets.loaded_files (file, rejected) VALUES (?, 10)", [str(number)]
                )
                connection.execute("COMMIT")
            assert publish(store.warehouse, store.published) is not None
            # As many opens as there are to be, spread over the publishes.
            while len(counts) < (number + 1) * OPENS // PUBLISHES and counting.poll() is None:
                time.sleep(0.005)
        stop.touch()
        thread.join(60)
        said.seek(0)
        assert (counting.wait(60), said.read()) == (0, "")
    assert counts == sorted(counts)
    assert counts[-1] == 10 * PUBLISHES
    assert len(counts) >= OPENS
    assert len(set(counts)) > 5
    assert all(count % 10 == 0 for count in counts)
