"""k-means on a stream against scikit-learn's MiniBatchKMeans, one thread each.

Both see the same 500,000 x 50 points, a mixture of 20 groups that overlap, in mini-batches of 5,000
and one pass, in a process of their own. Our time is that of a whole job without reading: ten times
as many online centres, ten trials of Lloyd's algorithm, polishing. A row is only worth something at
an equal or better mean squared distance.
"""

import json
import os
import subprocess
import sys
import time
from typing import Any

from benchmarks.harness import Row, median_of

ROWS, FEATURES, CLUSTERS, BATCH = 500_000, 50, 20, 5000
RUNS = 3


def run() -> list[Row]:
    """The ratio of the two times; the mean squared distances as a row of their own."""
    ours = [_measure("ours") for _ in range(RUNS)]
    theirs = [_measure("peer") for _ in range(RUNS)]
    seconds = median_of(iter([one["seconds"] for one in ours]).__next__, RUNS)
    peer_seconds = median_of(iter([one["seconds"] for one in theirs]).__next__, RUNS)
    msd, peer_msd = (max(one["msd"] for one in runs) for runs in (ours, theirs))
    return [
        Row(
            name=f"k-means, {ROWS:,} x {FEATURES}, k = {CLUSTERS}, CPU time",
            value=seconds,
            unit="s",
            floor="1x",
            peer="MiniBatchKMeans",
            peer_value=peer_seconds,
            ratio=peer_seconds / seconds,
        ),
        Row(
            name="its mean squared distance",
            value=msd,
            unit="",
            floor="better",
            peer="MiniBatchKMeans",
            peer_value=peer_msd,
            ratio=peer_msd / msd,
        ),
    ]


def _measure(side: str) -> dict[str, float]:
    """One side in a process of its own, with one thread."""
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.bench_kmeans", side]
    run = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True)
    result: dict[str, float] = json.loads(run.stdout)
    return result


def _points() -> Any:
    import numpy as np

    rng = np.random.default_rng(4)
    centers = rng.normal(0, 1, (CLUSTERS, FEATURES))
    groups = rng.integers(0, CLUSTERS, ROWS)
    return (centers[groups] + rng.normal(0, 1, (ROWS, FEATURES))).astype(np.float32)


def _ours(points: Any) -> tuple[Any, float]:
    import numpy as np

    from studio.algorithms.base import Termination
    from studio.algorithms.kmeans import train
    from studio.algorithms.kmeans.hyperparameters import read
    from studio.algorithms.kmeans.online import Stream

    settings = read({"k": str(CLUSTERS), "feature_dim": str(FEATURES)})
    started = time.process_time()
    stream = Stream(settings, Termination(), np.random.default_rng(1))
    stream.epoch((points[first : first + BATCH] for first in range(0, ROWS, BATCH)), True)
    lines = train.Lines("algo-1", 1, Termination())
    fitted, _ = train.finish(settings, [stream.part(FEATURES)], lines)
    return fitted.centers, time.process_time() - started


def _peer(points: Any) -> tuple[Any, float]:
    from sklearn.cluster import MiniBatchKMeans

    started = time.process_time()
    model = MiniBatchKMeans(CLUSTERS, batch_size=BATCH, max_iter=1, n_init=3, random_state=0)
    model.fit(points)
    return model.cluster_centers_, time.process_time() - started


def main(side: str) -> None:
    import numpy as np

    from studio.algorithms.kmeans.model import Model

    points = _points()
    centers, seconds = _ours(points) if side == "ours" else _peer(points)
    _, squared = Model(centers.astype(np.float32)).assign(points)
    sys.stdout.write(json.dumps({"seconds": seconds, "msd": float(squared.mean())}))


if __name__ == "__main__":
    main(sys.argv[1])
