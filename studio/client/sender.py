"""Sends what spools hold, in order, on a thread of its own; each thing is told once.

Nobody waits for it but `flush`. While the server is away it tries again, ever more seldom.
"""

import binascii
import json
import os
import sys
import threading
import time
from array import array
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from studio.client import aws, spool, warn
from studio.client.aws import Refused
from studio.client.spool import Reader

_LOOK_SECONDS = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_MOST_POINTS = 50_000
_NO_STEP = -(2**63)


class Sender:
    """Sends the spool at `path` until `close`."""

    def __init__(self, path: Path) -> None:
        self._reader = Reader(path)
        self._closing = threading.Event()
        self._away = False
        self._denied: set[str] = set()
        self._component = str(self._reader.head.get("Component", ""))
        self._thread = threading.Thread(target=self._run, name="studio-sender", daemon=True)
        self._thread.start()

    @property
    def left(self) -> int:
        """Bytes that are not sent."""
        return self._reader.left if self._thread.is_alive() else 0

    def flush(self, seconds: float) -> bool:
        """Wait until all is sent; False when it is not by then."""
        end = time.monotonic() + seconds
        while self.left:
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def close(self, seconds: float) -> bool:
        """Send what is left, then end; whether all was sent. A server that is away is not waited
        for that long."""
        self._closing.set()
        end = time.monotonic() + seconds
        while self._thread.is_alive() and time.monotonic() < end:
            self._thread.join(0.05)
            if self._away and time.monotonic() > end - seconds + 2.0:
                break
        return not self._thread.is_alive()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                if self._step():
                    pause = _FIRST_PAUSE
                    self._away = False
                    continue
                if self._closing.is_set():
                    self._reader.close(remove=True)
                    return
                self._closing.wait(_LOOK_SECONDS)
            except Exception as error:
                if not self._away:
                    warn("Studio is not told for now: %s", error)
                self._away = True
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _step(self) -> bool:
        """Send the next thing; False when there is none. Raises Refused and OSError."""
        reader = self._reader
        points: list[tuple[str, float, int, int]] = []
        end = reader.position
        for line in reader.lines():
            said = _parsed(line)
            if "Operation" in said:
                if not points:
                    self._unless_denied(said["Operation"], partial(self._carry_out, said))
                    reader.moved(end + len(line))
                    return True
                break
            end += len(line)
            if "MetricName" in said:
                points.append(_point(said))
            if len(points) >= _MOST_POINTS:
                break
        if end == reader.position:
            return False
        reader.promise(end)
        if points:
            put = partial(self._put, points, end)
            self._unless_denied("PutTrialComponentMetrics", put)
        reader.moved(end)
        return True

    def _unless_denied(self, operation: str, tell: Callable[[], None]) -> None:
        """What no policy allows is left, and the program is told so once; what comes behind it may
        be allowed."""
        try:
            tell()
        except Refused as error:
            if not error.denied:
                raise
            if operation not in self._denied:
                warn("Studio is not told by %s, now or later: %s", operation, error)
            self._denied.add(operation)

    def _put(self, points: list[tuple[str, float, int, int]], end: int) -> None:
        series: dict[str, tuple[Any, Any, Any]] = {}
        for name, value, at, step in points:
            if name not in series:
                series[name] = (array("q"), array("q"), array("d"))
            steps, times, values = series[name]
            steps.append(step)
            times.append(at)
            values.append(value)
        request = {
            "TrialComponentName": self._named(),
            "Series": [_described(name, *columns) for name, columns in series.items()],
            "Source": self._reader.path.stem,
            "Position": end,
        }
        _tell("studio", "PutTrialComponentMetrics", request)

    def _named(self) -> str:
        """The component that the spool is of; that of a job is known by the job's ARN."""
        if not self._component:
            arn = self._reader.head["SourceArn"]
            found = aws.call("sagemaker", "ListTrialComponents", {"SourceArn": arn})
            summaries = found["TrialComponentSummaries"]
            if not summaries:
                raise OSError(f"there is no trial component of {arn} yet")
            self._component = summaries[0]["TrialComponentName"]
        return self._component

    def _carry_out(self, said: dict[str, Any]) -> None:
        request = said.get("Request", {})
        if said["Operation"] == "Upload":
            _upload(self._named(), request)
            return
        if said["Operation"] == "UpdateTrialComponent":
            request["TrialComponentName"] = self._named()
        _tell(said.get("Service", "sagemaker"), said["Operation"], request)


class Sweep:
    """Sends what programs left behind that ended before they could: all of it that is for here."""

    def __init__(self) -> None:
        threading.Thread(target=self._run, name="studio-sweep", daemon=True).start()

    def _run(self) -> None:
        for path, fd in spool.left_behind():
            try:
                if Reader(path).head.get("Url") == aws.url():
                    Sender(path).close(600.0)
            except (OSError, ValueError):
                pass
            finally:
                os.close(fd)


def _tell(service: str, operation: str, request: dict[str, Any]) -> None:
    """What can never be heard is said to the program, and left."""
    try:
        aws.call(service, operation, request)
    except Refused as error:
        if error.status >= 500 or error.status in (403, 408, 429):
            raise
        if not operation.startswith("Create") or "exist" not in str(error):
            warn("Studio refused %s: %s", operation, error)


def _upload(component: str, request: dict[str, Any]) -> None:
    copy = Path(request["Copy"])
    try:
        body = copy.read_bytes()
    except FileNotFoundError:
        return  # it was sent
    try:
        _put_artifact(component, request, body)
    except Refused as error:
        if error.denied:
            copy.unlink(missing_ok=True)
        raise
    copy.unlink(missing_ok=True)


def _put_artifact(component: str, request: dict[str, Any], body: bytes) -> None:
    bucket = aws.call("studio", "DescribeDefaults", {})["Bucket"]
    key = f"experiments/{component}/{request['Key']}"
    aws.upload(bucket, key, body)
    artifact = {"Value": f"s3://{bucket}/{key}", "MediaType": request["MediaType"]}
    update = {"TrialComponentName": component, "OutputArtifacts": {request["Name"]: artifact}}
    _tell("sagemaker", "UpdateTrialComponent", update)


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        return {}  # cut by a full disk
    return said if isinstance(said, dict) else {}


def _point(said: dict[str, Any]) -> tuple[str, float, int, int]:
    step = said.get("IterationNumber")
    at = round(said["Timestamp"] * 1000)
    return said["MetricName"], said["Value"], at, _NO_STEP if step is None else step


def _described(name: str, steps: Any, times: Any, values: Any) -> dict[str, Any]:
    document = {"MetricName": name, "Timestamps": _packed(times), "Values": _packed(values)}
    if any(step != _NO_STEP for step in steps):
        document["Steps"] = _packed(steps)
    return document


def _packed(column: Any) -> str:
    if sys.byteorder == "big":
        column.byteswap()
    return binascii.b2a_base64(column.tobytes(), newline=False).decode()
