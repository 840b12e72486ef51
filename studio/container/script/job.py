"""What the platform says of a training job: hyperparameters, channels, hosts.

The SDKs write each hyperparameter as JSON, people write plain text: both are read. Those of the
platform begin with `sagemaker_`, the others are the script's arguments.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.container.script.failure import ScriptError

Doc = dict[str, Any]
_PREFIX = "sagemaker_"


@dataclass(frozen=True)
class Job:
    """A training job on one of its hosts; `base` is /opt/ml."""

    base: Path
    hyperparameters: Doc
    own: Doc
    """Those that begin with `sagemaker_`, without that."""
    channels: Doc
    resources: Doc

    @property
    def entry_point(self) -> str:
        """The script, relative to `code`."""
        return str(self.own.get("program", ""))

    @property
    def code(self) -> Path:
        return self.base / "code"

    @property
    def hosts(self) -> list[str]:
        return list(self.resources.get("hosts", ["algo-1"]))

    @property
    def host(self) -> str:
        return str(self.resources.get("current_host", "algo-1"))

    @property
    def rank(self) -> int:
        """Of this host among all of them, algo-1 having 0 and algo-10 9."""
        return sorted(self.hosts, key=_number).index(self.host)

    @property
    def first(self) -> str:
        return min(self.hosts, key=_number)

    @property
    def interface(self) -> str:
        return str(self.resources.get("network_interface_name", "eth0"))

    def asked(self, name: str) -> bool:
        """Whether a switch among the platform's hyperparameters is on."""
        return str(self.own.get(name, "")).lower() == "true"


def read(base: Path) -> Job:
    """The job below `base`. Raises ScriptError."""
    config = base / "input" / "config"
    given = {name: value(text) for name, text in _document(config, "hyperparameters").items()}
    job = Job(
        base,
        {name: it for name, it in given.items() if not name.startswith(_PREFIX)},
        {name.removeprefix(_PREFIX): it for name, it in given.items() if name.startswith(_PREFIX)},
        _document(config, "inputdataconfig"),
        _document(config, "resourceconfig"),
    )
    if not job.entry_point:
        raise ScriptError("No script is named: set entry_point, or sagemaker_program.")
    return job


def value(text: Any) -> Any:
    """A hyperparameter as its writer had it."""
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text


def arguments(hyperparameters: Doc) -> list[str]:
    """`--name value` for each, sorted; a name of one letter gets one dash."""
    words = []
    for name in sorted(hyperparameters):
        words += [f"--{name}" if len(name) > 1 else f"-{name}", text(hyperparameters[name])]
    return words


def text(it: Any) -> str:
    """As the script finds it in its arguments and variables."""
    if isinstance(it, str):
        return it
    if isinstance(it, (dict, list)):
        return json.dumps(it, sort_keys=True, separators=(",", ":"))
    return "" if it is None else str(it)


def gpus() -> int:
    """That this process may use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([it for it in visible.split(",") if it.strip() not in ("", "-1", "NoDevFiles")])
    return len([*Path("/dev").glob("nvidia[0-9]*")])


def cpus() -> int:
    """That the scheduler gave, else every core that this process may run on."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) else len(os.sched_getaffinity(0))


def _number(host: str) -> tuple[int, str]:
    tail = host.rpartition("-")[2]
    return (int(tail) if tail.isdecimal() else 0, host)


def _document(config: Path, name: str) -> Doc:
    try:
        found = json.loads((config / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ScriptError(f"{name}.json is not valid JSON: {error}") from error
    return found if isinstance(found, dict) else {}
