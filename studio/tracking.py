"""Tell Studio of a training run: parameters, metrics, artifacts. For training scripts.

    from studio import tracking

    with tracking.start(experiment="churn", parameters={"depth": 6}) as run:
        for step in range(1000):
            run.log_metric("loss", loss, step)

What is told is written to a file of this machine at once and sent in the background: a call takes
microseconds, never raises because of the server, and is not lost when the program is killed. Inside
a job of Studio, `load()` or `log_metric` alone speaks for the job's own trial component.
"""

import atexit
import binascii
import json
import os
import re
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from studio.client import aws, spool, warn
from studio.client.sender import Sender, Sweep

_FLUSH_SECONDS = 30.0
_NAME = re.compile(r"[^a-zA-Z0-9]+")
_LONGEST_NAME, _LONGEST_VALUE, _LONGEST_MESSAGE = 120, 2500, 1024
_LONGEST_METRIC, _LONGEST_PARAMETER, _LONGEST_TITLE = 10_000, 320, 256
_MOST_PARAMETERS = 300
"""That AWS takes at once."""
_METRICS_FOLDER = "SAGEMAKER_METRICS_DIRECTORY"

_current: "Run | None" = None
_lock = threading.Lock()
_swept = False


class Run:
    """A trial component that this program speaks for; made by `start` and `load`.

    For several threads. A process that is forked off may log metrics too.
    """

    def __init__(self, component: str, arn: str = "") -> None:
        self.name = component
        """Of the trial component; "" for that of the job that the program runs in."""
        head = {"Component": component, "SourceArn": arn, "Url": aws.url()}
        self._spool = spool.Spool(head)
        self._sender = Sender(self._spool.path)
        self._metrics = _job_metrics() if arn else None
        self._names: dict[str, str] = {}
        self._full = False
        self._looked = 0.0
        self._ended = False
        self._closes_with: str | None = None

    def log_metric(self, name: str, value: Any, step: int | None = None) -> None:
        """A value of a metric now, at `step` of the training if it has steps."""
        try:
            number = float(value)
            known = self._names.get(name) or self._known(name)
            text = repr(number) if number - number == 0.0 else _special(number)
            tail = "}\n" if step is None else f', "IterationNumber": {int(step)}}}\n'
            line = f'{known}"Value": {text}, "Timestamp": {time.time():.3f}{tail}'.encode()
        except (TypeError, ValueError) as error:
            warn("metric %.80r is not logged: %s", name, error)
            return
        if self._metrics is not None:
            os.write(self._metrics, line)
        else:
            self._append(line)

    def log_metrics(self, values: Mapping[str, Any], step: int | None = None) -> None:
        """Values of several metrics at one step."""
        for name, value in values.items():
            self.log_metric(name, value, step)

    def log_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Numbers stay numbers, everything else is told as its text."""
        told = [(_told(name), _parameter(value)) for name, value in parameters.items()]
        long = [name for name, _ in told if len(name) > _LONGEST_PARAMETER]
        for name in long:
            warn("parameter %.80r... is not logged: its name is too long", name)
        fit = [it for it in told if it[0] not in long]
        for first in range(0, len(fit), _MOST_PARAMETERS):
            some = dict(fit[first : first + _MOST_PARAMETERS])
            self._tell("UpdateTrialComponent", {"Parameters": some})

    def log_artifact(self, path: str | Path, name: str = "", step: int | None = None) -> None:
        """Keep a file as it is now, in S3, as an output of the run. With a `step` it is one of
        several of the same name."""
        import mimetypes
        import shutil

        path = Path(path)
        name = name or path.name
        copy = self._spool.path.with_name(f"{self._spool.path.stem}-{time.time_ns():x}.artifact")
        try:
            shutil.copyfile(path, copy)
        except OSError as error:
            warn("artifact %s is not logged: %s", path, error)
            return
        told = name if step is None else f"{name}/{step}"
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        place = f"{told}/{path.name}" if told != path.name else path.name
        request = {"Copy": str(copy), "Key": place, "Name": told[:128], "MediaType": kind}
        self._tell("Upload", request)

    def set_status(self, status: str, message: str = "") -> None:
        """`InProgress`, `Completed`, `Failed`, `Stopping` or `Stopped`, and a word why."""
        why = {"Message": _told(message)[:_LONGEST_MESSAGE]} if message else {}
        described = {"PrimaryStatus": status, **why}
        ends = {"EndTime": time.time()} if status in ("Completed", "Failed", "Stopped") else {}
        self._tell("UpdateTrialComponent", {"Status": described, **ends})

    def flush(self, seconds: float = _FLUSH_SECONDS) -> bool:
        """Wait until everything is in Studio; False when it is not by then."""
        return self._sender.flush(seconds)

    def finish(self, status: str = "Completed", message: str = "") -> None:
        """The run has ended. What cannot be sent now is sent by the next program that tells of a
        run on this machine."""
        if self._ended:
            return
        self._ended = True
        if self._closes_with is not None:
            self.set_status(status, message)
        if self._sender.close(_FLUSH_SECONDS):
            self._spool.close()
        else:  # it stays locked, for it may be heard yet, until this program has ended
            warn("%s is not all sent yet: the next run on this machine does it", self.name)
        if self._metrics is not None:
            os.close(self._metrics)

    def __enter__(self) -> "Run":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.finish()
        elif kind is KeyboardInterrupt:
            self.finish("Stopped")
        else:
            self.finish("Failed", f"{type(error).__name__}: {error}")

    def _begin(self, experiment: str, display: str) -> None:
        """Make everything that is not there yet."""
        self._closes_with = "Completed"
        tag = {"Key": "sagemaker:trial-component-source", "Value": "run"}
        if experiment:
            trial = _plain(f"Default-Run-Group-{experiment}")
            self._tell("CreateExperiment", {"ExperimentName": experiment})
            self._tell("CreateTrial", {"TrialName": trial, "ExperimentName": experiment})
        now, plain = time.time(), _plain(display)
        component = {
            "TrialComponentName": self.name,
            "DisplayName": plain,
            "StartTime": now,
            "Status": {"PrimaryStatus": "InProgress"},
            "Tags": [tag],
        }
        self._tell("CreateTrialComponent", component)
        if display != plain:
            shown = {"Names": [self.name], "DisplayName": _told(display)[:_LONGEST_TITLE]}
            self._tell("UpdateTrialComponents", shown, "studio")
        if experiment:
            place = {"TrialName": trial, "TrialComponentName": self.name}
            self._tell("AssociateTrialComponent", place)

    def _tell(self, operation: str, request: dict[str, Any], service: str = "sagemaker") -> None:
        said = {"Operation": operation, "Service": service, "Request": request}
        line = json.dumps(said)
        self._append(line.encode() + b"\n")

    def _append(self, line: bytes) -> None:
        now = time.monotonic()
        if now > self._looked + 1.0:
            self._looked = now
            full = self._sender.left > spool.MOST_BYTES
            if full and not self._full:
                warn("Studio has not answered for long: what is logged now is lost")
            self._full = full
        if self._full:
            return
        try:
            self._spool.append(line)
        except OSError as error:
            self._full = True
            warn("nothing more can be logged for now: %s", error)

    def _known(self, name: str) -> str:
        """The beginning of the lines of a metric. Raises ValueError for what no metric is called:
        Studio would refuse it, and with it what is told at once."""
        if not 0 < len(str(name)) <= _LONGEST_METRIC:
            raise ValueError(f"a name has 1 to {_LONGEST_METRIC:,} characters")
        str(name).encode()  # raises ValueError for half a character
        begin = f'{{"MetricName": {json.dumps(str(name))}, '
        self._names[name] = begin
        return begin


def start(experiment: str = "", name: str = "", parameters: Mapping[str, Any] | None = None) -> Run:
    """Begin a run, part of an experiment if one is named; both are made if need be.

    Its trial component is called `EXPERIMENT-NAME`, as the SageMaker SDK's `Run` calls it. The
    functions of this module speak for the run that was begun last.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S")
    display = name if _plain(name) else f"run-{stamp}-{os.urandom(2).hex()}"
    run = Run(_plain(f"{experiment}-{display}" if experiment else display))
    run._begin(_plain(experiment), display)
    if parameters:
        run.log_parameters(parameters)
    return _make_current(run)


