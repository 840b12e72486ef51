"""Many jobs, half of them with daemons and open ports: nothing of them stays."""

import random
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chaos.house import FINAL, House, house, python, shell
from chaos.invariants import broken, living, rows
from chaos.outcome import Report

_PLAIN = "echo ended"
_DAEMONS = "setsid sh -c '(sleep 1000 &) ; sleep 1000' & (sleep 1000 &); sleep 0.1"
_PORT = """import os, socket, time
open_port = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
  os.setsid()
  if os.fork() == 0:
    time.sleep(1000)
  os._exit(0)"""
_PATIENCE_SECONDS = 60.0
_LISTENING = "0A"


def swept(repeats: int, seed: int) -> Report:
    """`repeats` jobs, over the slots of four CPUs."""
    chance = random.Random(seed)
    programs = [shell(_PLAIN), shell(_PLAIN), shell(_DAEMONS), python(_PORT)]
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as folder,
        house(Path(folder), cpu_slots="4") as home,
    ):
        mounts, ports = _mounts(), _ports()
        names = [f"job-{number}" for number in range(repeats)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda it: home.create_job(it, *chance.choice(programs)), names))
        wrong = _all_done(home, repeats)
        began = time.monotonic()
        while left := living(home.home):
            if time.monotonic() - began > _PATIENCE_SECONDS:
                wrong.append(f"{len(left)} processes are left over")
                break
            time.sleep(0.2)
        swept_after = time.monotonic() - began
        mark = str(home.home)
        wrong += [f"mounted: {line}" for line in _mounts() - mounts if mark in line]
        wrong += broken(home)
    grown = len(_ports() - ports)
    figures = {"clean after": f"{swept_after:.1f} s", "ports more than before": str(grown)}
    promise = "no process, mount or port stays"
    return Report("F13 orphans", promise, repeats, seed, figures, tuple(wrong))


def _all_done(home: House, jobs: int) -> list[str]:
    deadline = time.monotonic() + 60 + jobs
    while True:
        found = rows(home.home)
        if sum(row.status in FINAL for row in found) == jobs:
            return [f"{row.name} is {row.status}" for row in found if row.status != "Completed"]
        if time.monotonic() > deadline:
            return [f"{row.name} is {row.status}" for row in found if row.status not in FINAL]
        time.sleep(0.5)


def _mounts() -> set[str]:
    return set(Path("/proc/mounts").read_text().splitlines())


def _ports() -> set[str]:
    """Addresses that somebody listens on."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return {line.split()[1] for line in lines if line.split()[3] == _LISTENING}
