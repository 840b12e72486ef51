"""The control plane, shims and the router are killed again and again under load."""

import json
import os
import random
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from chaos.endpoints import Client, load, serve
from chaos.house import STARTED, House, eventually, healthy, house, kill, python
from chaos.invariants import broken, run_of, shims
from chaos.outcome import Report, slower, spread

LINES_A_SECOND = 50
_READY_SECONDS, _ROUTER_SECONDS = 3.0, 1.0
_TURNS = ("control plane", "shim", "router", "control plane")
_SERVED = "served"


def under_load(
    repeats: int, seed: int, jobs: int = 20, seconds: float = 30, invoked: bool = True
) -> Report:
    """Kills at random moments. Always `jobs` jobs run, each for some seconds; new ones follow,
    created by clients that repeat their calls. An endpoint is `invoked` all the time."""
    chance = random.Random(seed)
    with ExitStack() as parts:
        folder = parts.enter_context(tempfile.TemporaryDirectory(prefix="chaos-"))
        home = parts.enter_context(house(Path(folder), cpu_slots=str(2 * jobs)))
        if invoked:
            serve(home, _SERVED)
        done, strikes = threading.Event(), Strikes(home, chance)
        workers = [
            Worker(home, number, chance.uniform(0.5, seconds), done, strikes.lost)
            for number in range(jobs)
        ]
        writer = threading.Thread(target=store, args=(home, done))
        with load(home, _SERVED) if invoked else ExitStack() as clients:
            for each in (*workers, writer):
                each.start()
            try:
                for number in range(repeats):
                    time.sleep(chance.uniform(0, 2))
                    strikes.strike(_TURNS[number % len(_TURNS)])
            finally:
                done.set()
                for each in (*workers, writer):
                    each.join()
        wrong = [said for each in workers for said in each.wrong] + broken(home)
        if invoked:
            wrong += _lost(clients, strikes.count["router"])
        figures = {
            "jobs": str(sum(each.finished for each in workers)),
            "objects": str(len(home.acknowledged)),
            **{f"kills of a {whom}": str(count) for whom, count in strikes.count.items()},
            "ready again": spread(strikes.ready),
            "router back": spread(strikes.back),
        }
        if invoked:
            asked, failed = sum(it.asked for it in clients), sum(it.failed for it in clients)
            figures["invocations"] = f"{failed} of {asked} lost"
    slow = slower(strikes.ready, _READY_SECONDS, "ready")
    slow += slower(strikes.back, _ROUTER_SECONDS, "router back")
    return Report(
        "F1 kills of control plane, shims and router",
        "no job lost, restarted or doubled, but those whose shim died: Failed by name; no line or "
        "object lost; of invocations those under way",
        repeats,
        seed,
        figures,
        tuple(wrong),
        slow=slow,
    )


class Strikes:
    """Kills, and what came of them: `ready` and `back` are seconds until another control plane or
    router answered, `lost` the runs whose shim died."""

    def __init__(self, home: House, chance: random.Random) -> None:
        self._home, self._chance = home, chance
        self.count: Counter[str] = Counter()
        self.ready: list[float] = []
        self.back: list[float] = []
        self.lost: set[str] = set()

    def strike(self, whom: str) -> None:
        if whom == "control plane":
            self._home.kill()
            self.ready.append(self._home.start())
        elif whom == "router":
            self.back.append(self._kill_router())
        else:
            self._kill_shim()
        self.count[whom] += 1

    def _kill_shim(self) -> None:
        """Of a job: endpoints start servers anew, which is another experiment."""

        def victims() -> dict[int, str]:
            going = shims(self._home.home)
            return {pid: run for pid, run in going.items() if "serve" not in run}

        found = eventually(victims, 60, "a job runs")
        victim = self._chance.choice(sorted(found))
        self.lost.add(found[victim])
        kill(victim)

    def _kill_router(self) -> float:
        path = self._home.home / "router" / "pid.json"
        known = json.loads(path.read_text())
        kill(known["pid"])
        began = time.monotonic()
        port = int(self._home.router_url.rpartition(":")[2])
        another = lambda: json.loads(path.read_text()) != known and healthy(port)  # noqa: E731
        eventually(another, 60, "another router answers")
        return time.monotonic() - began


class Worker(threading.Thread):
    """A client that runs one job after another and looks at what came of each. Those of the runs
    that are `lost` may have failed, and say why."""

    def __init__(
        self, home: House, number: int, seconds: float, done: threading.Event, lost: set[str]
    ) -> None:
        super().__init__(name=f"worker-{number}")
        self._home, self._number, self._done, self._lost = home, number, done, lost
        self._lines = int(seconds * LINES_A_SECOND)
        self.finished = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        try:
            while not self._done.is_set():
                self._one()
                self.finished += 1
        except Exception as error:
            self.wrong.append(f"{self.name}: {type(error).__name__}: {error}")

    def _one(self) -> None:
        name = f"job-{self._number}-{self.finished}"
        self._home.create_job(name, *_program(self._lines))
        found = self._home.ended(name)
        said = [STARTED, *map(str, range(self._lines))]
        lines = self._home.lines(name)
        if found["TrainingJobStatus"] == "Completed":
            if lines != said:
                self.wrong.append(f"{name}: its log is not what it said")
        elif not self._may_fail(name, found):
            self.wrong.append(f"{name}: {found.get('FailureReason')}")
        elif lines != said[: len(lines)]:
            self.wrong.append(f"{name}: its log is not the beginning of what it said")

    def _may_fail(self, name: str, found: dict[str, Any]) -> bool:
        named = "owned the run was killed" in found.get("FailureReason", "")
        return named and run_of(self._home.home, name) in self._lost


def _lost(clients: list[Client], kills: int) -> list[str]:
    """Each client has one request under way; others find nobody to connect to."""
    failed = sum(it.failed - it.unheard for it in clients)
    return [f"{failed} invocations lost by {kills} kills"] if failed > kills * len(clients) else []


def _program(lines: int) -> tuple[str, ...]:
    pause = 1 / LINES_A_SECOND
    return python(
        f"import time\nfor n in range({lines}):\n  print(n, flush=True)\n  time.sleep({pause})"
    )


def store(home: House, done: threading.Event) -> None:
    """Put one object after the other, each for sure, until it is `done`."""
    number = 0
    while not done.wait(0.02):
        home.put(f"objects/{number}", os.urandom(number % 7 * 1000))
        number += 1
