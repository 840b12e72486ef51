"""A process is killed at each call that others could see the effect of, one after another.

The calls are counted by a small library that is preloaded (crash_points.c): over all threads,
which strace cannot do, because it counts for each thread anew.
"""

import mmap
import random
import shutil
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from chaos.house import BUCKET, BrokenPromise, House, house, patiently, shell
from chaos.invariants import broken
from chaos.outcome import Report

_SOURCE = Path(__file__).with_suffix(".c")
_NUMBERS = struct.Struct("ll")


class Calls:
    """Of the processes that share the file `numbers`: `arm(n)` lets one die at their n-th from
    now on."""

    def __init__(self, numbers: Path) -> None:
        with numbers.open("r+b") as file:
            self._numbers = mmap.mmap(file.fileno(), _NUMBERS.size)

    def arm(self, call: int) -> None:
        _NUMBERS.pack_into(self._numbers, 0, call, 0)

    def passed(self) -> int:
        """How many calls there were since it was armed."""
        return int(_NUMBERS.unpack_from(self._numbers)[1])


class Points(Calls):
    """`env` makes a process count."""

    def __init__(self, folder: Path) -> None:
        library, numbers = folder / "crash_points.so", folder / "crash_points"
        compiled(_SOURCE, library)
        numbers.write_bytes(bytes(_NUMBERS.size))
        super().__init__(numbers)
        self.env = {"LD_PRELOAD": str(library), "CRASH_POINTS": str(numbers)}


def compiled(source: Path, library: Path) -> None:
    """Something to be preloaded."""
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)


class Revived(threading.Thread):
    """Starts the control plane again, unharmed, whenever it has died; counts its `deaths`."""

    def __init__(self, home: House, points: Points) -> None:
        super().__init__(name="revive")
        self._home, self._points, self._over = home, points, threading.Event()
        self.deaths = 0

    def __enter__(self) -> "Revived":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.is_set():
            if self._home.died(0.02):
                self.deaths += 1
                self._points.arm(0)
                self._home.start(**self._points.env)


Act = Callable[[House, str], None]
"""Does one thing, under a name, and raises when it was not done as promised."""


def chosen(calls: int, repeats: int, seed: int) -> list[int]:
    """`repeats` of the calls 1, 2, 3 ..., or all."""
    return sorted(random.Random(seed).sample(range(1, calls + 1), min(repeats, calls)))


def sweep(repeats: int, seed: int, act: Act) -> tuple[int, int, list[str]]:
    """`act` with a death at call 1, 2, 3 ... of all calls that an unharmed pass makes, or at
    `repeats` of them. (calls, deaths, what broke)"""
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        points = Points(Path(folder))
        with house(Path(folder) / "home", points.env) as home:
            points.arm(10**9)
            act(home, "unharmed")
            calls = points.passed()
            with Revived(home, points) as revived:
                for call in chosen(calls, repeats, seed):
                    points.arm(call)
                    wrong += _tried(lambda call=call: act(home, f"call-{call}"))
                    points.arm(0)
                    wrong += _tried(lambda: _whole(home))
            return calls, revived.deaths, wrong


def create_job(repeats: int, seed: int) -> Report:
    """One CreateTrainingJob, repeated while nobody answers, and all that comes of it."""

    def act(home: House, name: str) -> None:
        home.create_job(name, *shell("echo ended"))
        found = home.ended(name)
        if found["TrainingJobStatus"] != "Completed":
            raise BrokenPromise(f"{name}: {found.get('FailureReason')}")
        if (said := home.lines(name)) != ["started", "ended"]:
            raise BrokenPromise(f"{name} said {said}")

    return _report("F2 killed at each call: a job", "one job, one start", repeats, seed, act)


def put_object(repeats: int, seed: int) -> Report:
    """A small object and one of 8 MiB take the place of others."""
    chance = random.Random(seed)

    def act(home: House, name: str) -> None:
        for size in (1000, 8 * 2**20):
            _replace(home, f"put-{size}", chance.randbytes(size))

    promise = "the old object or the new; the new once acknowledged"
    return _report("F2 killed at each call: PutObject", promise, repeats, seed, act)


def complete_upload(repeats: int, seed: int) -> Report:
    """CompleteMultipartUpload, repeated until somebody answers."""
    chance = random.Random(seed)

    def act(home: House, name: str) -> None:
        s3 = home.client("s3")
        to = {"Bucket": BUCKET, "Key": name}
        parts = [chance.randbytes(5 * 2**20), chance.randbytes(1000)]
        upload = patiently(lambda: s3.create_multipart_upload(**to))["UploadId"]
        made = []
        for number, body in enumerate(parts, 1):
            part = {**to, "UploadId": upload, "PartNumber": number, "Body": body}
            tag = patiently(lambda part=part: s3.upload_part(**part))["ETag"]
            made.append({"PartNumber": number, "ETag": tag})
        whole = {**to, "UploadId": upload, "MultipartUpload": {"Parts": made}}
        tags = {patiently(lambda: s3.complete_multipart_upload(**whole))["ETag"] for _ in range(2)}
        if len(tags) != 1:
            raise BrokenPromise(f"{name}: completed twice, as {tags}")
        if _body(home, name) != b"".join(parts):
            raise BrokenPromise(f"{name}: not what was uploaded")
        patiently(lambda: s3.delete_object(**to))

    promise = "complete or not begun; repeated, the same answer"
    return _report("F2 killed at each call: multipart", promise, repeats, seed, act)


def _report(name: str, promise: str, repeats: int, seed: int, act: Act) -> Report:
    if not shutil.which("gcc"):
        return Report(name, promise, 0, seed, skipped="needs gcc")
    calls, deaths, wrong = sweep(repeats, seed, act)
    figures = {"calls": str(calls), "deaths": str(deaths)}
    return Report(name, promise, min(repeats, calls), seed, figures, tuple(wrong))


def _tried(what: Callable[[], None]) -> list[str]:
    try:
        what()
    except (BrokenPromise, ClientError, BotoCoreError) as error:
        return [f"{type(error).__name__}: {error}"]
    return []


def _whole(home: House) -> None:
    if wrong := broken(home):
        raise BrokenPromise("; ".join(wrong))


def _replace(home: House, key: str, body: bytes) -> None:
    """One attempt; then what is there is the old object or the new."""
    old = home.acknowledged.pop(key, None)
    try:
        home.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        allowed = [body]
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError):
            raise
        allowed = [body, old]
    found = _body(home, key)
    if found not in allowed:
        raise BrokenPromise(f"{key}: neither the old nor the new object")
    home.put(key, body)


def _body(home: House, key: str) -> bytes | None:
    try:
        return home.get(key)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None
