"""The directory protocol: nothing is overwritten or lost, and only complete regular files are taken."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

import pytest

from sendgrid_assets.webhook.durable import Disk
from sendgrid_assets.webhook.landing import Landing, LandingError, LandingFile

from .recorder import RecordingDisk

DAY = dt.date(2026, 3, 1)


def names(landing: Landing) -> list[str]:
    return [file.name for file in landing.waiting()]


def contents(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in folder.iterdir())


def test_what_is_published_is_waiting_in_name_order(landing: Landing) -> None:
    for name in ("b.ndjson", "a.json.gz", "c.jsonl"):
        landing.publish(name, b"{}\n")
    assert names(landing) == ["a.json.gz", "b.ndjson", "c.jsonl"]
    assert list(landing.tmp.iterdir()) == []


def test_a_name_clash_is_an_error_and_overwrites_nothing(landing: Landing) -> None:
    landing.publish("events.json", b"first")
    with pytest.raises(FileExistsError):
        landing.publish("events.json", b"second")
    assert contents(landing.new) == [b"first"]
    assert list(landing.tmp.iterdir()) == []


def test_only_complete_regular_files_of_known_names_are_taken(landing: Landing) -> None:
    landing.publish("ok.ndjson", b"")
    (landing.new / "link.ndjson").symlink_to(landing.new / "ok.ndjson")
    os.mkfifo(landing.new / "pipe.ndjson")
    (landing.new / "folder.json").mkdir()
    for name in (".hidden.json", "notes.txt", "line\nbreak.json", "archive.json.zip"):
        (landing.new / name).write_bytes(b"{}")
    Path(os.fsdecode(bytes(landing.new) + b"/bad\xff.json")).write_bytes(b"{}")
    assert names(landing) == ["ok.ndjson"]
    assert landing.passed_over() == 8


def test_a_name_is_taken_that_can_be_numbered_and_given_a_reason(landing: Landing) -> None:
    longest = "n" * 223 + ".ndjson"
    for name in (longest, "n" + longest, "é" * 115 + ".ndjson"):
        (landing.new / name).write_bytes(b"{}")
    assert names(landing) == [longest]
    for folder in (landing.done / DAY.isoformat(), landing.rejected):
        folder.mkdir(exist_ok=True)
        for number in ("", *(f".{number}" for number in range(1, 12))):
            (folder / f"{longest}{number}").write_bytes(b"other")
    landing.set_aside(landing.waiting()[0], "why")
    assert (landing.rejected / f"{longest}.12.reason.json").is_file()


@pytest.mark.parametrize("mtime", [3e11, -1e11, 1e300])
def test_a_time_of_no_year_there_is_becomes_the_present(landing: Landing, mtime: float) -> None:
    received = LandingFile(landing.new / "a.json", "a.json", 2, mtime).received_at
    assert abs(received - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)


def test_fifty_thousand_files_are_listed(landing: Landing) -> None:
    first = landing.new / "00000.json"
    first.write_bytes(b"{}")
    for number in range(1, 50_000):
        os.link(first, landing.new / f"{number:05}.json")
    assert names(landing) == [f"{number:05}.json" for number in range(50_000)]


def test_a_file_that_another_drain_moved_is_no_error(landing: Landing) -> None:
    landing.publish("a.json", b"{}")
    listed = landing.waiting()
    landing.finish(listed, DAY)
    landing.finish(listed, DAY)
    assert names(landing) == []
    assert contents(landing.done / "2026-03-01") == [b"{}"]


def test_same_name_with_new_content_is_kept_beside(landing: Landing) -> None:
    for content in (b"one", b"two", b"three"):
        landing.publish("events.json", content)
        landing.finish(landing.waiting(), DAY)
    assert contents(landing.done / "2026-03-01") == [b"one", b"three", b"two"]
    assert names(landing) == []


def test_a_file_that_changed_since_it_was_listed_stays(landing: Landing) -> None:
    landing.publish("events.ndjson", b"{}\n")
    listed = landing.waiting()[0]
    with (landing.new / "events.ndjson").open("ab") as file:
        file.write(b"{}\n")
    landing.finish([listed], DAY)
    assert names(landing) == ["events.ndjson"]


def test_a_move_that_was_cut_short_is_finished(landing: Landing) -> None:
    landing.publish("events.json", b"{}")
    (landing.done / "2026-03-01").mkdir()
    os.link(landing.new / "events.json", landing.done / "2026-03-01" / "events.json")
    landing.finish(landing.waiting(), DAY)
    assert names(landing) == []
    assert [path.name for path in (landing.done / "2026-03-01").iterdir()] == ["events.json"]


class ForeignOwner(Disk):
    """What Linux does with `fs.protected_hardlinks` where the file is another user's."""

    def link(self, source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")


def test_another_users_file_is_moved_though_it_cannot_be_linked(tmp_path: Path) -> None:
    landing = Landing(tmp_path, "sendgrid", ForeignOwner())
    landing.prepare()
    for content in (b"one", b"two"):
        (landing.new / "events.json").write_bytes(content)
        landing.finish(landing.waiting(), DAY)
    assert contents(landing.done / "2026-03-01") == [b"one", b"two"]


def test_set_aside_keeps_the_file_and_says_why(landing: Landing) -> None:
    for content in (b"one", b"two!"):
        landing.publish("bad.json", content)
        landing.set_aside(landing.waiting()[0], "is damaged gzip")
    assert names(landing) == []
    assert (landing.rejected / "bad.json").read_bytes() == b"one"
    assert (landing.rejected / "bad.json.1").read_bytes() == b"two!"
    told = json.loads((landing.rejected / "bad.json.1.reason.json").read_text())
    assert (told["file"], told["reason"], told["size"]) == ("bad.json", "is damaged gzip", 4)
    assert dt.datetime.fromisoformat(told["at"]).tzinfo


def test_a_file_mended_after_it_was_set_aside_leaves_no_reason_behind(landing: Landing) -> None:
    for content in (b"one", b"two!"):
        landing.publish("bad.json", content)
        landing.set_aside(landing.waiting()[0], "is damaged gzip")
    (landing.rejected / "bad.json").rename(landing.new / "bad.json")
    landing.clear_reasons()
    assert sorted(path.name for path in landing.rejected.iterdir()) == [
        "bad.json.1",
        "bad.json.1.reason.json",
    ]


def test_a_reason_left_behind_does_not_stand_in_the_way_of_the_next(landing: Landing) -> None:
    for reason in ("is damaged gzip", "process_ended"):
        landing.publish("bad.json", b"{}")
        landing.set_aside(landing.waiting()[0], reason)
        (landing.rejected / "bad.json").unlink()
    (note,) = landing.rejected.iterdir()
    assert json.loads(note.read_text())["reason"] == "process_ended"


def test_a_reason_moved_back_beside_its_file_is_no_event(landing: Landing) -> None:
    (landing.new / "bad.json").write_bytes(b"{}")
    (landing.new / "bad.json.reason.json").write_bytes(b'{"file": "bad.json"}')
    assert names(landing) == ["bad.json"]
    assert landing.passed_over() == 1


def test_many_files_are_moved_with_one_sync_of_each_folder(tmp_path: Path) -> None:
    disk = RecordingDisk()
    landing = Landing(tmp_path, "sendgrid", disk)
    landing.prepare()
    for number in range(20):
        (landing.new / f"{number:02}.json").write_bytes(b"{}")
    (landing.done / DAY.isoformat()).mkdir()
    disk.log.clear()
    landing.finish(landing.waiting(), DAY)
    calls = [call for call, _, _ in disk.log]
    # New names are durable before any old one goes, and that is durable before the next step.
    assert calls == ["link"] * 20 + ["fsync_dir"] + ["unlink"] * 20 + ["fsync_dir"]


def test_a_turn_is_waited_for_and_its_end_is_told(landing: Landing) -> None:
    with (
        landing.turn(0),
        pytest.raises(LandingError, match=r"Another drain .* let it end"),
        landing.turn(0.1),
    ):
        pass
    with landing.turn(0), landing.kept(0):
        pass


@pytest.mark.parametrize("folder", ["tmp", "new", "done", "rejected", ""])
def test_a_file_where_a_folder_should_be_is_refused(tmp_path: Path, folder: str) -> None:
    landing = Landing(tmp_path, "sendgrid")
    path = landing.root / folder
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    with pytest.raises(LandingError, match="a file is in the way"):
        landing.prepare()


def test_two_file_systems_are_refused_with_both_names(tmp_path: Path) -> None:
    own = tmp_path.stat().st_dev
    places = (Path("/dev/shm"), Path("/dev"), Path("/"), Path(__file__).parent)
    elsewhere = next(place for place in places if place.is_dir() and place.stat().st_dev != own)
    landing = Landing(tmp_path, "sendgrid")
    landing.root.mkdir()
    landing.new.symlink_to(elsewhere)
    with pytest.raises(LandingError, match="two file systems") as told:
        landing.prepare()
    assert str(landing.tmp) in str(told.value)
    assert str(landing.new) in str(told.value)


def test_trouble_names_the_folder(landing: Landing) -> None:
    assert landing.trouble() is None
    landing.new.rmdir()
    assert landing.trouble() == f"{landing.new} is no folder."


def test_received_at_comes_from_our_names_else_from_the_file(tmp_path: Path) -> None:
    ours = LandingFile(tmp_path, "1700000000123-host-1-0123456789abcdef.ndjson", 0, 5.0)
    other = LandingFile(tmp_path, "2024-events.json", 0, 5.0)
    assert ours.received_at == dt.datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=dt.UTC)
    assert other.received_at == dt.datetime(1970, 1, 1, 0, 0, 5, tzinfo=dt.UTC)
