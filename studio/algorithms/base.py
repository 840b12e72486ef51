"""What every algorithm program shares: its folders, its log lines and its exit codes.

Standard library only: the control plane imports it too. It knows no algorithm.
"""

import json
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

FIRST_PARTY_LOG = ("[%(asctime)s %(levelname)s %(thread)d] %(message)s", "%m/%d/%Y %H:%M:%S")
"""`[06/08/2018 20:15:46 INFO 140285487171328] text`"""
CONTAINER_LOG = ("[%(asctime)s:%(levelname)s] %(message)s", "%Y-%m-%d:%H:%M:%S")
"""`[2018-06-08:20:15:46:INFO] text`"""

_SUCCESS, _CRASH, _CUSTOMER, _TERMINATED = 0, 1, 2, 128 + signal.SIGTERM


class UserError(Exception):
    """The customer's fault: the job ends with exit code 2 and this text is its failure reason."""


@dataclass(frozen=True)
class Channel:
    """An input of a training job; members that the job left out are empty."""

    name: str
    folder: Path
    content_type: str = ""
    input_mode: str = "File"
    distribution: str = ""


@dataclass(frozen=True)
class Environment:
    """What the platform laid out for one training job."""

    base: Path
    hyperparameters: dict[str, str]
    channels: dict[str, Channel]
    current_host: str = "algo-1"
    hosts: tuple[str, ...] = ("algo-1",)

    @property
    def model(self) -> Path:
        """Folder whose content becomes model.tar.gz."""
        return self.base / "model"

    @property
    def output(self) -> Path:
        """Folder whose content becomes output.tar.gz."""
        return self.base / "output" / "data"


def base_folder() -> Path:
    """/opt/ml, or $SAGEMAKER_BASE_DIR where the platform could not mount that."""
    return Path(os.environ.get("SAGEMAKER_BASE_DIR") or "/opt/ml")


def read_environment() -> Environment:
    """The training job in `base_folder()`. Raises UserError for a document that is not JSON."""
    base = base_folder()
    config = base / "input" / "config"
    hyperparameters = _document(config / "hyperparameters.json")
    channels = _document(config / "inputdataconfig.json")
    resources = _document(config / "resourceconfig.json")
    return Environment(
        base=base,
        hyperparameters={name: str(value) for name, value in hyperparameters.items()},
        channels={name: _channel(base, name, entry) for name, entry in channels.items()},
        current_host=str(resources.get("current_host", "algo-1")),
        hosts=tuple(resources.get("hosts", ["algo-1"])),
    )


def cpus() -> int:
    """Threads that this program may use: what the scheduler gave, else every core it may run on."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) > 0 else len(os.sched_getaffinity(0))


def configure_logging(style: tuple[str, str], level: int = logging.INFO) -> None:
    """Log to standard output, UTC, in one of the two styles above."""
    formatter = logging.Formatter(*style)
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)


class Termination:
    """SIGTERM: ends the program at once, except inside `deferred`, where it only sets a flag.

    A training loop runs inside `deferred`, looks at `requested` between two steps, leaves early
    and saves what it has.
    """

    def __init__(self) -> None:
        self.requested = False
        self._deferred = False

    def watch(self) -> None:
        """Take over SIGTERM. Main thread only."""
        signal.signal(signal.SIGTERM, self._arrived)

    @contextmanager
    def deferred(self) -> Iterator["Termination"]:
        """Let the body decide when to stop."""
        self._deferred = True
        try:
            yield self
        finally:
            self._deferred = False

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        if not self._deferred:
            raise SystemExit(_TERMINATED)


def run_program(
    arguments: Sequence[str],
    train: Callable[[str, Environment, Termination], None],
    serve: Callable[[str], None],
) -> int:
    """`--tag TAG train|serve`: the exit status of the program.

    `train(tag, environment, termination)` leaves the model in `environment.model`;
    `serve(tag)` returns when the server was told to stop.
    """
    tag, verb = _arguments(arguments)
    if verb == "serve":
        return _guarded(lambda: serve(tag), None)
    termination = Termination()
    termination.watch()
    failure = base_folder() / "output" / "failure"
    return _guarded(lambda: train(tag, read_environment(), termination), failure)


def end(status: int) -> NoReturn:
    """End the process as it is, with this exit status.

    Threads of Arrow and of XGBoost crash now and then when the interpreter is taken down, and a
    job whose model is on disk would fail.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _arguments(arguments: Sequence[str]) -> tuple[str, str]:
    if len(arguments) != 3 or arguments[0] != "--tag" or arguments[2] not in ("train", "serve"):
        raise SystemExit("usage: --tag TAG train|serve")
    return arguments[1], arguments[2]


def _guarded(body: Callable[[], None], failure: Path | None) -> int:
    try:
        body()
    except SystemExit:  # Termination's
        return _TERMINATED
    except UserError as error:
        logging.getLogger().error("Customer Error: %s", error)
        write_failure(failure, str(error))
        return _CUSTOMER
    except Exception as error:
        logging.getLogger().exception("Algorithm Error")
        last = "".join(traceback.format_exception_only(error)).strip()
        write_failure(failure, last)
        return _CRASH
    return _SUCCESS


def write_failure(path: Path | None, text: str) -> None:
    """Leave the reason why a job failed where the platform looks for it."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _channel(base: Path, name: str, entry: dict[str, Any]) -> Channel:
    return Channel(
        name=name,
        folder=base / "input" / "data" / name,
        content_type=entry.get("ContentType") or "",
        input_mode=entry.get("TrainingInputMode") or "File",
        distribution=entry.get("S3DistributionType") or "",
    )


def _document(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise UserError(f"{path.name} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise UserError(f"{path.name} must hold a JSON object.")
    return value
