"""`python -m studio.algorithms.kmeans --tag 1 train|serve`: the container's program."""

import os
import sys

from studio.algorithms.base import (
    FIRST_PARTY_LOG,
    Environment,
    Termination,
    configure_logging,
    cpus,
    run_program,
)

BLAS_THREADS = 4
"""More threads than this only wait for each other on products of a mini-batch's size."""


def _train(tag: str, environment: Environment, termination: Termination) -> None:
    _limit_threads(min(cpus(), BLAS_THREADS))
    from studio.algorithms.kmeans.train import train

    train(tag, environment, termination)


def _serve(tag: str) -> None:
    # Requests run side by side already.
    _limit_threads(1)
    from studio.algorithms.kmeans.serve import serve

    serve(tag)


def _limit_threads(count: int) -> None:
    """BLAS reads this once, when numpy is loaded: hence the late imports."""
    os.environ["OPENBLAS_NUM_THREADS"] = str(count)


if __name__ == "__main__":
    configure_logging(FIRST_PARTY_LOG)
    # AWS's first line; here it also says that the program runs while numbers are still loading.
    sys.stdout.write(f"Docker entrypoint called with argument(s): {sys.argv[-1]}\n")
    sys.stdout.flush()
    sys.exit(run_program(sys.argv[1:], _train, _serve))
