"""What tests have left behind of processes, mounts and loop devices: nothing should stay."""

import contextlib
import os
import re
import signal
import time
from pathlib import Path

PATIENCE_SECONDS = 30.0


def assert_nothing_of(folder: Path) -> None:
    """Nothing runs with `folder` in its environment or arguments, nothing is mounted below it.

    What ends by itself may take a while; what does not is killed, and named in the assertion.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert not left, f"these still ran, and are killed now: {left}"
    assert not mounts_below(folder)
    assert not loops_below(folder)


def processes_of(folder: Path) -> dict[int, str]:
    """The command lines by pid, without this process, those that wait for it, and Python's own that
    lives as long as it."""
    found = {}
    waiting = _ancestors()
    # Not those of another run, whose folder has a name that begins alike.
    mentions = re.compile(re.escape(os.fsencode(folder)) + rb"(?![\w-])").search
    for process in Path("/proc").glob("[0-9]*"):
        command = _read(process / "cmdline")
        about = (command, _read(process / "environ"), _cwd(process))
        if any(map(mentions, about)):
            found[int(process.name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return {
        pid: command
        for pid, command in found.items()
        if pid not in waiting and "multiprocessing.resource_tracker" not in command
    }


def mounts_below(folder: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if str(folder) in line]


def loops_below(folder: Path) -> list[bytes]:
    """The files below `folder` that are block devices still."""
    files = Path("/sys/block").glob("loop*/loop/backing_file")
    return [name for name in map(_read, files) if os.fsencode(folder) in name]


def _ancestors() -> set[int]:
    """This process, its parent, and so on."""
    found, pid = set(), os.getpid()
    while pid:
        found.add(pid)
        fields = _read(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()
        pid = int(fields[1]) if fields else 0
    return found


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # it has ended, or is another user's


def _cwd(process: Path) -> bytes:
    try:
        return os.fsencode((process / "cwd").readlink())
    except OSError:
        return b""
