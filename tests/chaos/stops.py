"""Jobs that do not want to end, that take too long, or too much memory."""

import tempfile
import time
from pathlib import Path

from chaos.house import BUCKET, House, eventually, house, python, shell
from chaos.invariants import broken
from chaos.outcome import Report, spread

GRACE_SECONDS = 3.0
_LATE_SECONDS = 4.0
_BUSY = "while :; do sleep 0.1; done"
STUBBORN = {
    "ends": "exec sleep 1000",
    "ignores": f"trap '' TERM; {_BUSY}",
    "daemons": f"trap '' TERM; for i in 1 2 3; do setsid sh -c '{_BUSY}' & done; {_BUSY}",
    "checkpoint": "trap 'sleep 1; echo kept > /opt/ml/model/kept; exit 0' TERM; " + _BUSY,
    "asleep": "kill -STOP $$; sleep 1000",
}
_PATIENT = ("ends", "checkpoint", "asleep")
"""Those that end before they are killed."""
_HOGS = {
    "itself": "x = bytearray(1 << 30)\ntime.sleep(60)",
    "child": "import subprocess, sys\n"
    "subprocess.run(['python3', '-c', 'import time; x = bytearray(1 << 30); time.sleep(60)'])\n"
    "sys.exit(7)",
    "slowly": "x = []\nwhile True:\n  x.append(bytearray(1 << 22))\n  time.sleep(0.01)",
}


def stopped(repeats: int, seed: int) -> Report:
    """Five kinds of jobs are stopped, each in its own way against it."""
    took: list[float] = []
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, house(Path(folder)) as home:
        for number in range(repeats):
            names = {f"{kind}-{number}": kind for kind in STUBBORN}
            for name, kind in names.items():
                home.create_job(name, *shell(f"{STUBBORN[kind]}"))
            for name in names:
                eventually(
                    lambda name=name: home.lines(name) == ["started"], 60, f"{name} has started"
                )
            time.sleep(0.5)
            for name in names:
                home.call("stop_training_job", TrainingJobName=name)
                home.call("stop_training_job", TrainingJobName=name)
            for name, kind in names.items():
                wrong += _judged(home, name, kind, took)
        wrong += broken(home)
    figures = {"kinds": str(len(STUBBORN)), "stopped after": spread(took)}
    promise = f"Stopped, killed after {GRACE_SECONDS:g} s, the whole tree; its model stored"
    return Report("F7 stops", promise, repeats, seed, figures, tuple(wrong))


def _judged(home: House, name: str, kind: str, took: list[float]) -> list[str]:
    found = home.ended(name)
    at = {each["Status"]: each["StartTime"] for each in found["SecondaryStatusTransitions"]}
    seconds = (found["TrainingEndTime"] - at["Stopping"]).total_seconds()
    took.append(seconds)
    wrong = []
    if found["SecondaryStatus"] != "Stopped":
        wrong.append(f"{name} is {found['SecondaryStatus']}")
    if kind not in _PATIENT and seconds < GRACE_SECONDS - 1.5:
        wrong.append(f"{name} was killed after {seconds:.1f} s")
    if seconds > GRACE_SECONDS + _LATE_SECONDS + 30:
        wrong.append(f"{name} took {seconds:.1f} s")
    listed = home.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"out/{name}/")
    if listed["KeyCount"] != 1:
        wrong.append(f"{name} left {listed['KeyCount']} objects")
    return wrong


def out_of_memory(repeats: int, seed: int) -> Report:
    """The command takes too much, or a child whose parent then ends with 7."""
    wrong: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as folder,
        house(Path(folder), job_memory_mb="200") as home,
    ):
        for number in range(repeats):
            for kind, program in _HOGS.items():
                name = f"{kind}-{number}"
                home.create_job(name, *python(f"import time\n{program}"))
                found = home.ended(name)
                reason = found.get("FailureReason", "")
                if not ("OutOfMemory" in reason and "200 MB" in reason):
                    wrong.append(f"{name}: {found['TrainingJobStatus']} because: {reason}")
        wrong += broken(home)
    promise = "Failed: OutOfMemory, with the limit and what was used"
    figures = {"kinds": str(len(_HOGS))}
    return Report("F9 out of memory", promise, repeats, seed, figures, tuple(wrong))
