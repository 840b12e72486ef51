"""Uploads of many parts whose control plane is killed between and within the steps."""

import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import apsw
from botocore.exceptions import ClientError
from chaos.house import BUCKET, BrokenPromise, House, eventually, house, patiently
from chaos.invariants import broken
from chaos.outcome import Report
from chaos.store_errors import unnamed

_PART = 5 << 20
_KILLED = 0.06  # of the steps
_RACES = 40
_CODES = {"", "NoSuchUpload", "InvalidPart"}
_LONG_AGO = 8 * 86_400_000
_JANITOR_SECONDS = 180.0


def survived(repeats: int, seed: int, expire: bool = True) -> Report:
    """An upload of `repeats` parts, killed at some of the steps and at its end; one that is
    aborted; races of both; with `expire` also one that is forgotten."""
    trial = Trial(seed, repeats)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, house(Path(folder)) as home:
        before = _used(home)
        wrong = [
            *trial.tried(home, trial.complete),
            *trial.tried(home, trial.abort),
            *trial.tried(home, trial.race),
            *(trial.tried(home, trial.expire) if expire else ()),
        ]
        trial.strike(home, 0)
        wrong += broken(home) + unnamed(home.home)
        if (after := _used(home)) != before:
            wrong.append(f"{after - before} bytes more than before on the disk")
    figures = {"kills": str(trial.kills), **{k: str(v) for k, v in trial.won.items()}}
    figures["forgotten after"] = f"{trial.forgotten:.0f} s" if expire else "not tried"
    return Report(
        "F19 uploads in parts",
        "complete or not begun, the same answer again; nothing stays of what is aborted",
        repeats,
        seed,
        figures,
        tuple(wrong),
    )