def load(name: str = "") -> Run:
    """Speak for a trial component that exists, or for that of the job that this runs in."""
    arn = "" if name else os.environ.get("TRAINING_JOB_ARN", "")
    if not name and not arn:
        raise ValueError("Name the trial component: this program does not run in a job.")
    return _make_current(Run(name, arn))


def log_metric(name: str, value: Any, step: int | None = None) -> None:
    """Of the run that was begun last, or of the job that this runs in."""
    run = _current or _of_the_job()
    if run is not None:
        run.log_metric(name, value, step)


def log_parameters(parameters: Mapping[str, Any]) -> None:
    """Of the run that was begun last, or of the job that this runs in."""
    run = _current or _of_the_job()
    if run is not None:
        run.log_parameters(parameters)


def log_artifact(path: str | Path, name: str = "", step: int | None = None) -> None:
    """Of the run that was begun last, or of the job that this runs in."""
    run = _current or _of_the_job()
    if run is not None:
        run.log_artifact(path, name, step)


def _of_the_job() -> Run | None:
    with _lock:
        if _current is not None:
            return _current
        if os.environ.get("TRAINING_JOB_ARN"):
            return load()
    warn("no run has begun: call studio.tracking.start() first")
    return None


def _make_current(run: Run) -> Run:
    global _current, _swept  # noqa: PLW0603
    _current = run
    if not _swept:
        _swept = True
        Sweep()
        atexit.register(_finish)
    return run


def _finish() -> None:
    """At the end of the program, unless it has finished its run itself."""
    error = getattr(sys, "last_value", None)
    if _current is not None and _owner == os.getpid():
        if error is None:
            _current.finish()
        else:
            _current.finish("Failed", f"{type(error).__name__}: {error}")


_owner = os.getpid()


def _job_metrics() -> int | None:
    """Where the runner of the job looks for metrics, opened; None when it says no place."""
    folder = os.environ.get(_METRICS_FOLDER)
    if not folder:
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = Path(folder) / f"{os.getpid()}.json"
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def _plain(name: str) -> str:
    """As AWS allows names: letters, digits and single hyphens. Where more than signs are lost, a
    checksum of all of it tells it from others."""
    plain = _NAME.sub("-", name).strip("-")
    lost = any(it.isalnum() and not it.isascii() for it in name)
    if not lost and len(plain) <= _LONGEST_NAME:
        return plain
    mark = f"{binascii.crc32(_told(name).encode()):08x}"
    return f"{plain[: _LONGEST_NAME - 9].rstrip('-')}-{mark}".lstrip("-")


def _told(text: object) -> str:
    """As AWS takes it: in one line, of whole characters."""
    line = str(text).replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return line.encode(errors="replace").decode()


def _special(number: float) -> str:
    return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"


def _parameter(value: Any) -> dict[str, Any]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        if number - number == 0.0:
            return {"NumberValue": number}
    return {"StringValue": _told(value)[:_LONGEST_VALUE]}
