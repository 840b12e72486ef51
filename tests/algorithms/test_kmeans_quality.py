"""How good the clusters are: beside scikit-learn, on streams, far off, wide and sparse."""

import numpy as np
import pytest
from scipy import sparse
from threadpoolctl import threadpool_limits

from studio.algorithms.base import Termination
from studio.algorithms.kmeans import geometry, lloyd, model, online, train
from studio.algorithms.kmeans.hyperparameters import Lloyd, Settings, read
from studio.algorithms.kmeans.online import Part, Stream

RNG = np.random.default_rng(11)
BATCH = 1000


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for each other make a busy machine many times slower."""
    with threadpool_limits(1):
        yield


def part(points, settings: Settings, seed: int = 1) -> Part:
    """What one host learns of a stream."""
    stream = Stream(settings, Termination(), np.random.default_rng(seed))
    for number in range(settings.epochs):
        batches = (points[first : first + BATCH] for first in range(0, points.shape[0], BATCH))
        stream.epoch(batches, number == 0)
    return stream.part(settings.feature_dim)


def fit(points, k: int, hosts: int = 1, **given: object) -> model.Model:
    wanted = {"k": k, "feature_dim": points.shape[1], "mini_batch_size": BATCH, **given}
    settings = read({name: str(value) for name, value in wanted.items()})
    shards = np.array_split(np.arange(points.shape[0]), hosts)
    parts = [part(points[rows], settings) for rows in shards]
    packed = [Part.read(each.packed()) for each in parts]
    return train.finish(settings, packed, train.Lines("algo-1", 1, Termination()))[0]


def msd(centers: np.ndarray, points: np.ndarray) -> float:
    """Mean squared distance, all in float64 and without any trick."""
    wide = points.astype(np.float64)
    gaps = [((wide[:, None] - center) ** 2).sum(2) for center in np.array_split(centers, 20) if
            len(center)]  # fmt: skip
    return float(np.concatenate(gaps, axis=1).min(axis=1).mean())


def mixture(n: int, d: int, k: int, spread: float) -> np.ndarray:
    centers = RNG.normal(0, 1, (k, d))
    return (centers[RNG.integers(0, k, n)] + RNG.normal(0, spread, (n, d))).astype(np.float32)


SETS = {
    "apart": (mixture(8_000, 10, 12, 0.2), 12),
    "overlapping": (mixture(8_000, 10, 12, 0.6), 12),
    "no clusters": (RNG.random((8_000, 5)).astype(np.float32), 20),
    "heavy tails": (RNG.standard_t(3, (8_000, 8)).astype(np.float32), 10),
}


def test_as_good_as_lloyd_on_all_data_and_better_than_mini_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sklearn.cluster import KMeans, MiniBatchKMeans  # two seconds, for this file alone

    # The sample must not be all there is.
    monkeypatch.setattr(online, "SAMPLE_ROWS", 3000)
    ours, theirs = [], []
    for points, k in SETS.values():
        full = KMeans(k, n_init=10, random_state=0).fit(points).cluster_centers_
        mini = MiniBatchKMeans(k, batch_size=BATCH, n_init=3, random_state=0).fit(points)
        best = msd(full, points)
        ours.append(msd(fit(points, k).centers, points) / best)
        theirs.append(msd(mini.cluster_centers_, points) / best)
    assert max(ours) < 1.02, ours
    assert np.mean(ours) < np.mean(theirs), (ours, theirs)


def test_hosts_are_as_good_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "SAMPLE_ROWS", 3000)
    points, k = SETS["overlapping"]
    alone = msd(fit(points, k).centers, points)
    # Each host has another part of space.
    ordered = points[np.argsort(points[:, 0])]
    assert msd(fit(ordered, k, hosts=3).centers, points) < 1.02 * alone


def test_a_sample_is_even_and_bounded() -> None:
    sample = online.Sample(1000, np.random.default_rng(3))
    for first in range(0, 100_000, 5000):
        sample.add(np.arange(first, first + 5000, dtype=np.float32)[:, None])
        assert sample._count <= 2000
    rows = sample.rows()[:, 0]
    assert len(rows) == len(np.unique(rows)) == 1000
    # Ten standard errors of the mean, and each tenth of the stream is there.
    assert abs(rows.mean() - 50_000) < 10 * 28_868 / 1000**0.5
    assert np.histogram(rows, 10, (0, 100_000))[0].min() > 50


@pytest.mark.parametrize("offset", [0, 1e4, 1e6])
def test_data_far_from_the_origin(offset: float) -> None:
    from sklearn.cluster import KMeans

    exact = RNG.integers(-3, 4, (3, 4)) * 10 + RNG.integers(-1, 2, (3000, 1, 4))
    points = (exact[np.arange(3000), RNG.integers(0, 3, 3000)] + offset).astype(np.float32)
    fitted = fit(points, 3)
    near = KMeans(3, n_init=10, random_state=0).fit(points.astype(np.float64) - offset)
    assert msd(fitted.centers, points) == pytest.approx(near.inertia_ / 3000, rel=0.02)
    labels, squared = fitted.assign(points)
    assert squared.mean() == pytest.approx(msd(fitted.centers, points), rel=1e-3)
    assert np.bincount(labels).min() > 500


def test_wide_sparse_data_stay_sparse() -> None:
    k, width = 4, 100_000
    groups = RNG.integers(0, k, 2000)
    columns = groups[:, None] * 10 + RNG.integers(0, 10, (2000, 5))
    rows = np.repeat(np.arange(2000), 5)
    points = sparse.csr_matrix(
        (np.ones(10_000, np.float32), (rows, columns.ravel())), shape=(2000, width)
    )
    assert geometry.is_sparse(points[:BATCH])
    labels, squared = fit(points, k, extra_center_factor=4).assign(points)
    assert len({(a, b) for a, b in zip(groups, labels, strict=True)}) == k
    assert squared.max() < 15


def test_with_a_half_life_the_past_fades() -> None:
    then, now = np.full((5000, 1), 0, np.float32), np.full((5000, 1), 10, np.float32)
    points = np.concatenate([then + RNG.normal(0, 1, (5000, 1)), now]).astype(np.float32)
    settings = read({"k": "1", "feature_dim": "1", "extra_center_factor": "1"})
    mean = part(points, settings).positions
    assert mean.ravel() + part(points, settings).origin == pytest.approx([5], abs=0.1)
    fading = read(
        {"k": "1", "feature_dim": "1", "extra_center_factor": "1", "half_life_time_size": "1000"}
    )
    late = part(points, fading)
    assert (late.positions + late.origin).ravel() > 9.5
    # After five half-lives of 1,000 points the past counts 1/32.
    assert late.weights[0] == pytest.approx(sum(1000 * 0.5**age for age in range(10)), rel=1e-6)


@pytest.mark.parametrize("init", ["random", "kmeans++"])
def test_a_start_has_as_many_points_as_asked(init: str) -> None:
    points = np.repeat(np.eye(3, dtype=np.float32), 5, axis=0)
    rows = lloyd.choose(points, np.ones(15), 7, init, np.random.default_rng(0))
    assert rows.shape == (7, 3)
    if init == "kmeans++":
        assert len(np.unique(rows[:3], axis=0)) == 3


def test_lloyd_leaves_no_cluster_empty() -> None:
    points = RNG.normal(size=(200, 2)).astype(np.float32)
    start = np.concatenate([points[:2], np.full((2, 2), 1e6)])
    centers, loss = lloyd.refine(points, np.ones(200), start, Lloyd())
    assert np.bincount(geometry.nearest(points, centers), minlength=4).min() > 0
    assert loss == pytest.approx(msd(centers, points), rel=1e-5)


def test_weights_are_points() -> None:
    points = RNG.normal(size=(50, 3)).astype(np.float32)
    weights = RNG.integers(1, 5, 50).astype(np.float64)
    many = np.repeat(points, weights.astype(int), axis=0)
    weighted = lloyd.refine(points, weights, points[:4], Lloyd())
    repeated = lloyd.refine(many, np.ones(len(many)), points[:4], Lloyd())
    np.testing.assert_allclose(weighted[0], repeated[0], rtol=1e-6)
    assert weighted[1] == pytest.approx(repeated[1])


def test_a_job_repeats_exactly() -> None:
    points, k = SETS["no clusters"]
    assert np.array_equal(fit(points, k).centers, fit(points, k).centers)
