"""The log lines of a training job, as AWS's linear-learner prints them.

The platform scrapes metrics from them, and people read them. Knows numbers and names only.
"""

import json
import logging
import math
import sys
import time
from collections.abc import Mapping
from typing import Any

from studio.algorithms.base import Termination
from studio.algorithms.linear_learner import metrics
from studio.algorithms.linear_learner.fitting import Fit, Judged
from studio.algorithms.linear_learner.losses import Array, Loss
from studio.algorithms.linear_learner.scaling import Scaler
from studio.algorithms.linear_learner.settings import Settings
from studio.algorithms.linear_learner.solver import Epoch, Stack

log = logging.getLogger(__name__)

DETAILED_EPOCHS = 15
"""Epochs of a job for which every model's loss is printed: a long job has a line now and then."""


class Log:
    """The journal of one job, written to standard output. SIGTERM ends training."""

    def __init__(self, host: str, termination: Termination) -> None:
        self.host = host
        self._termination = termination
        self._started = self._epoch_started = time.time()
        self._epochs = 1
        self._done = 0
        self._detail_every = 1

    def started(self, settings: Settings, scaler: Scaler, stack: Stack, loss: Loss) -> None:
        """The values that `auto` was replaced by: those of model 0, and how many models vary it."""
        self._epochs = settings.epochs
        self._detail_every = -(-settings.epochs // DETAILED_EPOCHS)
        first = {name: float(values[0]) for name, values in vars(stack).items()}
        log.info(
            "Training %d models with optimizer %s and loss %s; model 0: %s",
            stack.count,
            settings.optimizer,
            settings.loss,
            json.dumps(first),
        )
        log.info(
            "Scaling model computed with parameters: mean_label %.6g, stdev_label %.6g, "
            "%d features, objective %s",
            scaler.label_shift,
            scaler.label_scale,
            scaler.shift.size,
            loss.objective,
        )
        self._epoch_started = time.time()

    def epoch(self, epoch: Epoch, train_loss: Array, judged: Judged) -> None:
        """The lines of an epoch."""
        now, number = time.time(), epoch.number
        last = number + 1 == self._epochs
        detailed = number % self._detail_every == 0 or last
        self._losses(epoch, "train", judged.objective, train_loss, detailed)
        if judged.split == "validation":
            self._losses(epoch, "validation", judged.objective, epoch.verdict.loss, detailed)
        # Scores are negated costs; a loss is its own cost.
        sign = 1 if judged.criterion == judged.objective else -1
        log.info(
            "#early_stopping_criteria_metric: host=%s, epoch=%d, criteria=%s, value=%s",
            self.host,
            number,
            judged.criterion if sign == 1 else f"sampled_{judged.criterion}",
            sign * float(epoch.verdict.cost.min()),
        )
        if epoch.improved:
            log.info("Epoch %d: Loss improved. Updating best model", number)
        else:
            log.info("Epoch %d: Loss did not improve", number)
        log.info(
            "#progress_metric: host=%s, completed %g %% of epochs",
            self.host,
            round(100 * (number + 1) / self._epochs, 1),
        )
        self._done = number + 1
        self._iterator(epoch, now)
        throughput = epoch.records / max(now - self._epoch_started, 1e-9)
        log.info(
            "#throughput_metric: host=%s, train throughput=%s records/second", self.host, throughput
        )
        self._epoch_started = time.time()

    def stopped(self) -> bool:
        return self._termination.requested

    def finished(self, fit: Fit) -> None:
        """Which model won, and how long it all took."""
        log.info("Best model found for hyperparameters: %s", json.dumps(fit.model.hyperparameters))
        log.info("The best model is model %d", fit.number)
        total = (time.time() - self._started) * 1000
        self._metrics({"epochs": self._done, "totaltime": total}, self._started)

    def scores(self, split: str, values: Mapping[str, float]) -> None:
        """The final scores on one channel, in both of AWS's spellings."""
        for name, value in values.items():
            log.info("#%s_score (%s) : %s", split, self.host, (name, float(value)))
        for name, value in values.items():
            kind = "loss" if metrics.is_loss(name) else "score"
            log.info("#quality_metric: host=%s, %s %s <%s>=%s", self.host, split, name, kind, value)

    def _losses(
        self, epoch: Epoch, split: str, objective: str, losses: Array, detailed: bool
    ) -> None:
        for model, loss in zip(epoch.models, losses, strict=True):
            if detailed and math.isfinite(loss):
                where = {"epoch": epoch.number, "model": int(model)}
                self._metrics({f"{split}_{objective}": float(loss)}, self._epoch_started, where)
        best = float(losses.min())
        # What the platform scrapes must be a number.
        if math.isfinite(best):
            log.info(
                "#quality_metric: host=%s, epoch=%d, %s %s <loss>=%s",
                self.host,
                epoch.number,
                split,
                objective,
                best,
            )

    def _iterator(self, epoch: Epoch, now: float) -> None:
        seen = epoch.number + 1
        values: dict[str, float] = {
            "Number of Batches Since Last Reset": epoch.steps,
            "Number of Records Since Last Reset": epoch.records,
            "Total Batches Seen": epoch.steps * seen,
            "Total Records Seen": epoch.records * seen,
            "update.time": (now - self._epoch_started) * 1000,
        }
        where = {"epoch": epoch.number, "Meta": "training_data_iter"}
        self._metrics(values, self._epoch_started, where)

    def _metrics(
        self, values: Mapping[str, float], start: float, where: Mapping[str, Any] | None = None
    ) -> None:
        """One `#metrics` line: a JSON document without the prefix of other lines."""
        document = {
            "StartTime": start,
            "EndTime": time.time(),
            "Dimensions": {
                "Algorithm": "Linear Learner",
                "Host": self.host,
                "Operation": "training",
                **(where or {}),
            },
            "Metrics": {
                name: {"sum": float(value), "count": 1, "min": value, "max": value}
                for name, value in values.items()
            },
        }
        sys.stdout.write(f"#metrics {json.dumps(document)}\n")
