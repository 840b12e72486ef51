"""The disk under the store fails at one call after another of a PUT, a Complete and a Delete.

The calls are made to fail by a small library that is preloaded (failing_calls.c): those that touch
the store's folder, over all threads.
"""

import errno
import itertools
import json
import mmap
import random
import shutil
import struct
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
from botocore.exceptions import BotoCoreError, ClientError
from chaos.crash_points import compiled
from chaos.house import BUCKET, BrokenPromise, House, eventually, house
from chaos.invariants import broken
from chaos.outcome import Report

_SOURCE = Path(__file__).with_name("failing_calls.c")
_NUMBERS = struct.Struct("6l")
_SYNC, _NAME, _WRITE = range(3)
_OLD = b"old" * 1000
_PART = 5 << 20


@dataclass(frozen=True)
class Fault:
    """`status` of the answer that is allowed beside success; 0: it must not be noticed."""

    name: str
    kind: int
    error: int
    status: int


FAULTS = (
    Fault("sync EIO", _SYNC, errno.EIO, 500),
    Fault("rename ENOSPC", _NAME, errno.ENOSPC, 507),
    Fault("write ENOSPC", _WRITE, errno.ENOSPC, 507),
    Fault("write EIO", _WRITE, errno.EIO, 500),
    Fault("short write", _WRITE, 0, 0),
)


class Failing:
    """`env` makes a process fail when it is told to, below the folder."""

    def __init__(self, folder: Path, below: Path) -> None:
        library, numbers = folder / "failing_calls.so", folder / "failing_calls"
        compiled(_SOURCE, library)
        numbers.write_bytes(bytes(_NUMBERS.size))
        with numbers.open("r+b") as file:
            self._numbers = mmap.mmap(file.fileno(), _NUMBERS.size)
        self.disarm()
        self.env = {
            "LD_PRELOAD": str(library),
            "FAILING_CALLS": str(numbers),
            "FAILING_BELOW": f"{below}/",
        }

    def arm(self, fault: Fault, call: int) -> None:
        _NUMBERS.pack_into(self._numbers, 0, fault.kind, call, fault.error, 0, 0, 0)

    def disarm(self) -> None:
        _NUMBERS.pack_into(self._numbers, 0, -1, 0, 0, 0, 0, 0)

    def passed(self) -> list[int]:
        """How many calls of each kind there were since."""
        return list(_NUMBERS.unpack_from(self._numbers)[3:])


@dataclass(frozen=True)
class Act:
    """`prepare` answers what `do` is called with; `new` is what the key holds then."""

    name: str
    new: bytes | None
    do: Callable[[Any, dict[str, Any]], Any]
    parts: tuple[bytes, ...] = ()

    def prepare(self, home: House) -> dict[str, Any]:
        s3, to = home.client("s3"), {"Bucket": BUCKET, "Key": self.name}
        s3.put_object(**to, Body=_OLD)
        if not self.parts:
            return to
        to["UploadId"] = s3.create_multipart_upload(**to)["UploadId"]
        made = []
        for number, body in enumerate(self.parts, 1):
            tag = s3.upload_part(**to, PartNumber=number, Body=body)["ETag"]
            made.append({"PartNumber": number, "ETag": tag})
        return {**to, "MultipartUpload": {"Parts": made}}


def _acts(seed: int) -> list[Act]:
    body = random.Random(seed).randbytes(3 << 20)
    parts = (bytes(_PART), body)
    return [
        Act("put", body, lambda s3, to: s3.put_object(**to, Body=body)),
        Act("delete", None, lambda s3, to: s3.delete_object(**to)),
        *(
            Act(
                f"complete-{len(some)}",
                b"".join(some),
                lambda s3, to: s3.complete_multipart_upload(**to),
                some,
            )
            for some in (parts[:1], parts)
        ),
    ]


def swept(repeats: int, seed: int) -> Report:
    """Every fault at every call of every act, or `repeats` of them."""
    name, promise = "F16 the disk fails", "500 or 507, the old object stays; no sync tried again"
    if not shutil.which("gcc"):
        return Report(name, promise, 0, seed, skipped="needs gcc")
    acts = _acts(seed)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        failing = Failing(Path(folder), Path(folder) / "home" / "s3")
        with house(Path(folder) / "home", failing.env) as home:
            all_ = [
                (act, fault, call)
                for act, made in [(act, _calls(home, failing, act)) for act in acts]
                for fault in FAULTS
                for call in range(1, made[fault.kind] + 1)
            ]
            cases = _chosen(all_, repeats, seed)
            trial = Trial(home, failing)
            for case in cases:
                trial.run(*case)
            home.kill()
            home.start(**failing.env)
            wrong = trial.wrong + broken(home) + unnamed(home.home)
    figures = {"calls": str(len(all_)), **{name: str(n) for name, n in trial.answers.items()}}
    return Report(name, promise, len(cases), seed, figures, tuple(wrong))


