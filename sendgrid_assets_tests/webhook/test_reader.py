"""Landing files of every shape: clean events, or that line rejected, or the whole file unreadable."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendgrid_assets.webhook.event_line import MAX_DEPTH, MAX_LINE, Event, Rejected, judge
from sendgrid_assets.webhook.landing import Landing, LandingFile
from sendgrid_assets.webhook.reader import FileReader, Unreadable, read

from .conftest import facts

PEAK_OF_READING = """
import sys
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from sendgrid_assets.webhook.landing import LandingFile
from sendgrid_assets.webhook.reader import read
before = getrusage(RUSAGE_SELF).ru_maxrss
for path in map(Path, sys.argv[1:]):
    sum(1 for line in read(LandingFile(path, path.name, 0, 0)))
print(getrusage(RUSAGE_SELF).ru_maxrss - before)
"""
GOOD = b'{"event":"open","n":12345678901234567890}'


@pytest.fixture
def put(landing: Landing):
    def put(name: str, content: bytes) -> LandingFile:
        path = landing.new / name
        path.write_bytes(content)
        found = path.stat()
        return LandingFile(path, name, found.st_size, found.st_mtime)

    return put


def event(line: int, text: bytes = GOOD) -> Event:
    return Event(line, text)


@pytest.mark.parametrize(
    "content",
    [
        GOOD + b"\n" + GOOD + b"\n",
        GOOD + b"\n" + GOOD,
        GOOD + b"\r\n" + GOOD + b"\r\n",
        b"\xef\xbb\xbf" + GOOD + b"\n" + GOOD,
        b"  " + GOOD + b" \t\n" + GOOD,
    ],
    ids=["plain", "no last newline", "CRLF", "BOM", "blanks around"],
)
def test_lines_of_any_ending_load(put, content: bytes) -> None:
    lines = list(read(put("a.ndjson", content)))
    assert [line.line for line in lines] == [1, 2]
    assert all(isinstance(line, Event) and json.loads(line.json) == json.loads(GOOD) for line in lines)


def test_blank_lines_are_nothing_but_are_counted(put) -> None:
    assert list(read(put("a.jsonl", b"\n\r\n" + GOOD + b"\n \t \n" + GOOD + b"\n\n"))) == [event(3), event(5)]


def test_a_file_of_nothing_yields_nothing(put) -> None:
    for name in ("a.ndjson", "a.json", "a.json.gz"):
        with FileReader(put(name, b"")) as reader:
            assert (list(reader.lines()), reader.size) == ([], 0)
            assert reader.sha256 == hashlib.sha256().hexdigest()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"garbage", "not_json"),
        (b'{"event":"op', "not_json"),
        (GOOD + GOOD, "not_json"),
        (b"\x00\x00", "not_json"),
        (b'{"a":NaN}', "not_json"),
        (b"[" + GOOD + b"]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), "too_deep"),
        (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
    ],
)
def test_a_bad_line_costs_itself_and_is_kept(put, line: bytes, reason: str) -> None:
    lines = list(read(put("a.ndjson", b"\n".join([GOOD, line, GOOD]))))
    assert lines == [event(1), Rejected(2, reason, line.decode()), event(3)]


@pytest.mark.parametrize(
    ("line", "clean"),
    [
        (rb'{"a":"\ud800x"}', rb'{"a":"\ufffdx"}'),
        (
            rb'{"a":"\uDC00\ud83d\ude00","n":12345678901234567890}',
            rb'{"a":"\ufffd\ud83d\ude00","n":12345678901234567890}',
        ),
        (rb'{"a":"\ud800\ud83d\ude00"}', rb'{"a":"\ufffd\ud83d\ude00"}'),
        (rb'{"a":"\\ud800","b":"\ud800"}', rb'{"a":"\\ud800","b":"\ufffd"}'),
        (rb'{"\udfff":1.10}', rb'{"\ufffd":1.10}'),
        (b'{"a":"\x01\t\x00"}', rb'{"a":"\u0001\u0009\u0000"}'),
        (b'{"a":"' + b"\x01\t\x1f" * 5000 + b'"}', b'{"a":"' + rb"\u0001\u0009\u001f" * 5000 + b'"}'),
        (b'{"a":"x\xffy"}', '{"a":"x\ufffdy"}'.encode()),
        (b'{"\xc3":1,"n":1.0}', '{"\ufffd":1,"n":1.0}'.encode()),
        (b'{"a":\r1}', b'{"a": 1}'),
    ],
)
def test_near_misses_are_mended_and_nothing_else_is_touched(put, line: bytes, clean: bytes) -> None:
    assert list(read(put("a.ndjson", line + b"\n" + GOOD))) == [event(1, clean), event(2)]


def test_brackets_in_text_are_no_depth(put) -> None:
    shallow = b'{"a":"' + b"[{" * 500 + b'"}'
    deep = b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH
    assert list(read(put("a.ndjson", shallow + b"\n" + deep))) == [event(1, shallow), event(2, deep)]


def test_undecodable_rejects_keep_their_bytes_readable(put) -> None:
    assert list(read(put("a.ndjson", b"bad \xff\n"))) == [Rejected(1, "not_json", "bad \\xff")]


def test_lines_of_five_and_twenty_megabytes(put) -> None:
    five = b'{"a":"' + b"x" * 5_000_000 + b'"}'
    twenty = b'{"a":"' + b"x" * 20_000_000 + b'"}'
    lines = list(read(put("a.ndjson", b"\n".join([GOOD, five, twenty, GOOD, twenty]))))
    assert [type(line).__name__ for line in lines] == ["Event", "Event", "Rejected", "Event", "Rejected"]
    assert [line.line for line in lines] == [1, 2, 3, 4, 5]
    assert lines[1] == event(2, five)
    assert lines[2] == lines[2].__class__(3, "line_too_long", twenty[:MAX_LINE].decode())
    edge = b'{"a":"' + b"x" * (MAX_LINE - 8) + b'"}'
    assert list(read(put("b.ndjson", edge + b"\n" + GOOD))) == [event(1, edge), event(2)]


def test_arrays_count_elements_and_keep_the_sound_ones(put) -> None:
    body = b'[\n{"a":\n1},\n{"b":"\\ud800"},\n42,\n{"c":1}\n]\n'
    assert list(read(put("a.json", body))) == [
        event(1, b'{"a": 1}'),
        event(2, rb'{"b":"\ufffd"}'),
        Rejected(3, "not_an_object", "42"),
        event(4, b'{"c":1}'),
    ]


def test_json_files_of_one_event_or_of_none(put) -> None:
    assert list(read(put("a.json", json.dumps({"a": [1]}, indent=2).encode()))) == [
        event(1, b'{   "a": [     1   ] }')
    ]
    assert list(read(put("b.json", b"<html>\nno</html>\n"))) == [Rejected(1, "not_json", "<html>\nno</html>")]
    assert list(read(put("c.json", b"42"))) == [Rejected(1, "not_an_object", "42")]
    assert list(read(put("d.json", b"[]"))) == list(read(put("e.json", b" \r\n"))) == []


def test_lines_that_call_themselves_json_load(put) -> None:
    assert list(read(put("a.json", GOOD + b"\n" + GOOD + b"\nbad\n"))) == [
        event(1),
        event(2),
        Rejected(3, "not_json", "bad"),
    ]


def test_so_do_more_of_them_than_one_line_may_be_long(put) -> None:
    number = MAX_LINE // len(GOOD)
    assert sum(1 for line in read(put("a.json", (GOOD + b"\n") * number)) if line.json == GOOD) == number


def test_a_long_array_comes_in_pieces(put) -> None:
    long = b'{"event":"' + b"x" * 700_000 + b'"}'
    with FileReader(put("a.json", b"[" + b",".join([long] * 5) + b"]")) as reader:
        runs = list(reader.runs())
    assert [(run.line, run.count) for run in runs] == [(1, 2), (3, 2), (5, 1)]


@pytest.mark.parametrize("character", [b"\x01", b"\xff"])
def test_what_is_mended_to_more_than_a_line_may_be_long_is_kept_as_it_came(put, character: bytes) -> None:
    (line,) = read(put("a.ndjson", b'{"a":"' + character * (MAX_LINE - 100) + b'"}'))
    assert (line.reason, line.raw[:6]) == ("line_too_long", '{"a":"')


@pytest.mark.parametrize("name", ["a.ndjson.gz", "a.ndjson"])
def test_gzip_is_known_by_its_bytes(put, name: str) -> None:
    content = gzip.compress(GOOD + b"\n" + GOOD)
    with FileReader(put(name, content)) as reader:
        assert list(reader.lines()) == [event(1), event(2)]
        assert (reader.size, reader.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert list(read(put("joined.json.gz", gzip.compress(b"[" + GOOD) + gzip.compress(b"]")))) == [event(1)]
    assert list(read(put("plain.ndjson.gz", GOOD))) == [event(1)]


def test_damaged_gzip_gives_no_line_at_all(put) -> None:
    whole = gzip.compress(b"\n".join([GOOD] * 100_000))
    wrong_checksum = whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]
    for number, content in enumerate(
        [whole[:-1], whole[: len(whole) // 2], wrong_checksum, whole + b"x", whole[:3]]
    ):
        with pytest.raises(Unreadable, match="damaged gzip"):
            next(read(put(f"{number}.ndjson.gz", content)))


def test_what_is_no_regular_file_is_unreadable(landing: Landing) -> None:
    os.mkfifo(landing.new / "pipe.json")
    (landing.new / "whole.json").write_bytes(GOOD)
    (landing.new / "link.json").symlink_to("whole.json")
    (landing.new / "folder.json").mkdir()
    for name in ("pipe.json", "link.json", "folder.json"):
        with pytest.raises(Unreadable):
            FileReader(LandingFile(landing.new / name, name, 0, 0))
    with pytest.raises(FileNotFoundError):
        FileReader(LandingFile(landing.new / "gone.json", "gone.json", 0, 0))


def test_a_file_that_grows_is_read_as_far_as_its_digest_goes(put) -> None:
    file = put("a.ndjson", GOOD + b"\n")
    with FileReader(file) as reader:
        with file.path.open("ab") as more:
            more.write(GOOD + b"\n")
        assert list(reader.lines()) == [event(1)]
        assert reader.size == len(GOOD) + 1


def test_no_torn_line_takes_long() -> None:
    for line in (b'{"a":"' + rb"\"" * 50_000, b'{"a":' + b"[1]," * MAX_DEPTH + b'"' + rb"\"" * 50_000):
        started = time.perf_counter()
        assert isinstance(judge(1, line), Rejected)
        assert time.perf_counter() - started < 3


def test_memory_stays_flat_on_large_files(put) -> None:
    files = [
        put("a.ndjson", (GOOD + b"\n") * 2_000_000),
        put("bomb.ndjson.gz", gzip.compress(bytes(300_000_000), 1)),
    ]
    command = [sys.executable, "-c", PEAK_OF_READING, *(str(file.path) for file in files)]
    grown = int(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    assert grown * 1024 < 200_000_000


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40) | st.text(alphabet='{}[],:"\\u0d8dcfabn1e-. \r', max_size=40).map(str.encode))
def test_duckdb_accepts_whatever_is_called_an_event(text: bytes) -> None:
    duckdb = pytest.importorskip("duckdb")
    for line in (text.replace(b"\n", b""), b'{"k":"' + text.replace(b"\n", b"").replace(b'"', b"") + b'"}'):
        found = judge(1, line)
        if isinstance(found, Event):
            assert b"\n" not in found.json
            assert b"\r" not in found.json
            assert duckdb.execute("SELECT json_type(?::JSON)", [found.json.decode()]).fetchone() == (
                "OBJECT",
            )
        elif found is None:
            assert not line.removeprefix(b"\xef\xbb\xbf").strip()
        else:
            assert found.raw == line.rstrip(b"\r\n").decode("utf-8", "backslashreplace")


@pytest.mark.parametrize("name", ["observed_events.json", "example_events.json"])
def test_collected_events_come_back_byte_for_byte(put, name: str) -> None:
    texts = [json.dumps(entry["event"], ensure_ascii=False).encode() for entry in facts(name)]
    lines = list(read(put("a.ndjson", b"\n".join(texts))))
    assert len(lines) == len(texts)
    for line, text in zip(lines, texts, strict=True):
        if text.startswith(b"{"):
            assert line == event(line.line, text)
        else:
            assert isinstance(line, Rejected)
