"""What processes use, as Linux tells it."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mib(pid: int) -> float:
    """Memory of a process now."""
    return _status(pid, "VmRSS") / 1024


def peak_mib(pid: int) -> float:
    """The most memory of a process since `forget_peak`."""
    return _status(pid, "VmHWM") / 1024


def forget_peak(pid: int) -> None:
    """From now on `peak_mib` begins anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def wakeups(pid: int) -> int:
    """Times that a thread of the process went to sleep of itself, and so was woken."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(_status(int(task.name), "voluntary_ctxt_switches") for task in tasks)


def of_home(home: Path) -> list[int]:
    """The processes whose command line names the home."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            found += [int(entry.name)] if str(home).encode() in command else []
    return found


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{name}:")))
