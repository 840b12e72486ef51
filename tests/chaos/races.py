"""Many at once: who claims a run, who makes a resource, whose call is repeated."""

import random
import tempfile
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from chaos.house import eventually, house, job, shell
from chaos.invariants import broken, rows
from chaos.outcome import Report
from faults.proxy import fault_proxy

from studio import processes
from studio.runners.base import RunSpec, RunStatus
from studio.runners.process import ProcessRunner
from studio.runners.shim import claim
from studio.settings import Settings

_THREADS = 32


def claims(repeats: int, seed: int) -> Report:
    """32 threads want to claim the same runs, all in an order of their own."""
    won: Counter[int] = Counter()
    lock = threading.Lock()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        runs = [Path(folder) / str(number) for number in range(repeats)]
        for run in runs:
            run.mkdir()

        def race(number: int) -> None:
            for each in random.Random(seed + number).sample(range(repeats), repeats):
                if claim.claim(runs[each], processes.identity()):
                    with lock:
                        won[each] += 1

        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(race, range(_THREADS)))
    wrong = [f"run {number}: {won[number]} claims" for number in range(repeats) if won[number] != 1]
    figures = {"threads": str(_THREADS)}
    return Report(
        "F5 race for claims", "each run claimed once", repeats, seed, figures, tuple(wrong)
    )


def starts(repeats: int, seed: int) -> Report:
    """Several starters of the same runs at the same moment."""
    starters = 4
    wrong = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        runner = ProcessRunner(Settings(home=Path(folder)))
        with ThreadPoolExecutor(starters) as pool:
            for number in range(repeats):
                # Processes are found by the id of their run: nobody else may have it.
                spec = RunSpec(f"{uuid.uuid4().hex}-{number}", ("echo", "started"))
                handle, *_ = pool.map(runner.start, [spec] * starters)
                status = eventually(partial(ended, runner, spec.id, handle), 60, f"{spec.id} ends")
                said = [text for _, text in runner.logs(spec.id, 0, 9).events]
                if said != ["started"]:
                    wrong.append(f"{spec.id} said {said}; {status}")
    figures = {"starters": str(starters)}
    return Report(
        "F5 race for starts", "each run started once", repeats, seed, figures, tuple(wrong)
    )


def ended(runner: ProcessRunner, name: str, handle: dict) -> RunStatus | None:
    """How a run ended; None while it goes on."""
    status = runner.poll(name, handle)
    return status if status.ended else None


def cut_answers(repeats: int, seed: int) -> Report:
    """30 % of the answers to Create and Stop never arrive; boto3 repeats the calls."""
    chance = Cuts(seed)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, house(Path(folder)) as home:
        names = [f"job-{number}" for number in range(repeats)]
        with fault_proxy(home.url, chance) as proxy:

            def live(part: list[str]) -> list[str]:
                # A client stops repeating when too many calls in a row needed it: one for a few.
                sagemaker = home.new_client(
                    "sagemaker", proxies={"http": proxy}, retries={"mode": "standard"}
                )
                return [said for said in (_lived(sagemaker, name) for name in part) if said]

            with ThreadPoolExecutor(16) as pool:
                parts = [names[first : first + 10] for first in range(0, repeats, 10)]
                wrong = [said for part in pool.map(live, parts) for said in part]
        for name in names:
            home.ended(name)
        wrong += broken(home)
        if Counter(row.name for row in rows(home.home)) != Counter(names):
            wrong.append("not one job a call")
    figures = {"answers cut": str(chance.cut)}
    return Report(
        "F6 answers cut",
        "one job a call, no call refused",
        repeats,
        seed,
        figures,
        tuple(wrong),
    )


def _lived(sagemaker: Any, name: str) -> str:
    """What went wrong with a job that is started and stopped."""
    try:
        sagemaker.create_training_job(**job(name, *shell("exec sleep 1000")))
        sagemaker.stop_training_job(TrainingJobName=name)
    except (BotoCoreError, ClientError) as error:
        return f"{name}: {error}"
    return ""


class Cuts:
    """30 % of the answers to the first two attempts."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.cut = 0

    def __call__(self, head: bytes) -> str:
        if b"attempt=3" in head or self._chance.random() > 0.3:
            return "none"
        self.cut += 1
        return self._chance.choice(["cut", "reset"])
