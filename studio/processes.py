"""Which process is meant: a pid alone may belong to a stranger after a restart.

An identity is {pid, starttime, boot_id}: the kernel's start time and boot tell a process from a
later one with the same number.
"""

import os
from pathlib import Path
from typing import Any


def identity(pid: int | None = None) -> dict[str, Any]:
    """The identity of a living process; of this one by default. Raises ProcessLookupError."""
    number = os.getpid() if pid is None else pid
    return {"pid": number, "starttime": _starttime(number), "boot_id": boot_id()}


def alive(known: dict[str, Any] | None) -> bool:
    """True when the process that `known` identifies still runs (a zombie does not)."""
    if not known or known.get("boot_id") != boot_id():
        return False
    try:
        return _starttime(int(known["pid"])) == known.get("starttime")
    except ProcessLookupError:
        return False


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two identities are of one process."""
    return all(one.get(it) == other.get(it) for it in ("pid", "starttime", "boot_id"))


def boot_id() -> str:
    """Changes with every start of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _starttime(pid: int) -> int:
    """Field 22 of /proc/<pid>/stat; the name in field 2 may hold spaces and parentheses."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError) as error:
        raise ProcessLookupError(pid) from error
    if fields[0] == "Z":
        raise ProcessLookupError(pid)
    return int(fields[19])
