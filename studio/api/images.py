"""Which program an image URI stands for on this machine.

Registry account, region and suffix are ignored: every region's URI of an algorithm leads to the
same program. Algorithms are found by the entry-point group `studio.algorithms`.
"""

import re
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

from studio.algorithms.image import Image
from studio.db.resources import Doc
from studio.errors import ValidationException
from studio.runners import interpreters
from studio.settings import Settings

_URI = re.compile(
    r"(?:(?P<registry>[\w.-]+\.[\w.-]+(?::\d+)?|localhost(?::\d+)?)/)?"
    r"(?P<repository>[a-z0-9._-]+(?:/[a-z0-9._-]+)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_PYTHON_TAG = re.compile(r"latest|(?P<version>3\.\d{1,2})(?:\.\d{1,2})?(?:-slim)?(?:-[a-z]+)?")
_OWN_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class Program:
    """`entrypoint` followed by `train` or `serve`; `metrics` are AWS's own definitions."""

    entrypoint: tuple[str, ...]
    metrics: tuple[tuple[str, str], ...] = ()
    needs_command: bool = False
    """The image has no `train` of its own: the request says what to run."""
    image: Image | None = None
    """The algorithm that it is, if it is one."""
    python: str = ""
    """Version that an image of Python promises, `3.11`; "" for any."""


def find(uri: str) -> Program:
    """The program of an image. Raises ValidationException, naming what there is."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise ValidationException(f"Invalid image URI {uri}. Please provide a valid image URI.")
    repository = match["repository"].rsplit("/", 1)[-1]
    tag = match["tag"] or "latest"
    if repository == "python" and (version := _PYTHON_TAG.fullmatch(tag)):
        return Program((), needs_command=True, python=version["version"] or "")
    for image in algorithms():
        if repository in image.repositories and tag in image.tags:
            return Program(image.entrypoint(tag), image.metrics, image=image)
    raise ValidationException(f"Requested image {uri} not found. {_known(repository)}")


def interpreter(settings: Settings, uri: str, environment: Doc) -> str:
    """The interpreter whose environment a run of the image finds; "" for Studio's own.

    Raises ValidationException when there is none of the version that the image promises.
    """
    program = find(uri)
    if not program.needs_command:
        return ""
    path = environment.get(interpreters.VARIABLE) or settings.job_python
    try:
        version = interpreters.find(path).version if path else _OWN_PYTHON
    except ValueError as error:
        raise ValidationException(str(error)) from error
    if program.python not in ("", version):
        raise ValidationException(
            f"Requested image {uri} not found: {path or 'the Python of Studio'} is {version}. "
            f"Name an interpreter of {program.python} in the environment variable "
            f"{interpreters.VARIABLE}, or in the setting job_python."
        )
    return str(path)


@cache
def algorithms() -> tuple[Image, ...]:
    """The images that are installed here, by name."""
    found = [point.load() for point in entry_points(group="studio.algorithms")]
    return tuple(sorted(found, key=lambda image: str(image.name)))


def _known(repository: str) -> str:
    for image in algorithms():
        if repository in image.repositories:
            return f"Tags of {repository} that run here: {', '.join(image.tags)}."
    names = [name for image in algorithms() for name in image.repositories]
    return f"Images that run here: {', '.join(sorted({*names, 'python'}))}."
