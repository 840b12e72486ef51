"""Checkpoints of a training job: `xgboost-checkpoint.<round>`, a model after each round.

They are written when the job has a CheckpointConfig, and a job that finds some goes on from the
last one. Names, and how many are kept, are those of AWS's container.
"""

import json
import logging
import re
from pathlib import Path
from typing import Any

import xgboost

from studio.algorithms.base import Environment

KEPT = 5
_NAME = re.compile(r"xgboost-checkpoint\.([0-9]{1,9})")
# The platform neither uploads a file with this ending nor counts it.
_TEMPORARY = ".sagemaker-ignore"
_UPLOADING, _UPLOADED = ".sagemaker-uploading", ".sagemaker-uploaded"
_log = logging.getLogger(__name__)


def folder(environment: Environment) -> Path | None:
    """Where the job's checkpoints are; None when it has no CheckpointConfig."""
    config = environment.base / "input" / "config" / "checkpointconfig.json"
    try:
        path = Path(json.loads(config.read_text()).get("LocalPath") or "/opt/ml/checkpoints")
    except (OSError, ValueError, AttributeError):
        return None
    if path.is_relative_to("/opt/ml"):
        path = environment.base / path.relative_to("/opt/ml")
    path.mkdir(parents=True, exist_ok=True)
    return path


def last(path: Path) -> tuple[bytes, int]:
    """(model, rounds that it has had) of the last checkpoint that can be read; empty and 0."""
    for number in sorted(_rounds(path), reverse=True)[:KEPT]:
        content = (path / f"xgboost-checkpoint.{number}").read_bytes()
        # A pickle begins so, and may run any code when it is loaded.
        if content[:1] == b"\x80":
            continue
        try:
            xgboost.Booster().load_model(bytearray(content))
        except xgboost.core.XGBoostError:
            _log.warning("Checkpoint %d cannot be read: trying the one before", number)
            continue
        return content, number + 1
    return b"", 0


class Save(xgboost.callback.TrainingCallback):
    """Writes a checkpoint after each round, and removes those that are older than the last five.

    What lay there before the job began stays, as does what is being uploaded.
    """

    def __init__(self, path: Path, start: int) -> None:
        super().__init__()
        self._path = path
        self._start = start
        self._before = set(_rounds(path))

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        number = self._start + epoch
        target = self._path / f"xgboost-checkpoint.{number}"
        temporary = target.with_name(target.name + _TEMPORARY)
        temporary.write_bytes(model.save_raw("ubj"))
        temporary.replace(target)
        for old in _rounds(self._path):
            if old <= number - KEPT and old not in self._before:
                self._remove(self._path / f"xgboost-checkpoint.{old}")
        return False

    def _remove(self, path: Path) -> None:
        uploading = path.with_name(path.name + _UPLOADING).exists()
        if not uploading or path.with_name(path.name + _UPLOADED).exists():
            path.unlink(missing_ok=True)


def _rounds(path: Path) -> list[int]:
    found = (_NAME.fullmatch(entry.name) for entry in path.iterdir())
    return [int(match[1]) for match in found if match]
