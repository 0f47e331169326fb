"""Files in chunks that are bounded by bytes and by number.

Belongs here: where a chunk ends. Does not: loading one (`chunk`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Sized(Protocol):
    """Whatever has a size in bytes."""

    @property
    def size(self) -> int:
        """Bytes."""
        ...


File = TypeVar("File", bound=Sized)


def chunked(files: Iterable[File], most_bytes: int, most_files: int) -> Iterator[list[File]]:
    """The files in order, in chunks; a larger file than a chunk is one of its own.

    Args:
        files: each with its `size` in bytes.
        most_bytes: of a chunk.
        most_files: of a chunk.
    """
    chunk: list[File] = []
    size = 0
    for file in files:
        if chunk and (size + file.size > most_bytes or len(chunk) == most_files):
            yield chunk
            chunk, size = [], 0
        chunk.append(file)
        size += file.size
    if chunk:
        yield chunk
