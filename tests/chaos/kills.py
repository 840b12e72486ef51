"""The control plane is killed again and again while jobs run and objects are stored."""

import os
import random
import tempfile
import threading
import time
from pathlib import Path

from chaos.house import STARTED, House, house, python
from chaos.invariants import broken
from chaos.outcome import Report, slower, spread

LINES_A_SECOND = 50
_READY_SECONDS = 3.0


def under_load(repeats: int, seed: int, jobs: int = 20, seconds: float = 10) -> Report:
    """Kills at random moments. Always `jobs` jobs run, each for some seconds; new ones follow,
    created by clients that repeat their calls."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, house(Path(folder)) as home:
        done = threading.Event()
        workers = [
            Worker(home, number, chance.uniform(0.5, seconds), done) for number in range(jobs)
        ]
        writer = threading.Thread(target=_store, args=(home, done))
        for each in (*workers, writer):
            each.start()
        ready = []
        try:
            for _ in range(repeats):
                time.sleep(chance.uniform(0, 2))
                home.kill()
                ready.append(home.start())
        finally:
            done.set()
            for each in (*workers, writer):
                each.join()
        wrong = [said for each in workers for said in each.wrong] + broken(home)
        finished = sum(len(each.names) for each in workers)
        figures = {
            "jobs": str(finished),
            "objects": str(len(home.acknowledged)),
            "ready again": spread(ready),
        }
    return Report(
        "F1 kills of the control plane",
        "no job lost, restarted or doubled; no line or object lost",
        repeats,
        seed,
        figures,
        tuple(wrong),
        slow=slower(ready, _READY_SECONDS, "ready"),
    )


class Worker(threading.Thread):
    """A client that runs one job after another and looks at what came of each."""

    def __init__(self, home: House, number: int, seconds: float, done: threading.Event) -> None:
        super().__init__(name=f"worker-{number}")
        self._home, self._number, self._done = home, number, done
        self._lines = int(seconds * LINES_A_SECOND)
        self.names: list[str] = []
        self.wrong: list[str] = []

    def run(self) -> None:
        try:
            while not self._done.is_set():
                self._one()
        except Exception as error:
            self.wrong.append(f"{self.name}: {type(error).__name__}: {error}")

    def _one(self) -> None:
        name = f"job-{self._number}-{len(self.names)}"
        self._home.create_job(name, *_program(self._lines))
        self.names.append(name)
        found = self._home.ended(name)
        if found["TrainingJobStatus"] != "Completed":
            self.wrong.append(f"{name}: {found.get('FailureReason')}")
        elif self._home.lines(name) != [STARTED, *map(str, range(self._lines))]:
            self.wrong.append(f"{name}: its log is not what it said")


def _program(lines: int) -> tuple[str, ...]:
    pause = 1 / LINES_A_SECOND
    return python(
        f"import time\nfor n in range({lines}):\n  print(n, flush=True)\n  time.sleep({pause})"
    )


def _store(home: House, done: threading.Event) -> None:
    number = 0
    while not done.wait(0.02):
        home.put(f"objects/{number}", os.urandom(number % 7 * 1000))
        number += 1