class Trial:
    """Counts the `kills`, and who `won` the races."""

    def __init__(self, seed: int, parts: int) -> None:
        self._chance, self._parts = random.Random(seed), parts
        self._bytes = self._chance.randbytes(_PART + parts)
        self.kills = 0
        self.won = {"complete won": 0, "abort won": 0}
        self.forgotten = 0.0

    def tried(self, home: House, what: Callable[[House], None]) -> list[str]:
        try:
            what(home)
        except (BrokenPromise, ClientError) as error:
            return [f"{what.__name__}: {error}"]
        return []

    def complete(self, home: House) -> None:
        s3, to = home.client("s3"), {"Bucket": BUCKET, "Key": "large"}
        upload, made = self._uploaded(home, to, _PART)
        whole = {**to, "UploadId": upload, "MultipartUpload": {"Parts": made}}
        tags = set()
        kills, length = 1 + self._parts // 300, self._parts / 100  # about; in seconds
        for delay in (*(length * self._chance.random() for _ in range(kills)), None, None):
            tags.add(self._step(home, lambda: s3.complete_multipart_upload(**whole), delay)["ETag"])
        if len(tags) != 1:
            raise BrokenPromise(f"completed as {tags}")
        expected = self._bodies(_PART)
        body = s3.get_object(**to)["Body"]
        for number, part in enumerate(expected, 1):
            if body.read(len(part)) != part:
                raise BrokenPromise(f"part {number} is not what was uploaded")
        if body.read(1):
            raise BrokenPromise("more than was uploaded")
        patiently(lambda: s3.delete_object(**to))

    def abort(self, home: House) -> None:
        s3, to = home.client("s3"), {"Bucket": BUCKET, "Key": "aborted"}
        upload, _ = self._uploaded(home, to, 1000)
        try:
            self._step(home, lambda: s3.abort_multipart_upload(**to, UploadId=upload), 0.005)
        except ClientError as error:  # the one before was carried out, and not answered
            if error.response["Error"]["Code"] != "NoSuchUpload":
                raise
        _gone(home, to, upload)

    def race(self, home: House) -> None:
        """Complete and Abort at the same moment: one of both wins."""
        s3 = home.client("s3")
        for number in range(min(_RACES, self._parts)):
            to = {"Bucket": BUCKET, "Key": f"race-{number}"}
            upload = s3.create_multipart_upload(**to)["UploadId"]
            tag = s3.upload_part(**to, UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
            whole = {**to, "UploadId": upload}
            made = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
            later = self._chance.uniform(0, 0.03)
            complete, abort = _at_once(
                partial(s3.complete_multipart_upload, **whole, MultipartUpload=made),
                partial(_after, later, s3.abort_multipart_upload, **whole),
            )
            codes = {complete, abort}
            if (complete == "") == (abort == "") or not codes <= _CODES:
                raise BrokenPromise(f"complete: {complete or 'done'}, abort: {abort or 'done'}")
            self.won["abort won" if complete else "complete won"] += 1
            if _exists(home, to) != (complete == ""):
                raise BrokenPromise("the object is not as the winner says")
            s3.delete_object(**to)

    def expire(self, home: House) -> None:
        """An upload that nobody has touched for a week: the control plane forgets it by itself."""
        s3, to = home.client("s3"), {"Bucket": BUCKET, "Key": "forgotten"}
        upload = s3.create_multipart_upload(**to)["UploadId"]
        s3.upload_part(**to, UploadId=upload, PartNumber=1, Body=b"x")
        home.kill()
        connection = apsw.Connection(str(home.home / "s3" / "index.db"))
        connection.execute("UPDATE upload SET created = created - ?", (_LONG_AGO,))
        connection.execute("UPDATE part SET modified = modified - ?", (_LONG_AGO,))
        connection.close()
        home.start()
        began = time.monotonic()
        eventually(
            lambda: "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET),
            _JANITOR_SECONDS,
            "the old upload goes",
        )
        self.forgotten = time.monotonic() - began
        _gone(home, to, upload)

    def strike(self, home: House, seconds: float) -> None:
        time.sleep(seconds)
        home.kill()
        self.kills += 1
        home.start()

    def _uploaded(
        self, home: House, to: dict[str, Any], size: int
    ) -> tuple[str, list[dict[str, Any]]]:
        s3 = home.client("s3")
        upload = self._step(home, lambda: s3.create_multipart_upload(**to), None)["UploadId"]
        made = []
        for number, body in enumerate(self._bodies(size), 1):
            part = {**to, "UploadId": upload, "PartNumber": number, "Body": body}
            struck = self._chance.random() < _KILLED
            delay = self._chance.choice([0, 0.005, 0.02, 0.05]) if struck else None
            answer = self._step(home, lambda part=part: s3.upload_part(**part), delay)
            made.append({"PartNumber": number, "ETag": answer["ETag"]})
        return upload, made

    def _step(self, home: House, step: Callable[[], Any], delay: float | None) -> Any:
        """`step` until somebody answers; the control plane dies so long after it began."""
        if delay is None:
            return patiently(step)
        killer = threading.Thread(target=self.strike, args=(home, delay))
        killer.start()
        try:
            return patiently(step)
        finally:
            killer.join()

    def _bodies(self, size: int) -> Iterator[bytes]:
        """All parts; each is another one."""
        for number in range(self._parts):
            last = number == self._parts - 1
            yield self._bytes[number : number + (min(size, 1000) if last else size)]


def _after(seconds: float, call: Callable[..., Any], **request: Any) -> Any:
    time.sleep(seconds)
    return call(**request)


def _at_once(*calls: Callable[[], Any]) -> list[str]:
    """The code of the error of each; empty where it was carried out."""
    barrier = threading.Barrier(len(calls))

    def one(call: Callable[[], Any]) -> str:
        barrier.wait()
        try:
            call()
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def _gone(home: House, to: dict[str, Any], upload: str) -> None:
    try:
        home.client("s3").list_parts(**to, UploadId=upload)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchUpload":
            return
        raise
    raise BrokenPromise("the upload is still there")


def _exists(home: House, to: dict[str, Any]) -> bool:
    try:
        home.client("s3").head_object(**to)
    except ClientError:
        return False
    return True


def _used(home: House) -> int:
    """Bytes on the disk of the contents of all objects and uploads."""
    folders = (home.home / "s3" / "blobs", home.home / "s3" / "tmp")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return sum(path.stat().st_blocks * 512 for path in files)
