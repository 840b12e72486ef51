"""Why a run ended, in words: the failure file, the last traceback, or a sentence on the cause."""

import codecs
import os
import re
import signal
from pathlib import Path

from studio.container import files
from studio.runners.shim import tracebacks

_TAIL_BYTES = 64 * 1024
_MESSAGE_BYTES = 1_024
_TRACEBACK_BYTES = 2_048
_NOTE_BYTES = 1_024
_SAYS_NOTHING = re.compile(
    r"Training Execution failed\. For more details, see CloudWatch logs|"
    r"(?s:.*)/sm_drivers/(?s:.*)\nsubprocess\.CalledProcessError: Command "
)
"""What version 3 of the SDK has its jobs write wherever a script fails: that it did."""
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
    failure = tracebacks.first_failure(lines)
    killed = 128 + signal.SIGKILL in (code, _status(failure.code) if failure else 0)
    if (killed or large) and oom_kills() > oom_kills_before:
        return "OutOfMemory"
    if "No space left on device" in last:
        return "NoSpace"
    return ""


def message(ml: Path, code: int | None, reason: str, lines: list[str]) -> str:
    """The failure file of the command, else its last exception, else a sentence."""
    if code == 0 and not reason:
        return ""
    written = files.read_text(ml, "output/failure", 4 * _MESSAGE_BYTES)[:_MESSAGE_BYTES].strip()
    if written and not _SAYS_NOTHING.match(written):
        return written
    said = last_exception(lines)
    if said or written:
        return said or written
    if reason in _SENTENCES:
        return _SENTENCES[reason]
    return _ending(code, lines)


def note(ml: Path) -> str | None:
    """What the command wrote to tell more, however it ended; None when it is not UTF-8."""
    written = files.read_bytes(ml, "output/message", _NOTE_BYTES)
    try:
        # The limit may cut a character: that is no fault of the text.
        return codecs.getincrementaldecoder("utf-8")().decode(written)
    except UnicodeDecodeError:
        return None


def last_exception(lines: list[str]) -> str:
    """The line that ends the last traceback; "" without one."""
    return (tracebacks.last(lines) or [""])[-1].strip()[:_MESSAGE_BYTES]


def traceback(lines: list[str]) -> str:
    """The last traceback; its end when it is long."""
    return "\n".join(tracebacks.last(lines))[-_TRACEBACK_BYTES:]


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
    failure = tracebacks.first_failure(lines)
    if failure is not None:
        return f"The process of rank {failure.rank} {_ended(_status(failure.code))}"
    said = f"The command {_ended(code)}"
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"{said} Its last line was: {last[:400]}" if last else said


def _ended(code: int | None) -> str:
    if code is not None and code > 128 and code - 128 in signal.Signals._value2member_map_:
        return f"was ended by signal {signal.Signals(code - 128).name}."
    return f"ended with exit code {code}."


def _status(code: int) -> int:
    """Of a process that its parent knows by a negative number, if a signal ended it."""
    return code if code >= 0 else 128 - code
