"""Loaded files: packed byte for byte, and given back under their own names."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import zipfile
from itertools import count
from pathlib import Path

import pytest

from sendgrid_assets.webhook import packing
from sendgrid_assets.webhook.archive import Archive
from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.packing import pack_days

DAY = dt.date(2026, 3, 1)
AFTER = dt.date(2026, 3, 2)
ROOT = Path(__file__).parents[2]
CONTENTS = {
    "a.ndjson": b'{"n":1}\n' * 500,
    "b.json": b"",
    "b.json.1": b"[]",
    "c.ndjson.gz": os.urandom(3000),
    "ü.jsonl": b"\xff\x00 anything",
}


def fill(landing: Landing, day: dt.date, contents: dict[str, bytes] | None = None) -> None:
    folder = landing.done / day.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, content) in enumerate((contents or CONTENTS).items()):
        (folder / name).write_bytes(content)
        os.utime(folder / name, ns=(1, 1_700_000_000_250_000_000 + number * 10**9))


def held(archive: Archive, day: dt.date, folder: Path) -> dict[str, bytes]:
    """What can be read of a day, by entry; the same from two places must be the same."""
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, bytes] = {}
    for number, file in enumerate(archive.files(day)):
        (folder / str(number)).mkdir()
        (copy,) = archive.copied([file], folder / str(number))
        content = copy.path.read_bytes()
        assert found.setdefault(file.entry, content) == content
        assert len(content) == file.size == copy.size
    return found


def test_a_past_day_becomes_one_pack_from_which_every_byte_and_time_comes_back(
    landing: Landing, tmp_path: Path
) -> None:
    fill(landing, DAY)
    fill(landing, AFTER)
    archive = Archive(landing)
    assert pack_days(archive, before=AFTER, seconds=60) == len(CONTENTS)
    assert [path.name for path in archive.folder(DAY).iterdir()] == ["packed-1.zip"]
    assert len(archive.loose(AFTER)) == len(CONTENTS)
    assert held(archive, DAY, tmp_path / "out") == CONTENTS
    (first, *_) = archive.copied(list(archive.files(DAY)), tmp_path)
    assert (first.name, first.received_at) == (
        "a.ndjson",
        dt.datetime(2023, 11, 14, 22, 13, 20, 250000, tzinfo=dt.UTC),
    )
    assert [file.name for file in archive.files(DAY)] == [name.removesuffix(".1") for name in CONTENTS]
    assert pack_days(archive, before=AFTER, seconds=60) == 0
    assert list(landing.tmp.iterdir()) == []


def test_a_pack_is_a_zip_file_smaller_than_what_it_holds(landing: Landing) -> None:
    fill(landing, DAY, {"a.ndjson": b'{"n":1}\n' * 5000, "b.ndjson.gz": os.urandom(100)})
    pack_days(Archive(landing), before=AFTER, seconds=60)
    (path,) = Archive(landing).packs(DAY)
    with zipfile.ZipFile(path) as pack:
        assert pack.testzip() is None
        kinds = {info.filename: info.compress_type for info in pack.infolist()}
    assert kinds == {"a.ndjson": zipfile.ZIP_DEFLATED, "b.ndjson.gz": zipfile.ZIP_STORED}
    assert path.stat().st_size < 2000


def test_packing_goes_on_where_its_time_ended_in_packs_of_bounded_size(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "PACK_FILES", 3)
    monkeypatch.setattr(packing, "PACK_BYTES", 1000)
    monkeypatch.setattr(packing, "LARGEST", 5000)
    sizes = [10, 10, 10, 10, 900, 900, 10, 6000]
    contents = {f"{number}.ndjson": bytes(size) for number, size in enumerate(sizes)}
    fill(landing, DAY, contents)
    archive = Archive(landing)
    packed = [
        pack_days(archive, before=AFTER, seconds=0.5, clock=map(float, count()).__next__) for _ in range(5)
    ]
    assert packed == [0] * 5
    packed = [
        pack_days(archive, before=AFTER, seconds=1.5, clock=map(float, count()).__next__) for _ in range(5)
    ]
    assert packed == [3, 2, 2, 0, 0]
    assert [path.name for path in archive.packs(DAY)] == [f"packed-{number}.zip" for number in (1, 2, 3)]
    assert [file.entry for file in archive.loose(DAY)] == ["7.ndjson"]
    assert held(archive, DAY, tmp_path / "out") == contents


def test_what_a_damaged_pack_has_beside_its_files_is_packed_anew(landing: Landing) -> None:
    contents = {"a.ndjson.gz": CONTENTS["c.ndjson.gz"]}
    archive = Archive(landing)
    fill(landing, DAY, contents)
    pack_days(archive, before=AFTER, seconds=60)
    fill(landing, DAY, contents)
    (path,) = archive.packs(DAY)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(contents["a.ndjson.gz"], bytes(3000)))
    assert pack_days(archive, before=AFTER, seconds=60) == 1
    assert archive.loose(DAY) == []
    with zipfile.ZipFile(archive.packs(DAY)[-1]) as pack:
        assert pack.read("a.ndjson.gz") == contents["a.ndjson.gz"]


def test_a_file_that_grows_while_it_is_packed_stays_as_it_is(landing: Landing, tmp_path: Path) -> None:
    class Growing(Disk):
        def fsync(self, descriptor: int) -> None:
            super().fsync(descriptor)
            with (landing.done / DAY.isoformat() / "a.ndjson").open("ab") as file:
                file.write(b"more\n")

    fill(landing, DAY)
    landing.disk = Growing()
    assert pack_days(Archive(landing), before=AFTER, seconds=60) == len(CONTENTS) - 1
    (loose,) = Archive(landing).loose(DAY)
    assert loose.path.read_bytes().endswith(b"more\n")


class Spoiling(Disk):
    def write(self, descriptor: int, data: bytes) -> None:
        super().write(descriptor, data.replace(b"event", b"evnet"))


def test_a_pack_that_is_not_what_was_read_is_thrown_away(landing: Landing) -> None:
    fill(landing, DAY, {"a.ndjson.gz": b"event" * 10})
    landing.disk = Spoiling()
    assert pack_days(Archive(landing), before=AFTER, seconds=60) == 0
    assert [path.name for path in Archive(landing).folder(DAY).iterdir()] == ["a.ndjson.gz"]
    assert list(landing.tmp.iterdir()) == []


# Packs once; argument: at which of the disk's calls to die.
KILLED = """
import datetime as dt, sys
from pathlib import Path
from sendgrid_assets.webhook.archive import Archive
from sendgrid_assets.webhook.landing import Landing
from sendgrid_assets.webhook.packing import pack_days
from sendgrid_assets_tests.webhook.test_archive import AnyCall, fill, held, DAY, AFTER, CONTENTS
import json, os
for at in range(1, 1000):
    root = Path(sys.argv[1]) / str(at)
    landing = Landing(root, "sendgrid")
    landing.prepare()
    fill(landing, DAY)
    pid = os.fork()
    if pid == 0:
        landing.disk = AnyCall(at)
        pack_days(Archive(landing), before=AFTER, seconds=60)
        os._exit(0)
    killed = os.waitpid(pid, 0)[1] != 0
    archive = Archive(landing)
    between = held(archive, DAY, root / "between") == CONTENTS
    archive.clear_strays()
    pack_days(archive, before=AFTER, seconds=60)
    print(json.dumps([killed, between, held(archive, DAY, root / "after") == CONTENTS,
                      sorted(path.name for path in archive.folder(DAY).iterdir()), os.listdir(landing.tmp)]))
    if not killed:
        break
