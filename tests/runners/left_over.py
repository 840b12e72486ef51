"""What still runs for a home: nothing should."""

from pathlib import Path

from waiting import eventually

from studio.runners.shim import tree


def alive_of(home: Path) -> list[int]:
    """The pids of everything that runs for this home: shims and what they started."""
    found = []
    for folder in (home / "runs").glob("*"):
        found += tree.marked(f"STUDIO_RUN_ID={folder.name}", str(folder))
        found += [pid for pid in map(int, _pids()) if _argument(pid, str(folder))]
    return found


def assert_gone(home: Path) -> None:
    """Nothing runs for this home, if not now then soon: a shim writes its last file and goes."""
    eventually(lambda: not alive_of(home), lambda: alive_of(home))


def _pids() -> list[str]:
    return [it.name for it in Path("/proc").iterdir() if it.name.isdigit()]


def _argument(pid: int, wanted: str) -> bool:
    try:
        return wanted.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
