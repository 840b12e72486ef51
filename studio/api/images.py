"""Which program an image URI stands for on this machine.

Registry account, region and suffix are ignored: every region's URI of an algorithm leads to the
same program. Algorithms are found by the entry-point group `studio.algorithms`; image_table.py says
which URIs run scripts.
"""

import re
import sys
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import entry_points

from studio.algorithms.image import Image
from studio.api import image_table
from studio.db.resources import Doc
from studio.errors import ValidationException
from studio.runners import interpreters
from studio.runners.docker import building, engines
from studio.settings import Settings

_URI = re.compile(
    r"(?:(?P<registry>[\w.-]+\.[\w.-]+(?::\d+)?|localhost(?::\d+)?)/)?"
    r"(?P<repository>[a-z0-9._-]+(?:/[a-z0-9._-]+)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_PYTHON_TAG = re.compile(r"latest|(?P<version>3\.\d{1,2})(?:\.\d{1,2})?(?:-slim)?(?:-[a-z]+)?")
_SCRIPTS = "studio.container.script"
_OWN_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class Program:
    """`entrypoint` followed by `train` or `serve`; `metrics` are AWS's own definitions."""

    entrypoint: tuple[str, ...]
    metrics: tuple[tuple[str, str], ...] = ()
    image: Image | None = None
    """The algorithm that it is, if it is one."""
    framework: str = ""
    """Whose script it runs: one of image_table.FRAMEWORKS; "" for an algorithm."""
    scripted: bool = False
    """The request names the script."""
    python: str = ""
    """Version that an image of Python promises, `3.11`; "" for any."""
    container: str = ""
    """The image of a container that it runs in; "" for a process."""


def trained(settings: Settings, request: Doc) -> Program:
    """What a training job runs. Raises ValidationException for what is no image's name."""
    scripted = "sagemaker_program" in request.get("HyperParameters", {})
    return find(settings, request["AlgorithmSpecification"]["TrainingImage"], scripted)


def processed(settings: Settings, request: Doc) -> Program:
    """What a processing job runs. Raises ValidationException for what is no image's name."""
    return find(settings, request["AppSpecification"]["ImageUri"])


def served(settings: Settings, container: Doc) -> Program:
    """What serves a container of a model. Raises ValidationException for what is no image's."""
    scripted = "SAGEMAKER_PROGRAM" in container.get("Environment", {})
    return find(settings, container["Image"], scripted)


def find(settings: Settings, uri: str, scripted: bool = False) -> Program:
    """The program of an image, for a request that names a script or not; an image that is none of
    ours is a container. Raises ValidationException for what is no image's name."""
    program = _found(settings, uri, scripted)
    if settings.runner == "docker" and not program.container:
        return _in_container(program)
    return program


def _in_container(program: Program) -> Program:
    """The same program in the image that `studio images build` makes for it."""
    name = program.framework if program.framework in building.EXTRAS else "algorithms"
    entrypoint = ("python3", *program.entrypoint[1:])
    return replace(program, entrypoint=entrypoint, container=building.reference(name))


def _found(settings: Settings, uri: str, scripted: bool) -> Program:
    match = _URI.fullmatch(uri)
    if match is None:
        raise ValidationException(f"Invalid image URI {uri}. Please provide a valid image URI.")
    repository, tag = match["repository"], match["tag"] or "latest"
    table = image_table.rows(settings, algorithms())
    row = image_table.matching(table, match["registry"] or "", repository, tag)
    if row is not None and row.container:
        return Program((), container=row.container)
    if row is not None and row.script and (scripted or not row.algorithm):
        return _script(row.script, scripted)
    name = repository.rpartition("/")[2]
    if row is None and name == "python" and (version := _PYTHON_TAG.fullmatch(tag)):
        return replace(_script("python", scripted), python=version["version"] or "")
    for image in algorithms():
        if row is not None and row.algorithm == image.name:
            used = image.tags[-1] if row.own and tag not in image.tags else tag
            if used in image.tags:
                return Program(image.entrypoint(used), image.metrics, image=image)
    return Program((), container=uri)


def spelled_right(uri: str) -> bool:
    """Whether an image may be called so."""
    return _URI.fullmatch(uri) is not None


def require(settings: Settings, program: Program) -> Program:
    """The program, if it can run here. Raises ValidationException, naming what there is."""
    if program.container and (obstacle := engines.obstacle(settings)):
        uri = program.container
        known = _known(uri.rpartition("@")[0] or uri)
        raise ValidationException(
            f"Requested image {uri} not found. {known} Others run as containers. {obstacle}"
        )
    return program


def interpreter(settings: Settings, program: Program, environment: Doc) -> str:
    """The interpreter whose environment a run of the program finds; "" for Studio's own.

    Raises ValidationException when there is none of the version that the image promises.
    """
    if not program.framework or program.container:
        return ""
    path = environment.get(interpreters.VARIABLE) or settings.job_python
    try:
        version = interpreters.find(path).version if path else _OWN_PYTHON
    except ValueError as error:
        raise ValidationException(str(error)) from error
    if program.python not in ("", version):
        raise ValidationException(
            f"Requested image python:{program.python} not found: "
            f"{path or 'the Python of Studio'} is {version}. "
            f"Name an interpreter of {program.python} in the environment variable "
            f"{interpreters.VARIABLE}, or in the setting job_python."
        )
    return str(path)


def _script(framework: str, scripted: bool) -> Program:
    entrypoint = (sys.executable, "-P", "-m", _SCRIPTS, "--framework", framework)
    return Program(entrypoint, framework=framework, scripted=scripted)


@cache
def algorithms() -> tuple[Image, ...]:
    """The images that are installed here, by name."""
    found = [point.load() for point in entry_points(group="studio.algorithms")]
    return tuple(sorted(found, key=lambda image: str(image.name)))


def _known(uri: str) -> str:
    repository = uri.rpartition("/")[2].partition(":")[0]
    for image in algorithms():
        if repository in image.repositories:
            return f"Tags of {repository} that run here: {', '.join(image.tags)}."
    names = [name for image in algorithms() for name in image.repositories]
    every = sorted({*names, *image_table.SCRIPT_IMAGES, "python"})
    return f"Images that run here: {', '.join(every)}."
