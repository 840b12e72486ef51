"""Several control planes of one home: the one that leads is killed, paused and stopped."""

import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

import postgresql
from chaos.endpoints import load, serve
from chaos.house import BUCKET, House, eventually, healthy, kill
from chaos.invariants import broken
from chaos.kills import Worker, store
from chaos.outcome import Report, slower, spread
from ports import held_port
from studios import stop_all

LEASE_SECONDS = 2.0
_STRIKES = {"killed": signal.SIGKILL, "paused": signal.SIGSTOP, "stopped": signal.SIGTERM}
_OVER_SECONDS = {"killed": 3.0, "paused": 3.0 + 2 * LEASE_SECONDS, "stopped": 5.0}
_PATIENCE_SECONDS = 120.0
_SERVED = "served"


class Planes(House):
    """Each has a port of its own, and clients come to any of them."""

    def __init__(self, folder: Path, database_url: str, count: int, chance: random.Random) -> None:
        super().__init__(
            folder, {"database_url": database_url, "lease_seconds": str(LEASE_SECONDS)}
        )
        self._held = ExitStack()
        self.ports = [self._held.enter_context(held_port()) for _ in range(count)]
        self._planes: dict[int, subprocess.Popen[bytes]] = {}
        self._chance = chance

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._chance.choice(self.ports)}"

    @property
    def leader(self) -> int:
        """The pid of the one who leads; 0 while nobody does."""
        try:
            pid = int(json.loads((self.home / "pid.json").read_text())["pid"])
        except (FileNotFoundError, ValueError):
            return 0
        return pid if any(it.pid == pid and it.poll() is None for it in self.planes) else 0

    @property
    def planes(self) -> list[subprocess.Popen[bytes]]:
        return list(self._planes.values())

    def start_all(self) -> None:
        """One after the other, so that the first leads; each answers by itself then."""
        self.home.mkdir(parents=True, exist_ok=True)
        for port in self.ports:
            if port not in self._planes or self._planes[port].poll() is not None:
                self._planes[port] = self._begun(port)
                eventually(lambda port=port: healthy(port), _PATIENCE_SECONDS, f"{port} answers")

    def strike(self, number: int) -> float:
        """Signal the one who leads; seconds until another one does, and answers."""
        struck = eventually(lambda: self.leader, _PATIENCE_SECONDS, "somebody leads")
        home_port = json.loads((self.home / "port").read_text())
        began = time.monotonic()
        kill(struck, number)

        def another() -> bool:
            return self.leader not in (0, struck) and healthy(home_port)

        eventually(another, _PATIENCE_SECONDS, "another one leads")
        return time.monotonic() - began

    def close(self) -> None:
        for each in self.planes:
            kill(each.pid, signal.SIGCONT)
        stop_all(self.home, self.env)
        for each in self.planes:
            if each.poll() is None:
                each.kill()
            each.wait()
        self._held.close()

    def _begun(self, port: int) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-P", "-m", "studio.cli", "serve"]
        with (self.home / f"plane-{port}.log").open("ab") as log:
            return subprocess.Popen(
                [*command, "--home", str(self.home), "--port", str(port)],
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )


@contextmanager
def planes(folder: Path, url: str, count: int, chance: random.Random) -> Iterator[Planes]:
    """`count` of them, with a bucket."""
    made = Planes(folder, url, count, chance)
    try:
        made.start_all()
        made.client("s3").create_bucket(Bucket=BUCKET)
        yield made
    finally:
        made.close()


def under_load(
    repeats: int,
    seed: int,
    jobs: int = 10,
    seconds: float = 20,
    count: int = 3,
    invoked: bool = True,
) -> Report:
    """`repeats` times the one who leads is lost, in turn by each strike, while `jobs` clients run
    one job after the other and another stores objects, each call by way of any control plane. An
    endpoint is `invoked` all the time."""
    name, chance = "F5 the leader is lost", random.Random(seed)
    promise = (
        "another leads within seconds; no job started twice or lost, nothing forgotten, no "
        "invocation lost"
    )
    if not postgresql.available():
        return Report(name, promise, 0, seed, skipped="needs PostgreSQL")
    with ExitStack() as parts:
        server = parts.enter_context(postgresql.running())
        folder = parts.enter_context(tempfile.TemporaryDirectory(prefix="chaos-"))
        home = parts.enter_context(planes(Path(folder), server.database(), count, chance))
        if invoked:
            serve(home, _SERVED)
        done, lost = threading.Event(), set[str]()
        workers = [
            Worker(home, number, chance.uniform(0.5, seconds), done, lost) for number in range(jobs)
        ]
        writer = threading.Thread(target=store, args=(home, done))
        with load(home, _SERVED) if invoked else nullcontext([]) as clients:
            for each in (*workers, writer):
                each.start()
            try:
                over = _struck(home, repeats, chance)
            finally:
                done.set()
                for each in (*workers, writer):
                    each.join()
        wrong = [said for each in workers for said in each.wrong] + broken(home)
        asked, failed = sum(it.asked for it in clients), sum(it.failed for it in clients)
        if failed:
            wrong.append(f"{failed} of {asked} invocations lost, though the router was there")
        figures = {
            "jobs": str(sum(each.finished for each in workers)),
            "objects": str(len(home.acknowledged)),
            **({"invocations": f"{failed} of {asked} lost"} if invoked else {}),
            **{f"{strike}: another led after": spread(it) for strike, it in over.items() if it},
        }
    slow = [slower(over[it], _OVER_SECONDS[it], f"another led ({it})") for it in _STRIKES]
    return Report(name, promise, repeats, seed, figures, tuple(wrong), slow=sum(slow, ()))


def _struck(home: Planes, repeats: int, chance: random.Random) -> dict[str, list[float]]:
    """Seconds until another one led, by strike."""
    over: dict[str, list[float]] = {strike: [] for strike in _STRIKES}
    for number in range(repeats):
        time.sleep(chance.uniform(0, 2))
        strike = list(_STRIKES)[number % len(_STRIKES)]
        over[strike].append(home.strike(_STRIKES[strike]))
        home.start_all()
    return over
