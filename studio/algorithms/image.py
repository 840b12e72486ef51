"""An algorithm as the control plane sees it: its image, what it reads, what it can be told.

Light to import, and it knows no algorithm; tables of hyperparameters load when they are asked for.
"""

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.algorithms.hyperparameters import Hyperparameter
from studio.algorithms.inputs import Inputs


@dataclass(frozen=True)
class Image:
    """An algorithm. `module` runs with `--tag TAG train|serve`.

    `MODULE.hyperparameters` has its `TABLE`, and `read(given)`, which raises UserError; it imports
    nothing heavy.
    """

    name: str
    repositories: tuple[str, ...]
    """Repository names of AWS's image URIs; account, region and registry do not matter."""
    tags: tuple[str, ...]
    """Every accepted tag, exactly."""
    module: str
    uri: str
    """The image as AWS spells it in us-east-1, of the newest version."""
    metrics: tuple[tuple[str, str], ...]
    """(name, regular expression) that AWS adds to AlgorithmSpecification.MetricDefinitions."""
    title: str
    description: str
    """What it is for, in a sentence or two."""
    inputs: Inputs
    requests: tuple[str, ...]
    """Content types that its server takes; the first one it takes for granted."""

    def entrypoint(self, tag: str) -> tuple[str, ...]:
        """The program of this image; the platform appends `train` or `serve`."""
        return (sys.executable, "-P", "-m", self.module, "--tag", tag)

    def table(self) -> tuple[Hyperparameter, ...]:
        """Its hyperparameters."""
        table: tuple[Hyperparameter, ...] = self._hyperparameters().TABLE
        return table

    def check(self, hyperparameters: Mapping[str, str]) -> None:
        """What its jobs check first. Raises UserError, and Invalid where it can name the fault."""
        self._hyperparameters().read(hyperparameters)

    def _hyperparameters(self) -> Any:
        return importlib.import_module(f"{self.module}.hyperparameters")
