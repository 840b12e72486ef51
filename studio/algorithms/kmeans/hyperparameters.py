"""The hyperparameters of k-means: the documented table, and what a job makes of it.

Source: AWS's page "K-Means Hyperparameters", and the default configuration that its jobs print.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from studio.algorithms.hyperparameters import (
    FIRST_PARTY,
    NO_EFFECT,
    Hyperparameter,
    Interval,
    parse,
    with_defaults,
)

METRICS = ("msd", "ssd")
_AUTO = ("auto",)
_NATURAL = Interval(low=1)
_INITS = ("random", "kmeans++")
_Row = Hyperparameter

TABLE = (
    _Row("feature_dim", "integer", required=True, range=_NATURAL, help="Number of features."),
    _Row("k", "integer", required=True, range=_NATURAL, help="Number of clusters."),
    _Row("epochs", "integer", 1, range=_NATURAL, tunable=Interval(1, 10), common=True,
         help="Passes over the training data."),
    _Row("eval_metrics", "names", ("msd",), choices=METRICS,
         help="Scores on test data, a JSON list: mean and sum of squared distances."),
    _Row("extra_center_factor", "integer", "auto", range=_NATURAL, words=_AUTO,
         tunable=Interval(4, 10), common=True, help="Online centres for each wanted cluster."),
    _Row("half_life_time_size", "integer", 0, range=Interval(low=0),
         help="Points after which a point counts half; 0: it always counts whole."),
    _Row("init_method", "choice", "random", choices=_INITS, tunable=_INITS, common=True,
         help="How the online centres are chosen among the first points."),
    _Row("local_lloyd_init_method", "choice", "kmeans++", choices=_INITS,
         help="How a trial of Lloyd's algorithm begins."),
    _Row("local_lloyd_max_iter", "integer", 300, range=_NATURAL,
         help="Steps of Lloyd's algorithm at most."),
    _Row("local_lloyd_num_trials", "integer", "auto", range=_NATURAL, words=_AUTO,
         help="Trials of Lloyd's algorithm; the best one counts."),
    _Row("local_lloyd_tol", "float", 0.0001, range=Interval(0, 1),
         help="Relative change of the loss at which Lloyd's algorithm ends."),
    _Row("mini_batch_size", "integer", 5000, range=_NATURAL, tunable=Interval(3000, 15000),
         common=True, help="Points of one online step."),
    # What the service, the SDK and AWS's own defaults add: none of it means something here.
    _Row("force_dense", "boolean", True, help=NO_EFFECT),
    *(
        _Row(name, "text", "", help=NO_EFFECT)
        for name in (
            "_tuning_objective_metric", "_kvstore", "_num_kv_servers", "_num_gpus", "_num_slices",
            "_log_level", "_enable_profiler", "_disable_wait_to_read",
        )
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Lloyd:
    """How the online centres are shrunk. `trials` None is `auto`."""

    init: str = "kmeans++"
    max_iter: int = 300
    tol: float = 0.0001
    trials: int | None = None


@dataclass(frozen=True)
class Settings:
    """A job's hyperparameters, typed."""

    feature_dim: int
    k: int
    epochs: int = 1
    metrics: tuple[str, ...] = ("msd",)
    factor: int = 10
    half_life: int = 0
    init: str = "random"
    batch: int = 5000
    lloyd: Lloyd = Lloyd()
    seed: int = 1

    @property
    def centers(self) -> int:
        """Number of online centres."""
        return self.k * self.factor


def read(given: Mapping[str, str]) -> Settings:
    """The settings of a job. Raises Invalid with every fault."""
    value = with_defaults(TABLE, parse(TABLE, given, FIRST_PARTY))
    k, batch = value["k"], value["mini_batch_size"]
    factor, trials = value["extra_center_factor"], value["local_lloyd_num_trials"]
    return Settings(
        feature_dim=value["feature_dim"],
        k=k,
        epochs=value["epochs"],
        metrics=tuple(value["eval_metrics"]),
        factor=automatic_factor(k, batch) if factor == "auto" else factor,
        half_life=value["half_life_time_size"],
        init=value["init_method"],
        batch=batch,
        lloyd=Lloyd(
            init=value["local_lloyd_init_method"],
            max_iter=value["local_lloyd_max_iter"],
            tol=value["local_lloyd_tol"],
            trials=None if trials == "auto" else trials,
        ),
    )


def automatic_factor(k: int, batch: int) -> int:
    """10, and less, down to 4, where one batch would not have a point for each centre."""
    return max(4, min(10, batch // k))
