"""Jobs say a lot, and strange things, while the processes that carry it are killed."""

import random
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from chaos.house import FINAL, House, eventually, house, kill, python
from chaos.invariants import broken, run_of, shims
from chaos.outcome import Report, processor_seconds, slower

from studio.runners.logs import LINE_BYTES

_LINES = 100_000
_ODD = r"\xff\xfe\x00 \xc3"
_LONG = 2**20
_ENOUGH = "enough"
_LAG_SECONDS, _CORES = 1.0, 0.5


def survive(repeats: int, seed: int, jobs: int = 10, lines: int = _LINES) -> Report:
    """`repeats` kills: of the control plane, a scribe, a shim, in turns. Jobs go on meanwhile."""
    chance = random.Random(seed)
    wrong: list[str] = []
    killed: dict[str, list[str]] = {"control plane": [], "scribe": [], "shim": []}
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, house(Path(folder)) as home:
        names = [f"talker-{number}" for number in range(jobs)]
        for name in names:
            home.create_job(name, *_program(lines, repeats))
        # A command that has not yet said anything may look like a scribe.
        eventually(lambda: _speaking(home) == jobs, 60, "all jobs say something")
        for number in range(repeats):
            time.sleep(chance.uniform(0.05, 0.5))
            # A killed shim ends its job: only some lose theirs.
            whom = _turn(number)
            killed[whom].append(_murder(home, whom, chance))
        for run in shims(home.home).values():
            (home.home / "runs" / run / "ml" / _ENOUGH).touch()
        for name in names:
            found = home.ended(name)
            wrong += _compared(home, name, lines, found["TrainingJobStatus"])
            wrong += _judged(name, found, run_of(home.home, name) in killed["shim"])
        wrong += broken(home)
    figures = {f"kills of a {whom}": str(len(runs)) for whom, runs in killed.items()}
    return Report(
        "F12 lines",
        "every line once and in order: pages = file; without its shim a job fails by name",
        repeats,
        seed,
        {"lines": f"{jobs * lines} or more", **figures},
        tuple(wrong),
    )


def _speaking(home: House) -> int:
    """How many jobs have said something."""
    return sum(log.stat().st_size > 0 for log in home.home.glob("runs/*/log"))


def _turn(number: int) -> str:
    return "shim" if number % 5 == 2 else ("control plane", "scribe")[number % 2]


def _judged(name: str, found: dict[str, Any], lost: bool) -> list[str]:
    status, reason = found["TrainingJobStatus"], found.get("FailureReason", "")
    if lost and not (status == "Failed" and "owned the run was killed" in reason):
        return [f"{name} lost its shim and is {status}: {reason}"]
    if not lost and status != "Completed":
        return [f"{name} is {status}: {reason}"]
    return []


def _program(lines: int, seconds: int) -> tuple[str, ...]:
    """Numbered lines with odd bytes, ever slower until it is enough; one of a megabyte; the last
    says how many, and has no end."""
    pause = seconds * 1000 / lines
    return python(
        "import os, sys, time\nwrite = sys.stdout.buffer.write\nn = 0\n"
        f"enough = os.environ.get('SAGEMAKER_BASE_DIR', '/opt/ml') + '/{_ENOUGH}'\n"
        f"while n < {lines} or not os.path.exists(enough):\n"
        f"  write(b'%d {_ODD}\\n' % n)\n  n += 1\n"
        f"  if n % 1000 == 0: time.sleep({pause} if n < {lines} else {10 * pause})\n"
        f"write(b'x' * {_LONG} + b'\\n%d half' % n)"
    )


def _murder(home: House, whom: str, chance: random.Random) -> str:
    """The run that was struck; "" for the control plane's death. BrokenPromise without a victim."""
    if whom == "control plane":
        home.kill()
        home.start()
        return ""

    def struck() -> str:
        victims = shims(home.home)
        if whom == "scribe":  # one that was killed just now is made anew
            victims = {it: run for shim, run in victims.items() for it in _scribes(shim)}
        victim = chance.choice(sorted(victims) or [0])
        return victims[victim] if victim and kill(victim) else ""

    return str(eventually(struck, 60, f"there is a {whom} to kill"))


def _scribes(shim: int) -> list[int]:
    """The shim's own children that run its program."""
    try:
        program = Path(f"/proc/{shim}/exe").readlink()
        children = Path(f"/proc/{shim}/task/{shim}/children").read_text().split()
        return [int(it) for it in children if Path(f"/proc/{it}/exe").readlink() == program]
    except OSError:
        return []


