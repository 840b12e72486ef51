"""Notebook jobs: training jobs whose program is that of AWS's images for notebooks.

AWS's clients name it as the entry point of the container. On this machine it is
`studio.container.notebook`; a container brings its own.
"""

import sys

from studio.db.resources import Doc

_PROGRAM = "amazon_sagemaker_scheduler"
_COMMAND = (sys.executable, "-P", "-m", "studio.container.notebook")
_CELL = r"^Notebook: cell (\d+) of \d+ done"
_METRICS = (("notebook:cell", _CELL), ("notebook:progress", r"^Notebook: cell .* done, (\S+) %"))


def command(entrypoint: list[str]) -> tuple[str, ...]:
    """The entry point of a container, as a process of this machine has it."""
    return (*_COMMAND, *entrypoint[1:]) if entrypoint[0] == _PROGRAM else tuple(entrypoint)


def metrics(algorithm: Doc) -> tuple[tuple[str, str], ...]:
    """What an AlgorithmSpecification that runs a notebook tells of its progress."""
    runs = algorithm.get("ContainerEntrypoint", [""])[0] == _PROGRAM
    return _METRICS if runs else ()
