"""Time limits while the control plane is dead, and clocks that jump."""

import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from botocore.exceptions import ClientError
from chaos.house import BrokenPromise, House, eventually, house, shell
from chaos.invariants import broken, living, rows, transitions
from chaos.outcome import Report, slower, spread

_LIMIT_SECONDS = 5
_DOWN_SECONDS = 4
_JUMP_LIMIT_SECONDS = 3
_JUMPS = {
    "a day back": "-1d",
    "a day ahead": "+1d",
    "ten minutes back": "-600",
    "an hour ahead": "+3600",
    "past 2038": "+4500d",
}
_ZONE = "Europe/Berlin"
_SWITCHES = {"into summer time": 3, "out of summer time": 10}
"""Months on whose last Sunday the zone changes its clocks, at 1:00 UTC."""
_BEFORE_SECONDS = 3.0
_KINDS = (*_JUMPS, *_SWITCHES)
_FAR = ("a day ahead", "a day back", "past 2038", *_SWITCHES)


def limits(repeats: int, seed: int) -> Report:
    """The control plane is killed at 3 s of 5, and comes back 4 s later."""
    took: list[float] = []
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, house(Path(folder)) as home:
        for number in range(repeats):
            name = f"limit-{number}"
            limit = {"MaxRuntimeInSeconds": _LIMIT_SECONDS}
            home.create_job(name, *shell("exec sleep 1000"), StoppingCondition=limit)
            eventually(lambda name=name: home.lines(name), 60, f"{name} has started")
            time.sleep(3)
            home.kill()
            time.sleep(_DOWN_SECONDS)
            home.start()
            found = home.ended(name)
            seconds = (found["TrainingEndTime"] - found["TrainingStartTime"]).total_seconds()
            took.append(seconds)
            if found["SecondaryStatus"] != "MaxRuntimeExceeded":
                wrong.append(f"{name} is {found['SecondaryStatus']}")
            if seconds < _LIMIT_SECONDS:
                wrong.append(f"{name} had {seconds:.1f} s")
        wrong += broken(home)
    promise = f"MaxRuntimeExceeded after {_LIMIT_SECONDS} s, at the latest when it is back"
    figures = {"ended after": spread(took)}
    slow = slower(took, _LIMIT_SECONDS + _DOWN_SECONDS, "ended")
    return Report("F8 limits", promise, repeats, seed, figures, tuple(wrong), slow=slow)


def jumps(repeats: int, seed: int) -> Report:
    """The clock of the control plane jumps while jobs run, also to where local time is about to
    change; clients keep the right time."""
    name, promise = "F8, F22 clocks that jump", "jobs end as they would; no time goes backwards"
    library = _library()
    if library is None:
        return Report(name, promise, 0, seed, skipped="needs Debian's package faketime")
    kinds = _KINDS[: max(1, repeats)]
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        clock = Path(folder) / "clock"
        clock.write_text("+0")
        env = {
            "LD_PRELOAD": str(library),
            "TZ": _ZONE,
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        with house(Path(folder) / "home") as home:
            # faketime breaks some sleeps: nothing of it for the start of the router.
            home.kill()
            home.start(**env)
            # Without the nudges of the shims the control plane has to look by itself.
            (home.home / "hints.sock").unlink()
            for kind in kinds:
                try:
                    wrong += [f"{kind}: {said}" for said in _jumped(home, clock, kind)]
                except BrokenPromise as error:
                    wrong.append(f"{kind}: {error}")
    return Report(name, promise, repeats, seed, {"jumps": ", ".join(kinds)}, tuple(wrong))


def _jumped(home: House, clock: Path, kind: str) -> list[str]:
    limit = {"MaxRuntimeInSeconds": _JUMP_LIMIT_SECONDS}
    limited, short = f"limited-{kind}".replace(" ", "-"), f"short-{kind}".replace(" ", "-")
    home.create_job(limited, *shell("exec sleep 1000"), StoppingCondition=limit)
    home.create_job(short, *shell("sleep 2; echo ended"))
    eventually(lambda: home.lines(limited) and home.lines(short), 60, "they run")
    clock.write_text(_JUMPS.get(kind) or _to_switch(kind))
    wrong = _refused(home) if kind in _FAR else []
    ends = {limited: "Stopped", short: "Completed"}
    eventually(lambda: ends.items() <= _statuses(home).items(), 120, f"{ends}")
    eventually(lambda: not living(home.home), 60, "nothing runs")
    wrong += [said for row in rows(home.home) for said in transitions(row)]
    clock.write_text("+0")
    return wrong + broken(home)


def _to_switch(kind: str) -> str:
    """By how much to be ahead, so that the clocks change in a moment."""
    now = datetime.now(UTC)
    last = datetime(now.year + 1, _SWITCHES[kind], 31, 1, tzinfo=UTC)
    sunday = last - timedelta(days=last.isoweekday() % 7)
    return f"+{(sunday - now).total_seconds() - _BEFORE_SECONDS:.0f}"


def _refused(home: House) -> list[str]:
    """A client whose clock is right hears what is wrong, or is served."""
    try:
        home.client("sagemaker").list_training_jobs()
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("InvalidSignatureException", "RequestExpired"):
            return [f"a client was told: {error}"]
        return []
    return ["a client whose clock is off by so much was served"]


def _statuses(home: House) -> dict[str, str]:
    return {row.name: row.status for row in rows(home.home)}


def _library() -> Path | None:
    if shutil.which("faketime") is None:
        return None
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return found[0] if found else None