def _compared(home: House, name: str, lines: int, status: str) -> list[str]:
    data = (home.home / "runs" / run_of(home.home, name) / "log").read_bytes()
    numbered = data.count(b"\n") + 1  # as many as there can be
    whole = b"started\n" + b"".join(b"%d \xff\xfe\x00 \xc3\n" % n for n in range(numbered))
    wrong = []
    if status == "Completed":
        said, _, last = data.rpartition(b"\n")
        count = int(last.removesuffix(b" half"))
        body = whole[: whole.index(b"\n%d " % count) + 1]
        if count < lines or said != body + b"x" * _LONG or not last.endswith(b" half"):
            wrong.append(f"{name}: its file is not what it said")
    elif not whole.startswith(data):
        wrong.append(f"{name}: its file is not the beginning of what it said")
    if home.lines(name) != _pieces(data):
        wrong.append(f"{name}: its pages are not its file")
    return wrong


def _pieces(data: bytes) -> list[str]:
    """The lines of a file, long ones in pieces."""
    found = []
    for line in data.removesuffix(b"\n").split(b"\n"):
        parts = range(0, max(len(line), 1), LINE_BYTES)
        found += [line[at : at + LINE_BYTES].decode(errors="replace") for at in parts]
    return found


def flood(repeats: int, seed: int, tails: int = 20, rate: int = 20_000) -> Report:
    """One job says `rate` lines a second for `repeats` seconds; `tails` readers follow."""
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as folder,
        house(Path(folder)) as home,
    ):
        home.create_job("flood", *_flood(repeats, rate))
        eventually(lambda: home.lines("flood"), 60, "it says something")
        used = processor_seconds(home.pid)
        readers = [Tail(home, "flood", full=number == 0) for number in range(tails)]
        for each in readers:
            each.start()
        for each in readers:
            each.join()
        share = (processor_seconds(home.pid) - used) / repeats
        wrong = [said for each in readers for said in each.wrong]
        expected = [str(n) for n in range(rate * repeats)]
        got = [line.partition(" ")[0] for line in readers[0].lines if line != "started"]
        if got != expected:
            wrong.append(f"{len(got)} of {len(expected)} lines came, or not in order")
        wrong += broken(home)
        lag = max(each.lag for each in readers)
        slow = slower([lag], _LAG_SECONDS, "lines")
        if share > _CORES:
            slow += (f"more than {_CORES:g} cores",)
    return Report(
        "L9 a flood of lines",
        "none lost; tails 1 s behind, half a core",
        repeats,
        seed,
        {
            "lines": str(rate * repeats),
            "tails": str(tails),
            "behind": f"{lag:.1f} s",
            "cores": f"{share:.2f}",
        },
        tuple(wrong),
        slow=slow,
    )


def _flood(seconds: int, rate: int) -> tuple[str, ...]:
    """Ten times a second a tenth of the lines: number and time."""
    return python(
        "import time\nbegan = time.time()\n"
        f"for turn in range({seconds * 10}):\n"
        f"  first = turn * {rate // 10}\n"
        f"  lines = [f'{{n}} {{time.time()}}' for n in range(first, first + {rate // 10})]\n"
        "  print('\\n'.join(lines), flush=True)\n"
        "  time.sleep(max(0, began + (turn + 1) / 10 - time.time()))"
    )


class Tail(threading.Thread):
    """Follows a job's log: all of it, or its end as a person would."""

    def __init__(self, home: House, name: str, full: bool) -> None:
        super().__init__(name="tail")
        self._home, self._name, self._full = home, name, full
        self.lines: list[str] = []
        self.wrong: list[str] = []
        self.lag = 0.0

    def run(self) -> None:
        try:
            self._follow()
        except Exception as error:
            self.wrong.append(f"tail: {type(error).__name__}: {error}")

    def _follow(self) -> None:
        logs = self._home.client("logs")
        group = "/aws/sagemaker/TrainingJobs"
        streams = logs.describe_log_streams(
            logGroupName=group, logStreamNamePrefix=f"{self._name}/"
        )["logStreams"]
        request = {"logGroupName": group, "logStreamName": streams[0]["logStreamName"]}
        if self._full:
            request["startFromHead"] = True
        else:
            request["limit"] = 100
        while True:
            done = self._home.describe(self._name)["TrainingJobStatus"] in FINAL
            page = logs.get_log_events(**request)
            events = [event["message"] for event in page["events"]]
            if self._full:
                self.lines += events
                request["nextToken"] = page["nextForwardToken"]
            elif events and not done:
                said = float(events[-1].partition(" ")[2] or time.time())
                self.lag = max(self.lag, time.time() - said)
            if done and not (self._full and events):
                return
            if not (self._full and events):
                time.sleep(1)
