"""Copying a file: its blocks shared where the file system can, whole in any case, with no room asked for needlessly."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sendgrid_assets.warehouse.copying import copy_aside
from sendgrid_assets.warehouse.errors import PublishError
from sendgrid_assets.warehouse.publish import publish

from .conftest import Store, commit, read

BYTES = os.urandom(1 << 20) * 3 + b"end"
usage = namedtuple("usage", "total used free")  # noqa: PYI024
FULL = usage(100, 100, 0)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "source"
    file.write_bytes(BYTES)
    os.utime(file, ns=(1_000_000_001, 2_000_000_002))
    return file


def test_a_copy_is_whole_and_has_the_sources_times(source: Path, tmp_path: Path) -> None:
    aside = copy_aside(source, tmp_path / "new" / "target", mode=0o444)
    assert aside.parent == tmp_path / "new"
    assert aside.read_bytes() == BYTES
    assert (aside.stat().st_mtime_ns, aside.stat().st_mode & 0o777) == (2_000_000_002, 0o444)
    assert not (tmp_path / "new" / "target").exists()


@pytest.mark.parametrize("error", [errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
@pytest.mark.parametrize("after", [0, 1])
def test_where_the_kernel_cannot_copy_it_is_read_and_written(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, after: int
) -> None:
    original, calls = os.copy_file_range, iter(range(9))

    def refusing(from_: int, to: int, _count: int) -> int:
        if next(calls) < after:
            return original(from_, to, 1000)
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "copy_file_range", refusing)
    assert copy_aside(source, tmp_path / "target").read_bytes() == BYTES


def test_where_the_kernel_ends_early_it_is_read_and_written(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "copy_file_range", lambda *_: 0)
    assert copy_aside(source, tmp_path / "target").read_bytes() == BYTES


def test_the_same_on_a_system_that_has_no_such_call(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "copy_file_range")
    assert copy_aside(source, tmp_path / "target").read_bytes() == BYTES


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_what_copying_again_would_not_mend_is_told(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def failing(*_: int) -> int:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "copy_file_range", failing)
    with pytest.raises(OSError, match=os.strerror(error)):
        copy_aside(source, tmp_path / "target")
    assert list(tmp_path.iterdir()) == [source]


def test_sharing_is_asked_for_first_and_its_refusal_falls_back(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refusing(_copy: int, request: int, _original: int) -> None:
        asked.append(request)
        raise OSError(errno.EOPNOTSUPP, "no")

    monkeypatch.setattr(fcntl, "ioctl", refusing)
    assert copy_aside(source, tmp_path / "target").read_bytes() == BYTES
    # FICLONE of linux/fs.h: _IOW(0x94, 9, int).
    assert asked == [1 << 30 | 4 << 16 | 0x94 << 8 | 9]


def test_what_an_earlier_copy_left_is_removed_and_nothing_else(source: Path, tmp_path: Path) -> None:
    for name in (".tar[g]et.1.part", ".tar[g]et.1.part.wal", ".target.1.part", "tar[g]et"):
        (tmp_path / name).touch()
    aside = copy_aside(source, tmp_path / "tar[g]et")
    assert {path.name for path in tmp_path.iterdir()} == {aside.name, ".target.1.part", "tar[g]et", "source"}


@contextmanager
def mounted(tmp_path: Path, kind: str, size: str) -> Iterator[Path]:
    """A file system of its own; the test is skipped where none can be mounted."""
    image, here = tmp_path / "image", tmp_path / "mounted"
    here.mkdir()
    if kind == "tmpfs":
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(here)]
    else:
        make = {"xfs": ["mkfs.xfs", "-q", "-m", "reflink=1"], "btrfs": ["mkfs.btrfs", "-q"]}[kind]
        if shutil.which(make[0]) is None:
            pytest.skip(f"{make[0]} is not installed: no {kind} to try on")
        subprocess.run(["truncate", "-s", size, str(image)], check=True)
        subprocess.run([*make, str(image)], check=True)
        mount = ["mount", "-o", "loop", str(image), str(here)]
    tried = subprocess.run(mount, capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"nothing can be mounted here: {tried.stderr.strip()}")
    try:
        yield here
    finally:
        subprocess.run(["umount", str(here)], check=True)


@pytest.mark.parametrize("kind", ["xfs", "btrfs"])
def test_blocks_are_shared_where_the_file_system_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with mounted(tmp_path, kind, "400M") as folder:
        source = folder / "source"
        source.write_bytes(os.urandom(1 << 20) * 200)
        os.sync()
        free = shutil.disk_usage(folder).free
        with monkeypatch.context() as patch:
            # A copy of shared blocks needs no room, so none may be asked for, nor anything be copied.
            patch.setattr(shutil, "disk_usage", lambda _: FULL)
            patch.delattr(os, "copy_file_range")
            aside = copy_aside(source, folder / "target")
        os.sync()
        assert free - shutil.disk_usage(folder).free < 20 << 20
        assert aside.read_bytes() == source.read_bytes()


def test_a_published_file_on_another_file_system_is_whole(store: Store) -> None:
    with mounted(store.folder, "tmpfs", "64M") as folder:
        store.published = folder / "published.duckdb"
        commit(store, "A")
        assert publish(store.warehouse, store.published)
        commit(store, "B")
        assert publish(store.warehouse, store.published)
        assert read(store.published) == ["A", "B"]
        assert list(folder.iterdir()) == [store.published]


def test_a_disk_that_fills_up_in_mid_copy_leaves_the_old_file(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mounted(store.folder, "tmpfs", "16M") as folder:
        store.published = folder / "published.duckdb"
        commit(store, "A")
        publish(store.warehouse, store.published)
        commit(store, "B")
        with monkeypatch.context() as patch:
            # There was room when it was looked for.
            patch.setattr(shutil, "disk_usage", lambda _: usage(1 << 40, 0, 1 << 40))
            with pytest.raises(PublishError, match="No space left on device; the old file stands"):
                publish(store.warehouse, store.published)
        assert read(store.published) == ["A"]
        assert list(folder.iterdir()) == [store.published]
        subprocess.run(["mount", "-o", "remount,size=64M", str(folder)], check=True)
        publish(store.warehouse, store.published)
        assert read(store.published) == ["A", "B"]


def test_a_folder_that_may_not_be_written_to_is_told(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir()
    folder.chmod(0o555)
    script = (
        "import sys; from pathlib import Path; from sendgrid_assets.warehouse.copying import copy_aside\n"
        "copy_aside(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    plain: list[str] = []
    if os.geteuid() == 0:
        # Root may write anywhere, unless that right is given up.
        if shutil.which("setpriv") is None:
            pytest.skip("root cannot give up its rights here: setpriv is not installed")
        plain = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    done = subprocess.run(
        [*plain, sys.executable, "-c", script, str(source), str(folder / "target")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "PermissionError" in done.stderr
    assert list(folder.iterdir()) == []
