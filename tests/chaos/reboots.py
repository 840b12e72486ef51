"""The machine starts anew: nothing runs, and the pids of what ran belong to strangers."""

import json
import subprocess
import tempfile
import time
from pathlib import Path

from chaos.house import House, eventually, house, kill, shell
from chaos.invariants import broken, living
from chaos.outcome import Report, slower, spread

_SETTLED_SECONDS = 10.0
_OTHER_BOOT = "00000000-0000-0000-0000-000000000000"


def imitated(repeats: int, seed: int, jobs: int = 6) -> Report:
    """Everything is killed at once; what remembers a boot remembers another one."""
    wrong: list[str] = []
    took: list[float] = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, house(Path(folder)) as home:
        for number in range(repeats):
            names = [f"boot-{number}-{each}" for each in range(jobs)]
            for each, name in enumerate(names):
                retry = {"RetryStrategy": {"MaximumRetryAttempts": 1}} if each % 2 else {}
                home.create_job(name, *shell("sleep 1000"), **retry)
            eventually(lambda names=names: _training(home, names), 60, "jobs run")
            strangers = _reboot(home)
            began = time.monotonic()
            home.start()
            wrong += _looked_at(home, names, took, began)
            wrong += [f"stranger {it.pid} was ended" for it in strangers if it.poll() is not None]
            for each in names[1::2]:
                home.call("stop_training_job", TrainingJobName=each)
            for each in names:
                home.ended(each)
            wrong += broken(home)
            for it in strangers:
                it.kill()
                it.wait()
    return Report(
        "F4 the machine starts anew",
        "no signal to strangers; jobs failed, or tried again as asked, within 10 s",
        repeats,
        seed,
        {"jobs": str(repeats * jobs), "settled": spread(took)},
        tuple(wrong),
        slow=slower(took, _SETTLED_SECONDS, "settled"),
    )


def _training(home: House, names: list[str]) -> bool:
    return all(home.describe(name)["SecondaryStatus"] == "Training" for name in names)


def _reboot(home: House) -> list[subprocess.Popen[bytes]]:
    """The strangers that have the pids from now on."""
    home.kill()
    router = home.home / "router" / "pid.json"
    kill(json.loads(router.read_text())["pid"])
    eventually(lambda: not [kill(pid) for pid in living(home.home)], 60, "everything is dead")
    files = [router, *home.home.glob("runs/*/pid.json"), home.home / "pid.json"]
    strangers = []
    for file in files:
        stranger = subprocess.Popen(["sleep", "1000"])
        known = {**json.loads(file.read_text()), "pid": stranger.pid, "boot_id": _OTHER_BOOT}
        file.write_text(json.dumps(known))
        strangers.append(stranger)
    return strangers


def _looked_at(home: House, names: list[str], took: list[float], began: float) -> list[str]:
    """Those that asked for it run again, the others failed and say why."""
    wrong = []
    for number, name in enumerate(names):
        wanted = "Training" if number % 2 else "Failed"
        found = eventually(
            lambda name=name, wanted=wanted: _in(home, name, wanted), 120, f"{name} is {wanted}"
        )
        reason = found.get("FailureReason", "")
        if wanted == "Failed" and "restarted" not in reason:
            wrong.append(f"{name} failed because: {reason}")
    took.append(time.monotonic() - began)
    return wrong


def _in(home: House, name: str, wanted: str) -> dict | None:
    found = home.describe(name)
    again = wanted == "Failed" or any(
        each["Status"] == "Restarting" for each in found["SecondaryStatusTransitions"]
    )
    return found if found["SecondaryStatus"] == wanted and again else None
