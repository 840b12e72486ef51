"""Programs end with their own status, whatever libraries do when an interpreter is taken down."""

import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
from algorithm_programs import Job, Serve
from waiting import PATIENCE_SECONDS

from studio.algorithms.kmeans import model

CRASHING = "import atexit, os\natexit.register(os.abort)\n"
"""As a `sitecustomize`: an interpreter that cannot be taken down. Arrow makes one at times."""
CSV = "text/csv;label_size=0"


@pytest.fixture
def crashing(job: Job, tmp_path: Path) -> Job:
    (tmp_path / "custom").mkdir()
    (tmp_path / "custom" / "sitecustomize.py").write_text(CRASHING)
    job.env["PYTHONPATH"] = str(tmp_path / "custom")
    return job


@pytest.mark.parametrize("algorithm", ["kmeans", "linear_learner", "xgboost"])
def test_a_job_that_failed_has_the_status_of_its_failure(crashing: Job, algorithm: str) -> None:
    crashing.module = f"studio.algorithms.{algorithm}"
    ended = crashing.train(no_such_hyperparameter=1)
    assert ended.code == 2, ended.log
    assert "no_such_hyperparameter" in ended.failure


def test_a_job_that_trained_a_model_succeeds(crashing: Job) -> None:
    crashing.module, crashing.tag = "studio.algorithms.kmeans", "1"
    crashing.channel("train", CSV, data="1,2\n3,4\n")
    ended = crashing.train(k=2, feature_dim=2)
    assert ended.code == 0, ended.log
    assert len(model.load(crashing.model).centers) == 2


def test_a_job_that_is_stopped_has_the_status_of_that(crashing: Job) -> None:
    crashing.module, crashing.tag = "studio.algorithms.linear_learner", "1"
    crashing.channel("train", "text/csv")
    # Its pipe never comes: it waits until it is stopped.
    crashing.channels["train"]["TrainingInputMode"] = "Pipe"
    crashing.configure(predictor_type="regressor")
    process = subprocess.Popen(
        crashing.command("train"), env=crashing.environment(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    next(line for line in process.stdout if "Final configuration" in line)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 128 + signal.SIGTERM


def test_a_server_that_is_stopped_succeeds(crashing: Job, serve: Serve) -> None:
    crashing.module, crashing.tag = "studio.algorithms.kmeans", "1"
    model.save(model.Model(np.float32([[1, 2]])), crashing.model)
    assert serve(crashing).stop() == 0
