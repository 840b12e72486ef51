"""The table that says what image URIs run as: ours, behind the rows of the setting `images`, and
behind those of the home's own file, which UpdateImageRows writes.

A row is `pattern=target`. The pattern is matched against the whole URI, and against its repository
without registry, with and without tag. The first row that matches holds. A file, because whoever
starts a run asks the table, and knows the settings alone.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from studio import durable
from studio.algorithms.image import Image
from studio.db.resources import Doc
from studio.errors import ValidationException
from studio.settings import Settings

FRAMEWORKS = ("python", "sklearn", "xgboost", "lightgbm", "pytorch", "mlflow", "onnx")
"""Whose scripts run as processes; the handlers that `inference.py` leaves out differ."""

_SCRIPT, _ALGORITHM = "script:", "algorithm:"
_FILE = "images.json"
_read: dict[Path, tuple[tuple[int, int], list[Doc]]] = {}
SCRIPT_IMAGES = {
    "sagemaker-scikit-learn": "sklearn",
    "pytorch-training": "pytorch",
    "pytorch-inference": "pytorch",
    "sagemaker-pytorch": "pytorch",
    "huggingface-pytorch-training": "pytorch",
    "huggingface-pytorch-inference": "pytorch",
    # LightGBM has none of AWS's; the one that MLflow itself builds, and the runtime of ONNX
    "lightgbm": "lightgbm",
    "mlflow-pyfunc": "mlflow",
    "onnxruntime": "onnx",
    # those of AWS's notebooks, which notebook jobs run in
    "sagemaker-base-python-*": "python",
    "sagemaker-data-science-*": "python",
    "sagemaker-distribution-*": "python",
}
"""Repository, of AWS's all but two -> whose scripts it runs; an algorithm's own is not among
them."""


@dataclass(frozen=True)
class Row:
    """What URIs that match `pattern` run as: a `script` of a framework, an `algorithm` of ours, or
    the image `container`. With both of the first two the request decides: it names a script, or
    none."""

    pattern: str
    script: str = ""
    algorithm: str = ""
    container: str = ""
    own: bool = False
    """It is not one of ours: of the setting, or of the home."""
    kept: bool = False
    """It is one of the home."""

    @property
    def target(self) -> str:
        """As the setting spells it."""
        if self.algorithm:
            return _ALGORITHM + self.algorithm
        return self.container or _SCRIPT + self.script

    @property
    def script_target(self) -> str:
        """That of requests which name a script, where it is another; "" where it is not."""
        return _SCRIPT + self.script if self.algorithm and self.script else ""


def rows(settings: Settings, algorithms: tuple[Image, ...]) -> Iterator[Row]:
    """All rows, in the order in which they are asked. Raises ValidationException for a setting, or
    a file, that cannot be read."""
    names = [image.name for image in algorithms]
    for text in filter(None, map(str.strip, settings.images.split(","))):
        pattern, _, target = map(str.strip, text.partition("="))
        yield row(pattern, target, names, f"Setting images: {text!r}")
    for each in kept(settings.home):
        yield row(each["Pattern"], each["Target"], names, str(each), kept=True)
    for image in algorithms:
        scripts = image.name if image.name in FRAMEWORKS else ""
        for repository in image.repositories:
            yield Row(repository, scripts, image.name)
    for repository, framework in SCRIPT_IMAGES.items():
        yield Row(repository, framework)


def matching(table: Iterator[Row], registry: str, repository: str, tag: str) -> Row | None:
    """The row of an image. `repository` may have slashes: its last part alone matches, too."""
    name = repository.rpartition("/")[2]
    prefix = f"{registry}/" if registry else ""
    spelled = (f"{prefix}{repository}:{tag}", f"{repository}:{tag}", f"{name}:{tag}", name)
    # Who has a registry has images of the same names that are others.
    aws = not registry or ".amazonaws.com" in registry
    for row in table:
        if (row.own or aws) and any(fnmatchcase(each, row.pattern) for each in spelled):
            return row
    return None


def kept(home: Path) -> list[Doc]:
    """The rows of a home, `Pattern` and `Target` each. Raises ValidationException."""
    path, seen = home / _FILE, version(home)
    if seen is None:
        return []
    if path not in _read or _read[path][0] != seen:
        _read[path] = seen, _content(path)
    return _read[path][1]


def version(home: Path) -> tuple[int, int] | None:
    """Another one when the rows of a home may be others; None when it has none."""
    try:
        known = (home / _FILE).stat()
    except OSError:
        return None
    # A file is replaced as a whole: another one has another number, or another time.
    return known.st_ino, known.st_mtime_ns


def keep(home: Path, rows: list[Doc]) -> None:
    """Replace the rows of a home. Raises OSError."""
    durable.write_json(home / _FILE, rows)


def row(pattern: str, target: str, algorithms: list[str], called: str, kept: bool = False) -> Row:
    """Raises ValidationException, which names the row as `called`."""
    words = pattern and target and (pattern + target).isprintable()
    if not words or " " in pattern + target:
        raise ValidationException(f"{called} is not `pattern=target`, two words without spaces.")
    script = algorithm = container = ""
    if target.startswith(_SCRIPT):
        script = _known(target, _SCRIPT, list(FRAMEWORKS), called)
    elif target.startswith(_ALGORITHM):
        algorithm = _known(target, _ALGORITHM, algorithms, called)
    else:
        container = target
    return Row(pattern, script, algorithm, container, own=True, kept=kept)


def _known(target: str, prefix: str, names: list[str], called: str) -> str:
    name = target.removeprefix(prefix)
    if name not in names:
        raise ValidationException(
            f"{called}: {target!r} is unknown; there are "
            f"{', '.join(prefix + each for each in names)}."
        )
    return name


def _content(path: Path) -> list[Doc]:
    try:
        found: list[Doc] = json.loads(path.read_bytes())
        return [{"Pattern": str(it["Pattern"]), "Target": str(it["Target"])} for it in found]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValidationException(f"{path} cannot be read: {error}. Mend or remove it.") from error
