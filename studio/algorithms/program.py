"""The program of the algorithms that compute with numpy: `PACKAGE --tag TAG train|serve`.

Its parts are found by their names, `PACKAGE.train.train` and `PACKAGE.serve.serve`, and imported
late: BLAS reads once, when numpy is loaded, how many threads it may have.
"""

import importlib
import os
import sys
from functools import partial
from typing import NoReturn

from studio.algorithms.base import (
    FIRST_PARTY_LOG,
    Environment,
    Termination,
    configure_logging,
    cpus,
    end,
    run_program,
)

BLAS_THREADS = 4
"""More threads than this only wait for each other on products of a mini-batch's size."""


def main(package: str) -> NoReturn:
    """Run the algorithm in `package` as the command line says, to the end of the process."""
    configure_logging(FIRST_PARTY_LOG)
    # AWS's first line; here it also says that the program runs while numbers are still loading.
    sys.stdout.write(f"Docker entrypoint called with argument(s): {sys.argv[-1]}\n")
    sys.stdout.flush()
    end(run_program(sys.argv[1:], partial(_train, package), partial(_serve, package)))


def _train(package: str, tag: str, environment: Environment, termination: Termination) -> None:
    _limit_threads(min(cpus(), BLAS_THREADS))
    importlib.import_module(f"{package}.train").train(tag, environment, termination)


def _serve(package: str, tag: str) -> None:
    # Requests run side by side already.
    _limit_threads(1)
    importlib.import_module(f"{package}.serve").serve(tag)


def _limit_threads(count: int) -> None:
    os.environ["OPENBLAS_NUM_THREADS"] = str(count)