"""


class AnyCall(Disk):
    """Dies before the n-th call of whichever kind."""

    def __init__(self, at: int) -> None:
        self._left = at

    def __getattribute__(self, name: str) -> object:
        if not name.startswith("_"):
            self._left -= 1
            if self._left == 0:
                os._exit(9)
        return super().__getattribute__(name)


def test_packing_killed_at_any_call_loses_no_file_and_is_ended_by_the_next(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [killed for killed, *_ in told] == [True] * (len(told) - 1) + [False]
    assert len(told) > 10
    for _, between, after, names, tmp in told:
        assert (between, after) == (True, True)
        assert names == ["packed-1.zip"]
        assert tmp == []


@pytest.mark.parametrize("spoil", ["cut", "garbage", "flipped"])
def test_a_damaged_pack_costs_what_it_holds_and_is_kept(
    landing: Landing, tmp_path: Path, spoil: str, caplog: pytest.LogCaptureFixture
) -> None:
    fill(landing, DAY, {"a.ndjson": os.urandom(5000)})
    archive = Archive(landing)
    pack_days(archive, before=AFTER, seconds=60)
    (path,) = archive.packs(DAY)
    whole = path.read_bytes()
    path.write_bytes(
        {
            "cut": whole[:-100],
            "garbage": b"garbage",
            "flipped": whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:],
        }[spoil]
    )
    fill(landing, DAY, {"b.ndjson": b"{}\n"})
    files = list(archive.files(DAY))
    assert archive.copied(files, tmp_path)[-1].name == "b.ndjson"
    assert len(archive.copied(files[-1:], tmp_path)) == 1
    assert "is damaged" in caplog.text
    if spoil != "flipped":
        assert archive.damaged(DAY) == [path]
    else:
        assert archive.put_back(files) == (1, 0)
        assert [file.name for file in landing.waiting()] == ["b.ndjson"]


def test_what_is_put_back_has_its_own_name_and_never_overwrites(landing: Landing) -> None:
    fill(landing, DAY, {"a.json": b"1", "a.json.1": b"22", "b.json": b"333"})
    archive = Archive(landing)
    pack_days(archive, before=AFTER, seconds=60)
    fill(landing, DAY, {"c.json": b"4444"})
    landing.publish("b.json", b"newer")
    assert archive.put_back(list(archive.files(DAY))) == (2, 2)
    assert [(file.name, file.size) for file in landing.waiting()] == [
        ("a.json", 1),
        ("b.json", 5),
        ("c.json", 4),
    ]
    # What waits for its name is still there, and so is all that was packed.
    assert [file.entry for file in archive.files(DAY)] == ["a.json", "a.json.1", "b.json"]
    assert list(landing.tmp.iterdir()) == []


def test_only_days_and_files_of_ours_are_looked_at(landing: Landing) -> None:
    fill(
        landing,
        DAY,
        {"a.json": b"{}", "notes.txt": b"", ".hidden.json": b"", "packed-x.zip": b"", "a.txt.1": b""},
    )
    (landing.done / "20260301").mkdir()
    (landing.done / "2026-02-30").mkdir()
    (landing.done / "2026-03-05").symlink_to(landing.done / DAY.isoformat())
    (landing.done / "2026-03-06").write_bytes(b"")
    os.mkfifo(landing.done / DAY.isoformat() / "pipe.json")
    archive = Archive(landing)
    assert archive.days() == [DAY]
    assert [file.entry for file in archive.files(DAY)] == ["a.json"]
    pack_days(archive, before=AFTER, seconds=60)
    assert sorted(path.name for path in archive.folder(DAY).iterdir()) == sorted(
        [".hidden.json", "a.txt.1", "notes.txt", "packed-1.zip", "packed-x.zip", "pipe.json"]
    )


def test_twenty_thousand_packed_files_are_listed_and_given_back_one_by_one(landing: Landing) -> None:
    folder = landing.done / DAY.isoformat()
    folder.mkdir()
    with zipfile.ZipFile(folder / "packed-1.zip", "w") as pack:
        for number in range(20_000):
            pack.writestr(f"{number:06}.ndjson", b"{}\n")
    files = list(Archive(landing).files(DAY))
    assert (len(files), files[-1].name) == (20_000, "019999.ndjson")
    assert Archive(landing).put_back(files[500:502]) == (2, 0)
    assert [file.name for file in landing.waiting()] == ["000500.ndjson", "000501.ndjson"]
