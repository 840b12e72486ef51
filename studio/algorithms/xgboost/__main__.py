"""The program: `python -P -m studio.algorithms.xgboost --tag TAG train|serve`."""

import logging
import os
import sys

from studio.algorithms.base import (
    CONTAINER_LOG,
    Environment,
    Termination,
    configure_logging,
    end,
    run_program,
)


# XGBoost takes a while to import: what a program needs of it is imported when it starts.
def _train(tag: str, environment: Environment, termination: Termination) -> None:
    logging.getLogger(__name__).info("Starting XGBoost training")
    from studio.algorithms.xgboost.train import train

    train(tag, environment, termination)


def _serve(tag: str) -> None:
    from studio.algorithms.xgboost.serve import serve

    serve()


if __name__ == "__main__":
    # Threads that spin while they wait make training ten times slower where cores are shared, and
    # a job shares them with other jobs. OpenMP reads this when XGBoost is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # XGBoost imports scikit-learn where it is installed: two seconds for something unused here.
    sys.modules["sklearn"] = None  # type: ignore[assignment]
    configure_logging(CONTAINER_LOG)
    end(run_program(sys.argv[1:], _train, _serve))
