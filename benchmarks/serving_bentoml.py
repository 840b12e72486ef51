"""The peers of bench_serving.py and bench_batching.py in BentoML's words and environment."""

import os

import bentoml  # type: ignore[import-not-found]
import numpy as np
import xgboost


@bentoml.service
class Rows:
    """Predicts rows of CSV."""

    def __init__(self) -> None:
        self._booster = xgboost.Booster(model_file=os.environ["BENCH_MODEL"])
        self._booster.set_param({"nthread": 1})

    @bentoml.api  # type: ignore[untyped-decorator]
    def invocations(self, row: str, /) -> str:
        values = np.array(row.split(","), np.float32).reshape(1, -1)
        return str(float(self._booster.inplace_predict(values)[0]))


@bentoml.service
class Batches:
    """Predicts rows of JSON, those of several requests together."""

    def __init__(self) -> None:
        self._booster = xgboost.Booster(model_file=os.environ["BENCH_MODEL"])
        self._booster.set_param({"nthread": 1})

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000)  # type: ignore[untyped-decorator]
    def invocations(self, rows: np.ndarray) -> np.ndarray:
        return self._booster.inplace_predict(rows.astype(np.float32))
