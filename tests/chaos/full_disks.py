"""Disks without room: that of the home, of its database, of its logs, of temporary files."""

import contextlib
import errno
import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from chaos.house import BUCKET, FINAL, BrokenPromise, House, eventually, house, shell
from chaos.invariants import broken
from chaos.outcome import Report, slower
from chaos.store_errors import problems
from durability import tmpfs

MODEL = {
    "ExecutionRoleArn": "arn:aws:iam::000000000000:role/StudioExecutionRole",
    "PrimaryContainer": {
        "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    },
}
_READ_SECONDS = 0.25
_GONE_SECONDS = 60.0


def home(repeats: int, seed: int) -> Report:
    """The home's disk is full for `repeats` seconds, while clients go on and jobs end."""
    name, promise = "F10 a full home", "what was stored is read, the rest refused; heals by itself"
    if (missing := tmpfs.lacking()) is not None:
        return Report(name, promise, 0, seed, skipped=f"needs {missing}")
    with _small("size=64m") as folder, house(folder / "home", job_stop_seconds="1") as place:
        jobs = [f"job-{number}" for number in range(3)]
        for each in jobs:
            place.create_job(each, *shell("exec sleep 1000"))
        for each in jobs:
            eventually(lambda each=each: _trains(place, each), 120, f"{each} runs")
        client = Client(place)
        client.put_until_refused()
        with _hog(folder / "hog"):
            told = _told(place, "full")
            for each in jobs[:2]:
                place.call("stop_training_job", TrainingJobName=each)
            client.go_on(repeats)
            states = [place.ended(each)["TrainingJobStatus"] for each in jobs[:2]]
        client.free(5)
        wrong = [*client.wrong, *told, *_healed(place)]
        place.call("stop_training_job", TrainingJobName=jobs[2])
        states.append(place.ended(jobs[2])["TrainingJobStatus"])
        if not set(states) <= set(FINAL):
            wrong.append(f"jobs are {states}")
        wrong += [*_same(place), *broken(place)]
    figures = {**{k: str(v) for k, v in client.counts.items()}, "read": client.p99()}
    slow = slower([client.percentile(0.99)], _READ_SECONDS, "99 % of reads")
    return Report(name, promise, repeats, seed, figures, tuple(wrong), slow=slow)


def others(repeats: int, seed: int, disks: tuple[str, ...] = ()) -> Report:
    """Each of the other disks, or of those named, is full, `repeats` times."""
    name, promise = "F11 other full disks", "named in health; no crash; heals by itself"
    if (missing := tmpfs.lacking()) is not None:
        return Report(name, promise, 0, seed, skipped=f"needs {missing}")
    wrong: list[str] = []
    for number, what in itertools.product(range(repeats), disks or _OTHERS):
        try:
            wrong += [f"{what}, {number}: {said}" for said in _OTHERS[what]()]
        except (BrokenPromise, ClientError) as error:
            wrong.append(f"{what}, {number}: {error}")
    figures = {"disks": ", ".join(disks or _OTHERS)}
    return Report(name, promise, repeats, seed, figures, tuple(wrong))


class Client:
    """Goes on storing and reading whatever it is told; counts what became of it."""

    def __init__(self, place: House) -> None:
        self._house, self._s3 = place, place.client("s3")
        self._sagemaker = place.client("sagemaker")
        self._numbers = itertools.count()
        self._seconds: list[float] = []
        self.counts = {"stored": 0, "refused": 0, "reads": 0}
        self.wrong: list[str] = []

    def put_until_refused(self, size: int = 1 << 20) -> None:
        while self._put(size):
            pass

    def go_on(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        for number in itertools.count():
            self._put((1 << 20, 10, 4096)[number % 3])
            self._attempt(lambda n=number: self._sagemaker.create_model(ModelName=f"m{n}", **MODEL))
            self._read(number)
            if time.monotonic() > end:
                return

    def free(self, objects: int) -> None:
        """Delete the oldest."""
        for key in list(self._house.acknowledged)[:objects]:
            self._s3.delete_object(Bucket=BUCKET, Key=key)
            del self._house.acknowledged[key]

    def percentile(self, part: float) -> float:
        return sorted(self._seconds)[int(part * (len(self._seconds) - 1))]

    def p99(self) -> str:
        return f"{self.percentile(0.5):.3f} s, 99 % within {self.percentile(0.99):.3f} s"

    def _put(self, size: int) -> bool:
        key = f"key-{next(self._numbers)}"
        body = key.encode() * (size // len(key) + 1)
        stored = self._attempt(lambda: self._s3.put_object(Bucket=BUCKET, Key=key, Body=body))
        if stored:
            self._house.acknowledged[key] = body
        return stored

    def _attempt(self, call: Callable[[], Any]) -> bool:
        try:
            call()
        except ClientError as error:
            said = refusal(error)
            if said != ("InsufficientStorage", 507):
                self.wrong.append(f"refused as {said}")
            self.counts["refused"] += 1
            return False
        self.counts["stored"] += 1
        return True

    def _read(self, number: int) -> None:
        key = list(self._house.acknowledged)[number % len(self._house.acknowledged)]
        for call in (
            self._sagemaker.list_training_jobs,
            lambda: self._s3.head_object(Bucket=BUCKET, Key=key),
            lambda: self._s3.list_objects_v2(Bucket=BUCKET, MaxKeys=10),
        ):
            began = time.monotonic()
            call()
            self._seconds.append(time.monotonic() - began)
            self.counts["reads"] += 1


def refusal(error: ClientError) -> tuple[str, int]:
    return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]


def _database() -> list[str]:
    """The database has a disk of its own, without a reserve."""
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as folder,
        _small("size=8m") as disk,
        house(Path(folder) / "home", database_url=f"sqlite:///{disk / 'studio.db'}") as place,
    ):
        sagemaker, wrong = place.client("sagemaker"), []
        sagemaker.create_model(ModelName="before", **MODEL)
        with _hog(disk / "hog"):
            try:
                for number in range(100):
                    sagemaker.create_model(ModelName=f"m{number}", **MODEL)
                wrong.append("a full database stores a hundred models")
            except ClientError as error:
                if refusal(error) != ("InsufficientStorage", 507):
                    wrong.append(f"refused as {refusal(error)}")
            sagemaker.describe_model(ModelName="before")
            place.put("object", b"x")  # has room
            wrong += _told(place, "full")
        sagemaker.create_model(ModelName="after", **MODEL)
        return [*wrong, *_healed(place), *_same(place)]


def _files() -> list[str]:
    """The home's disk takes no more files."""
    with _small("size=64m,nr_inodes=600") as folder, house(folder / "home") as place:
        client = Client(place)
        client.put_until_refused(64)
        wrong = _told(place, "no more files")
        client.go_on(1)
        client.free(100)
        return [*client.wrong, *wrong, *_healed(place), *_same(place), *broken(place)]


def _logs() -> list[str]:
    """The folder of logs is full; a job still runs, and says what it says."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        logs = Path(folder) / "home" / "logs"
        logs.mkdir(parents=True)
        with tmpfs.mounted(logs, "size=64k"), house(logs.parent) as place, _hog(logs / "hog"):
            wrong = _told(place, "logs")
            return [*wrong, *_works(place), *_same(place), *broken(place)]


def _temporary() -> list[str]:
    """The folder of temporary files is full."""
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as folder,
        _small("size=1m") as disk,
        house(Path(folder) / "home", {"TMPDIR": str(disk)}) as place,
    ):
        with _hog(disk / "hog"):
            wrong = [*_told(place, "temporary files"), *_works(place)]
        return [*wrong, *_healed(place), *_same(place), *broken(place)]


_OTHERS = {"database": _database, "files": _files, "logs": _logs, "temporary": _temporary}


@contextlib.contextmanager
def _small(options: str) -> Iterator[Path]:
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as folder,
        tmpfs.mounted(Path(folder) / "disk", options) as disk,
    ):
        yield disk


@contextlib.contextmanager
def _hog(path: Path) -> Iterator[None]:
    """Takes all that is left of a disk, for as long."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 9):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
        try:
            yield
        finally:
            os.ftruncate(file.fileno(), 0)
            path.unlink()


def _told(place: House, word: str) -> list[str]:
    """Health says so by that word."""
    eventually(lambda: any(word in each for each in problems(place)), 60, f"health says {word!r}")
    return []


def _healed(place: House) -> list[str]:
    """Without a restart, and nothing temporary is left."""
    eventually(lambda: not problems(place), 60, "health is well again")
    place.put("again", b"again")
    temporary = place.home / "s3" / "tmp"
    eventually(lambda: not list(temporary.iterdir()), _GONE_SECONDS, "temporary files go")
    return []


def _works(place: House) -> list[str]:
    """What does not need that disk."""
    place.put("meanwhile", b"x")
    place.client("sagemaker").create_model(ModelName="meanwhile", **MODEL)
    place.create_job("meanwhile", *shell("echo ended"))
    found = place.ended("meanwhile")
    if found["TrainingJobStatus"] != "Completed":
        return [f"a job failed: {found.get('FailureReason')}"]
    return []


def _same(place: House) -> list[str]:
    """The process that was started: it has not crashed."""
    return ["the control plane died"] if place.died(0.01) else []


def _trains(place: House, name: str) -> bool:
    return bool(place.describe(name)["SecondaryStatus"] == "Training")
