"""The processes of a run: all descendants of the shim, which is their subreaper.

Process groups and sessions do not hold a tree together (`setsid` leaves both); descent does.
"""

import os
import signal
from collections.abc import Iterator

_PAGE = os.sysconf("SC_PAGE_SIZE")


def descendants(root: int) -> list[int]:
    """Pids below `root`, parents first; zombies count."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found, queue = [], [root]
    while queue:
        below = children.get(queue.pop(0), [])
        found += below
        queue += below
    return found


def below(root: int) -> list[int]:
    """As `descendants`, cheap on a busy machine, but it may miss what is forked meanwhile."""
    found, queue = [], [root]
    while queue:
        children = _children(queue.pop())
        if children is None:
            return descendants(root)
        found += children
        queue += children
    return found


def send(number: signal.Signals, pids: list[int]) -> None:
    """Signal those that still are there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            pass


def memory_mb(pids: list[int], limit: int) -> int:
    """Memory of the processes together: quickly, with pages that are shared counted once for each;
    exactly, with such pages divided among them, where that is more than `limit` (0: there is none).
    """
    used = sum(map(_resident, pids)) // 2**20
    if not limit or used <= limit:
        return used
    return sum(map(_proportional, pids)) // 2**10 or used


def reaped() -> Iterator[tuple[int, int]]:
    """Children of this process that have ended, each once, with its wait status."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, status


def marked(mark: str, folder: str) -> list[int]:
    """What is left of a run whose shim died: pids whose environment holds the line `mark`, or
    that work below `folder`."""
    wanted = mark.encode()
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208  pathlib costs more than the rest
        if name.isdigit() and (wanted in _environment(name) or _works_in(name, folder)):
            found.append(int(name))
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                    yield int(name), int(file.read().rpartition(b")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue


def _children(pid: int) -> list[int] | None:
    """The children of all threads of a process; None where the kernel does not tell."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208
    except (FileNotFoundError, ProcessLookupError):
        return found
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:  # noqa: PTH123
                found += map(int, file.read().split())
        except FileNotFoundError:
            if thread == str(pid) and os.path.isdir(f"/proc/{pid}"):  # noqa: PTH112
                return None
        except ProcessLookupError:
            continue
    return found


def _works_in(pid: str, folder: str) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/cwd").startswith(f"{folder}/")  # noqa: PTH115
    except OSError:
        return False


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * _PAGE
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0


def _proportional(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:  # noqa: PTH123
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        pass
    return 0


def _environment(pid: str) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123
            return file.read().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []
