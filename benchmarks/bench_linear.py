"""32 linear models at once against 32 scikit-learn SGDRegressor fits, one thread each.

Both see the same 200,000 x 50 examples for three epochs, in a process of their own with one BLAS
thread. Our time is that of a whole fit: normalisation, training, judging every epoch on validation
data, selection. The peer's data are normalised before its clock starts, and its best model is
chosen after it stops. A row is only worth something at an equal or better validation loss.
"""

import time
from typing import Any

from benchmarks import sides
from benchmarks.harness import Row, times

ROWS, FEATURES, MODELS, EPOCHS = 200_000, 50, 32, 3


def run() -> list[Row]:
    """The ratio of the two times; the validation losses as a row of their own."""
    ours, theirs = sides.measure(__name__, "ours"), sides.measure(__name__, "peer")
    seconds, peer_seconds = ours["seconds"], theirs["seconds"]
    loss, peer_loss = ours["loss"], theirs["loss"]
    size = f"{ROWS:,} x {FEATURES}, {EPOCHS} epochs"
    return [
        Row(
            name=f"{MODELS} linear models at once, {size}",
            value=seconds,
            unit="s",
            floor=times(20),
            peer=f"{MODELS} SGDRegressor fits",
            peer_value=peer_seconds,
            ratio=peer_seconds / seconds,
        ),
        Row(
            name="their validation mean square error",
            value=loss,
            unit="",
            floor=times(1),
            peer="best SGDRegressor",
            peer_value=peer_loss,
            ratio=peer_loss / loss,
        ),
    ]


def _data() -> tuple[Any, Any]:
    """Correlated features of unlike scales, and a label that is linear in them but for noise."""
    import numpy as np

    rng = np.random.default_rng(0)
    count = ROWS + ROWS // 10
    common = rng.normal(size=(count, 10)).astype(np.float32)
    features = common @ rng.normal(size=(10, FEATURES)).astype(np.float32)
    features += 2 * rng.normal(size=(count, FEATURES)).astype(np.float32)
    label = features @ rng.normal(size=FEATURES).astype(np.float32)
    label += 5 * rng.normal(size=count).astype(np.float32)
    return features * rng.uniform(0.1, 10, FEATURES).astype(np.float32) + 3, label


def ours() -> dict[str, float]:
    import numpy as np

    from studio.algorithms.linear_learner import fitting
    from studio.algorithms.linear_learner.fitting import Table
    from studio.algorithms.linear_learner.settings import read

    class Silent:
        def started(self, *values: object) -> None: ...

        def epoch(self, *values: object) -> None: ...

        def stopped(self) -> bool:
            return False

    features, label = _data()
    train = Table(features[:ROWS], label[:ROWS])
    validation = Table(features[ROWS:], label[ROWS:])
    asked = {"predictor_type": "regressor", "num_models": str(MODELS), "epochs": str(EPOCHS)}
    start = time.perf_counter()
    fit = fitting.fit(read(asked), train, validation, Silent())
    seconds = time.perf_counter() - start
    error = fit.model.score(validation.features) - validation.labels
    return {"seconds": seconds, "loss": float(np.mean(error**2))}


def peer() -> dict[str, float]:
    import numpy as np
    from sklearn.linear_model import SGDRegressor

    features, label = _data()
    mean, deviation = features[:ROWS].mean(axis=0), features[:ROWS].std(axis=0)
    features = (features - mean) / deviation
    middle, unit = label[:ROWS].mean(), label[:ROWS].std()
    scaled = (label[:ROWS] - middle) / unit
    seconds, losses = 0.0, []
    for number in range(MODELS):
        alpha, eta0 = 10.0 ** -(3 + number % 4), 0.001 * 2.0 ** (number // 4 - 3)
        model = SGDRegressor(max_iter=EPOCHS, tol=None, alpha=alpha, eta0=eta0, random_state=number)
        start = time.perf_counter()
        model.fit(features[:ROWS], scaled)
        seconds += time.perf_counter() - start
        error = model.predict(features[ROWS:]) * unit + middle - label[ROWS:]
        losses.append(float(np.mean(error**2)))
    return {"seconds": seconds, "loss": min(losses)}
