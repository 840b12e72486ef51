"""Why a run ended, in words: the failure file, the last traceback, or a sentence on the cause."""

import os
import re
import signal
from pathlib import Path

from studio.container import files

_TAIL_BYTES = 64 * 1024
_MESSAGE_BYTES = 1_024
_HEADER = "Traceback (most recent call last):"
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning)?(?::.*)?$")
_SENTENCES = {
    "Stopped": "The run was stopped.",
    "MaxRuntimeExceeded": "The run took longer than it was allowed to.",
    "OutOfMemory": "The machine ran out of memory and the kernel ended the run.",
    "NoSpace": "No space is left on the disk.",
    "HealthCheckFailed": "The server ended before GET /ping answered 200.",
}


def tail(log: Path) -> list[str]:
    """The last lines of a log."""
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - _TAIL_BYTES))
        return file.read().decode("utf-8", "replace").splitlines()


def phase(code: int | None, reason: str) -> str:
    """The final phase of a run."""
    if reason in ("Stopped", "MaxRuntimeExceeded"):
        return "stopped"
    return "succeeded" if code == 0 and not reason else "failed"


def cause(code: int | None, lines: list[str], oom_kills_before: int, peak_mb: int) -> str:
    """OutOfMemory, NoSpace or nothing, from what a command that failed left behind.

    The kernel counts what it ends, but not whose it was: a command that was not ended itself may
    have lost a child, which is believed of large runs only.
    """
    if code == 0:
        return ""
    large = peak_mb * 2**20 > _memory_bytes() // 2
    last = last_exception(lines)
    if re.match(r"(\w+\.)*_?(Array)?MemoryError\b|std::bad_alloc", last):
        return "OutOfMemory"
    if any("std::bad_alloc" in line for line in lines[-5:]):
        return "OutOfMemory"
    if (code == 128 + signal.SIGKILL or large) and oom_kills() > oom_kills_before:
        return "OutOfMemory"
    if "No space left on device" in last:
        return "NoSpace"
    return ""


def message(ml: Path, code: int | None, reason: str, lines: list[str]) -> str:
    """The failure file of the command, else its last exception, else a sentence."""
    if code == 0 and not reason:
        return ""
    written = files.read_text(ml, "output/failure", 4 * _MESSAGE_BYTES)[:_MESSAGE_BYTES].strip()
    if written:
        return written
    said = last_exception(lines)
    if said:
        return said
    if reason in _SENTENCES:
        return _SENTENCES[reason]
    return _ending(code, lines)


def last_exception(lines: list[str]) -> str:
    """The line that ends the last traceback; "" without one."""
    for start in range(len(lines) - 1, -1, -1):
        if lines[start].strip() == _HEADER:
            for line in lines[start + 1 :]:
                if line and not line[0].isspace() and _EXCEPTION.match(line):
                    return line.strip()[:_MESSAGE_BYTES]
            return ""
    return ""


def oom_kills() -> int:
    """How many processes this machine's kernel has ended for want of memory since its start."""
    for line in Path("/proc/vmstat").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill":
            return int(value)
    return 0


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _ending(code: int | None, lines: list[str]) -> str:
    if code is not None and code > 128 and code - 128 in signal.Signals._value2member_map_:
        said = f"The command was ended by signal {signal.Signals(code - 128).name}."
    else:
        said = f"The command ended with exit code {code}."
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"{said} Its last line was: {last[:400]}" if last else said
