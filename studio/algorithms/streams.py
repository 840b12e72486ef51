"""The bytes of a channel, from files or from the pipe of an epoch, in blocks of whole records.

A block is what is held in memory at a time. It knows where records end, not what they hold.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from studio.algorithms.base import Channel, UserError

BLOCK = 8 << 20
"""Bytes that are read at a time."""
LONGEST = 64 << 20
"""Bytes of a line or of a record that is taken from a stream."""
PIPE_SECONDS = 60.0
"""How long the pipe of an epoch may take to appear."""


class EmptyChannel(UserError):
    """A channel without data: on one of several hosts that may be as it should."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(
            f"Channel '{channel.name}' is empty: there is no data file under "
            f"{channel.folder}. Check the S3 URI of the channel."
        )


Cut = Callable[[bytes], int]
"""How many of these bytes are whole records."""


def files(channel: Channel) -> list[Path]:
    """The data files of a channel, sorted: names that begin with `.` or `_` are none.

    Raises EmptyChannel.
    """
    found = sorted(
        path
        for path in channel.folder.rglob("*")
        if path.is_file() and not path.name.startswith((".", "_")) and path.stat().st_size > 0
    )
    if not found:
        raise EmptyChannel(channel)
    return found


@contextmanager
def opened(channel: Channel, epoch: int) -> Iterator[Iterator[tuple[str, BinaryIO]]]:
    """(name for errors, stream) of each file of a channel, or of its one pipe for `epoch`.

    Files are opened one after the other and can be read in every epoch; a pipe exists once.
    """
    if channel.input_mode == "Pipe":
        path = _pipe(channel, epoch)
        with path.open("rb") as file:
            yield iter([(f"channel '{channel.name}'", file)])
    else:
        yield _each(files(channel))


def blocks(file: BinaryIO, cut: Cut, name: str) -> Iterator[bytes]:
    """What a stream holds, cut behind whole records; the last block may end within one."""
    rest = b""
    while chunk := file.read(BLOCK):
        data = rest + chunk
        end = cut(data)
        if end:
            yield data[:end]
        rest = data[end:]
        if len(rest) > LONGEST:
            raise UserError(f"A record of {name} is longer than {LONGEST >> 20} MiB.")
    if rest:
        yield rest


def lines(data: bytes) -> int:
    """A `Cut` behind the last line."""
    return data.rfind(b"\n") + 1


def _each(paths: list[Path]) -> Iterator[tuple[str, BinaryIO]]:
    for path in paths:
        with path.open("rb") as file:
            yield f"file '{path.name}'", file


def _pipe(channel: Channel, epoch: int) -> Path:
    """The pipe of an epoch. The platform makes the next one when the last one was read."""
    path = channel.folder.with_name(f"{channel.name}_{epoch}")
    deadline = time.monotonic() + PIPE_SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            raise UserError(f"Channel '{channel.name}' has no pipe {path.name} to read from.")
        time.sleep(0.01)
    return path