Case = tuple[Act, Fault, int]


def _chosen(cases: list[Case], repeats: int, seed: int) -> list[Case]:
    """At random, and of each fault as many as there can be."""
    mixed = random.Random(seed).sample(cases, len(cases))
    faults = [[case for case in mixed if case[1] is fault] for fault in FAULTS]
    turns = itertools.zip_longest(*faults)
    return [case for turn in turns for case in turn if case is not None][:repeats]


class Trial:
    """Counts the `answers`: how often each status."""

    def __init__(self, home: House, failing: Failing) -> None:
        self._home, self._failing = home, failing
        self.answers: dict[str, int] = {}
        self.wrong: list[str] = []

    def run(self, act: Act, fault: Fault, call: int) -> None:
        try:
            self._run(act, fault, call)
        except (BrokenPromise, ClientError, BotoCoreError) as error:
            said = f"{act.name}, {fault.name} at call {call}: {error}"
            self.wrong.append(said)
            self._restart()

    def _run(self, act: Act, fault: Fault, call: int) -> None:
        to = act.prepare(self._home)
        self._failing.arm(fault, call)
        status = _status(lambda: act.do(self._home.client("s3"), to))
        struck = self._failing.passed()[fault.kind] >= call
        self._failing.disarm()
        self.answers[str(status)] = self.answers.get(str(status), 0) + 1
        if status not in (200, 204, fault.status):
            raise BrokenPromise(f"answered {status}")
        done = status in (200, 204)
        if self._body(act) != (act.new if done else _OLD):
            raise BrokenPromise(f"answered {status}, and the object is another")
        if struck and fault.kind == _SYNC:
            self._stays_broken(act, done)
        elif not done and fault.error == errno.ENOSPC:
            _must(lambda: act.do(self._home.client("s3"), to), "a second attempt")
        if list((self._home.home / "s3" / "tmp").iterdir()):
            raise BrokenPromise("a temporary file is left")
        if not done and fault.error == errno.EIO:
            self._restart()
            if self._body(act) not in (_OLD, act.new):
                raise BrokenPromise("after a restart neither the old nor the new object")

    def _stays_broken(self, act: Act, done: bool) -> None:
        """After a failed sync nothing more is stored, and health says so."""
        if done:
            raise BrokenPromise("acknowledged though a sync failed")
        s3 = self._home.client("s3")
        again = _status(lambda: s3.put_object(Bucket=BUCKET, Key="other", Body=b"x"))
        if again != 500:
            raise BrokenPromise(f"the next write was answered {again}")
        told = eventually(lambda: problems(self._home), 30, "health tells of the failed sync")
        if not any("fsync" in each or "disk" in each.lower() for each in told):
            raise BrokenPromise(f"health says {told}")
        if self._body(act) != _OLD:
            raise BrokenPromise("the old object is not there any more")

    def _restart(self) -> None:
        self._failing.disarm()
        self._home.kill()
        self._home.start(**self._failing.env)

    def _body(self, act: Act) -> bytes | None:
        try:
            return self._home.get(act.name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            return None


def problems(home: House) -> list[str]:
    """What health tells."""
    with urllib.request.urlopen(f"{home.url}/_studio/health", timeout=20) as answer:
        return list(json.load(answer).get("problems", []))


def unnamed(home: Path) -> list[str]:
    """Files of the store that its index does not name, and names without a file."""
    connection = apsw.Connection(str(home / "s3" / "index.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        tables = ("object", "version", "part")
        rows = [row for it in tables for row in connection.execute(f"SELECT blob FROM {it}")]
    finally:
        connection.close()
    named = {name for (name,) in rows if name}
    files = {path.name for path in (home / "s3" / "blobs").rglob("*") if path.is_file()}
    temporary = [path.name for path in (home / "s3" / "tmp").iterdir()]
    return [
        *(f"file {name} has no object" for name in files - named),
        *(f"blob {name} has no file" for name in named - files),
        *(f"temporary file {name} is left" for name in temporary),
    ]


def _calls(home: House, failing: Failing, act: Act) -> list[int]:
    """What an unharmed pass makes of each kind."""
    to = act.prepare(home)
    failing.disarm()
    act.do(home.client("s3"), to)
    return failing.passed()


def _status(call: Callable[[], Any]) -> int:
    try:
        return int(call()["ResponseMetadata"]["HTTPStatusCode"])
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def _must(call: Callable[[], Any], what: str) -> None:
    if (status := _status(call)) not in (200, 204):
        raise BrokenPromise(f"{what} was answered {status}")
