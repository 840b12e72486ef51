"""k-means on a stream against scikit-learn's MiniBatchKMeans, one thread each.

Both see the same 500,000 x 50 points, a mixture of 20 groups that overlap, in mini-batches of 5,000
and one pass, in a process of their own. Our time is that of a whole job without reading: ten times
as many online centres, ten trials of Lloyd's algorithm, polishing. A row is only worth something at
an equal or better mean squared distance.
"""

import time
from typing import Any

from benchmarks import sides
from benchmarks.harness import Row, times

ROWS, FEATURES, CLUSTERS, BATCH = 500_000, 50, 20, 5000


def run() -> list[Row]:
    """The ratio of the two times; the mean squared distances as a row of their own."""
    ours, theirs = sides.measure(__name__, "ours"), sides.measure(__name__, "peer")
    seconds, peer_seconds = ours["seconds"], theirs["seconds"]
    msd, peer_msd = ours["msd"], theirs["msd"]
    return [
        Row(
            name=f"k-means, {ROWS:,} x {FEATURES}, k = {CLUSTERS}, CPU time",
            value=seconds,
            unit="s",
            floor=times(1),
            peer="MiniBatchKMeans",
            peer_value=peer_seconds,
            ratio=peer_seconds / seconds,
        ),
        Row(
            name="its mean squared distance",
            value=msd,
            unit="",
            floor=times(1),
            peer="MiniBatchKMeans",
            peer_value=peer_msd,
            ratio=peer_msd / msd,
        ),
    ]


def _points() -> Any:
    import numpy as np

    rng = np.random.default_rng(4)
    centers = rng.normal(0, 1, (CLUSTERS, FEATURES))
    groups = rng.integers(0, CLUSTERS, ROWS)
    return (centers[groups] + rng.normal(0, 1, (ROWS, FEATURES))).astype(np.float32)


def ours() -> dict[str, float]:
    import numpy as np

    from studio.algorithms.base import Termination
    from studio.algorithms.kmeans import train
    from studio.algorithms.kmeans.hyperparameters import read
    from studio.algorithms.kmeans.online import Stream

    points = _points()
    settings = read({"k": str(CLUSTERS), "feature_dim": str(FEATURES)})
    started = time.process_time()
    stream = Stream(settings, Termination(), np.random.default_rng(1))
    stream.epoch((points[first : first + BATCH] for first in range(0, ROWS, BATCH)), True)
    lines = train.Lines("algo-1", 1, Termination())
    fitted, _ = train.finish(settings, [stream.part(FEATURES)], lines)
    return _judged(fitted.centers, points, time.process_time() - started)


def peer() -> dict[str, float]:
    from sklearn.cluster import MiniBatchKMeans

    points = _points()
    started = time.process_time()
    model = MiniBatchKMeans(CLUSTERS, batch_size=BATCH, max_iter=1, n_init=3, random_state=0)
    model.fit(points)
    return _judged(model.cluster_centers_, points, time.process_time() - started)


def _judged(centers: Any, points: Any, seconds: float) -> dict[str, float]:
    """The time, and the mean squared distance as the model that is served reckons it."""
    from studio.algorithms.kmeans.model import Model

    _, squared = Model(centers.astype("float32")).assign(points)
    return {"seconds": seconds, "msd": float(squared.mean())}
